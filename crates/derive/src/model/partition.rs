use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Path;

use super::index::Over;
use super::primary_key::PrimaryKey;
use super::scope::Scope;
use crate::attribute::Errors;
use crate::element::{Element, Given};

const USAGE: &str = "`partition_by` is written `partition_by(range(created_at))`; the rules are \
                     `range`, `list` and `hash`";

/// How the table is split into partitions.
pub(crate) struct Partition {
    strategy: Strategy,
    keys: Vec<(Over, Span)>,
}

enum Strategy {
    Range,
    List,
    Hash,
}

impl Partition {
    pub(crate) fn parse(element: Element, scope: &Scope, errors: &mut Errors) -> Option<Self> {
        let span = element.span();
        let rule = match element.given {
            Given::List(list) if list.len() == 1 => list.into_iter().next()?,
            _ => {
                errors.at(span, USAGE);
                return None;
            }
        };
        let name = rule.name().map(ToString::to_string);
        let strategy = match name.as_deref() {
            Some("range") => Strategy::Range,
            Some("list") => Strategy::List,
            Some("hash") => Strategy::Hash,
            _ => {
                errors.at(rule.span(), USAGE);
                return None;
            }
        };
        let keys = match rule.given {
            Given::List(keys) if !keys.is_empty() => keys,
            _ => {
                errors.at(span, USAGE);
                return None;
            }
        };
        let keys = keys.iter().filter_map(|key| {
            let over = Over::parse(key, scope, errors)?;
            Some((over, key.span()))
        });
        Some(Partition {
            strategy,
            keys: keys.collect(),
        })
    }

    /// PostgreSQL keeps a key within each partition only.
    pub(crate) fn check(&self, key: Option<&PrimaryKey>, scope: &Scope, errors: &mut Errors) {
        let Some(key) = key else {
            return;
        };
        for (over, span) in &self.keys {
            match over {
                Over::Field(at) if key.fields.contains(at) => {}
                Over::Field(at) => {
                    let name = &scope.fields[*at].name;
                    let message = format!(
                        "the primary key of a table that is partitioned by `{name}` must include \
                         that field: add `primary_key` to it"
                    );
                    errors.at(*span, message);
                }
                Over::Expression(_) => errors.at(
                    *span,
                    "a table that is partitioned by an expression cannot have a primary key",
                ),
            }
        }
    }

    pub(crate) fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        let strategy = match self.strategy {
            Strategy::Range => quote!(#krate::model::PartitionStrategy::Range),
            Strategy::List => quote!(#krate::model::PartitionStrategy::List),
            Strategy::Hash => quote!(#krate::model::PartitionStrategy::Hash),
        };
        let keys = self.keys.iter().map(|(over, _)| over.tokens(krate, scope));
        quote!(#krate::model::Partition { strategy: #strategy, keys: &[#(#keys),*] })
    }
}

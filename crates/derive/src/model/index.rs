use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{LitStr, Path};

use super::optional;
use super::scope::Scope;
use super::spelling::Spelling;
use super::unique::{included, own_field, parts};
use crate::attribute::Errors;
use crate::element::{Arguments, Element, Given, Head, Site, Word, once};

static SITE: Site = Site {
    of: "`index(…)`",
    known: &[
        once("name", "name = \"idx_users_email\""),
        once("method", "method = \"gin\""),
        once("unique", "unique = true"),
        once("nulls_not_distinct", "nulls_not_distinct = true"),
        once("include", "include(a, b)"),
        once("where", "where = \"is_active\""),
    ],
    elsewhere: &[],
};

/// An index.
pub(crate) struct Index {
    pub(crate) name: Option<LitStr>,
    pub(crate) span: Span,
    keys: Vec<Key>,
    method: Option<LitStr>,
    unique: bool,
    nulls_not_distinct: bool,
    include: Vec<usize>,
    predicate: Spelling,
}

struct Key {
    over: Over,
    descending: bool,
    nulls_first: Option<bool>,
    operator_class: Option<LitStr>,
}

/// What a key is over.
pub(crate) enum Over {
    Field(usize),
    Expression(LitStr),
}

impl Over {
    pub(crate) fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        match self {
            Over::Field(at) => {
                let column = &scope.fields[*at].column;
                quote!(#krate::model::Over::Column(#column))
            }
            Over::Expression(text) => quote!(#krate::model::Over::Expression(#text)),
        }
    }
}

impl Index {
    /// Reads `index(a, b desc, "lower(c)", …)` on the struct, or `index`, `index = "name"`
    /// and `index(method = "…")` on the field at `own`.
    pub(crate) fn parse(
        element: Element,
        own: Option<usize>,
        scope: &Scope,
        errors: &mut Errors,
    ) -> Option<Self> {
        let span = element.span();
        let (name, keys, options) = parts(element, "index", own, errors)?;
        let keys = match own {
            Some(own) => own_field(own, &keys, errors)
                .into_iter()
                .map(|at| Key::plain(Over::Field(at)))
                .collect(),
            None => keys
                .iter()
                .filter_map(|key| Key::parse(key, scope, errors))
                .collect(),
        };
        let options = Arguments::check(options, &SITE, errors);
        let include = included(&options, span, scope, errors);
        Some(Index {
            name: name.or(options.text("name", errors)),
            span,
            keys,
            method: options.text("method", errors),
            unique: options.switch("unique", errors),
            nulls_not_distinct: options.switch("nulls_not_distinct", errors),
            include,
            predicate: Spelling {
                any: options.text("where", errors),
                ..Spelling::default()
            },
        })
    }

    pub(crate) fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        let (name, method) = (optional(self.name.as_ref()), optional(self.method.as_ref()));
        let keys = self.keys.iter().map(|key| key.tokens(krate, scope));
        let (unique, nulls) = (self.unique, self.nulls_not_distinct);
        let include = scope.columns(&self.include);
        let predicate = self.predicate.tokens(krate);
        quote! {
            #krate::model::Index {
                name: #name,
                keys: &[#(#keys),*],
                method: #method,
                unique: #unique,
                nulls_not_distinct: #nulls,
                include: &[#(#include),*],
                predicate: #predicate,
            }
        }
    }
}

impl Key {
    fn plain(over: Over) -> Self {
        Key {
            over,
            descending: false,
            nulls_first: None,
            operator_class: None,
        }
    }

    /// Reads `a`, `a desc nulls last`, `a ops "gin_trgm_ops"` and `"lower(a)" desc`.
    fn parse(element: &Element, scope: &Scope, errors: &mut Errors) -> Option<Self> {
        let over = Over::parse(element, scope, errors)?;
        let Given::Words(words) = &element.given else {
            return None;
        };
        let mut key = Key::plain(over);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word.is("asc") {
                key.descending = false;
            } else if word.is("desc") {
                key.descending = true;
            } else if word.is("nulls") {
                match words.next() {
                    Some(word) if word.is("first") => key.nulls_first = Some(true),
                    Some(word) if word.is("last") => key.nulls_first = Some(false),
                    _ => errors.at(word.span(), "`nulls` is followed by `first` or `last`"),
                }
            } else if word.is("ops") {
                match words.next() {
                    Some(Word::Text(text)) => key.operator_class = Some(text.clone()),
                    _ => errors.at(
                        word.span(),
                        "`ops` is followed by an operator class: `ops \"gin_trgm_ops\"`",
                    ),
                }
            } else {
                let message = "a comma, `asc`, `desc`, `nulls first`, `nulls last` or `ops \"…\"` \
                               is expected here";
                errors.at(word.span(), message);
                break;
            }
        }
        Some(key)
    }

    fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        let (over, descending) = (self.over.tokens(krate, scope), self.descending);
        let nulls_first = match self.nulls_first {
            Some(first) => quote!(::core::option::Option::Some(#first)),
            None => quote!(::core::option::Option::None),
        };
        let operator_class = optional(self.operator_class.as_ref());
        quote! {
            #krate::model::IndexKey {
                over: #over,
                descending: #descending,
                nulls_first: #nulls_first,
                operator_class: #operator_class,
            }
        }
    }
}

impl Over {
    /// A field's name, or an expression.
    pub(crate) fn parse(element: &Element, scope: &Scope, errors: &mut Errors) -> Option<Self> {
        match &element.head {
            Head::Text(text) if text.value().trim().is_empty() => {
                errors.at(text.span(), "this text cannot be empty");
                None
            }
            Head::Text(text) => Some(Over::Expression(text.clone())),
            Head::Path(path) => match path.get_ident() {
                Some(ident) => {
                    let name = ident.to_string();
                    let place =
                        scope.find(name.trim_start_matches("r#"), element.span(), errors)?;
                    Some(Over::Field(place))
                }
                None => {
                    errors.at(element.span(), "a field's name is expected here");
                    None
                }
            },
        }
    }
}

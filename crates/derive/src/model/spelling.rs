use proc_macro2::TokenStream;
use quote::quote;
use syn::{LitStr, Path};

use super::optional;
use crate::attribute::Errors;
use crate::element::{Arguments, Element, Given, Head};

/// The engines whose own part is written by their name alone, as `postgres(type = "…")`.
/// Another's is written `engine("NAME", type = "…")`.
pub(crate) const ENGINES: [&str; 2] = ["postgres", "sqlite"];

/// A text that may be another one for an engine.
#[derive(Default, Clone)]
pub(crate) struct Spelling {
    pub(crate) any: Option<LitStr>,
    /// By the engine's name.
    pub(crate) own: Vec<(String, LitStr)>,
}

impl Spelling {
    pub(crate) fn is_given(&self) -> bool {
        self.any.is_some() || !self.own.is_empty()
    }

    /// Whether it says what PostgreSQL has, from which other engines derive their own.
    pub(crate) fn is_given_for_postgres(&self) -> bool {
        self.any.is_some() || self.own.iter().any(|(engine, _)| engine == "postgres")
    }

    /// All texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &LitStr> {
        self.any.iter().chain(self.own.iter().map(|(_, text)| text))
    }

    pub(crate) fn tokens(&self, krate: &Path) -> TokenStream {
        let any = optional(self.any.as_ref());
        let own = self.own.iter();
        let own = own.map(|(engine, text)| quote!((#engine, #text)));
        quote!(#krate::model::Spelling { any: #any, own: &[#(#own),*] })
    }
}

/// The engines' own parts: the name of each engine, where it stands, and what it holds.
pub(crate) fn own_parts<'a>(
    arguments: &'a Arguments,
    usage: &str,
    errors: &mut Errors,
) -> Vec<(String, &'a Element, Given)> {
    let mut parts = Vec::new();
    for engine in ENGINES {
        if let Some(element) = arguments.get(engine) {
            parts.push((engine.to_owned(), element, element.given.clone()));
        }
    }
    for element in arguments.all("engine") {
        let named = match &element.given {
            Given::List(list) => match list.split_first() {
                Some((first, rest)) => match &first.head {
                    Head::Text(name) => Some((name, rest.to_vec())),
                    Head::Path(_) => None,
                },
                None => None,
            },
            _ => None,
        };
        let Some((name, rest)) = named else {
            errors.at(element.span(), format!("`engine` is written `{usage}`"));
            continue;
        };
        if parts.iter().any(|(engine, ..)| *engine == name.value()) {
            let message = format!("the part of the engine {:?} is set twice", name.value());
            errors.at(name.span(), message);
        }
        parts.push((name.value(), element, Given::List(rest)));
    }
    parts
}

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use super::text::choose;
use crate::attribute::Errors;
use crate::element::{Arguments, stands_alone};

/// How the database counts a column up.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Counter {
    ByDefault,
    Always,
    Serial,
}

const GENERATED: [(&str, Counter); 2] = [
    ("always", Counter::Always),
    ("by default", Counter::ByDefault),
];

impl Counter {
    /// Reads `identity`, `identity = "always"` and `serial`.
    pub(crate) fn parse(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        let serial = arguments.flag("serial", errors);
        let Some(identity) = arguments.get("identity") else {
            return serial.then_some(Counter::Serial);
        };
        if serial {
            errors.at(
                identity.span(),
                "`identity` cannot be combined with `serial`: a column can use only one of them",
            );
            return None;
        }
        if stands_alone(identity) {
            return Some(Counter::ByDefault);
        }
        let text = arguments.text("identity", errors)?;
        choose(&text, "way to generate an identity", &GENERATED, errors)
    }

    pub(crate) fn tokens(self, krate: &Path) -> TokenStream {
        match self {
            Counter::ByDefault => quote!(#krate::model::Counter::ByDefault),
            Counter::Always => quote!(#krate::model::Counter::Always),
            Counter::Serial => quote!(#krate::model::Counter::Serial),
        }
    }
}

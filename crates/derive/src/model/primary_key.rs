use proc_macro2::TokenStream;
use quote::quote;
use syn::{LitStr, Path};

use super::optional;
use super::scope::Scope;
use crate::attribute::Errors;
use crate::element::{Arguments, Element, Given, Site, once};

static SITE: Site = Site {
    of: "`primary_key(…)`",
    known: &[once("name", "name = \"users_pkey\"")],
    elsewhere: &[],
};

/// The primary key.
pub(crate) struct PrimaryKey {
    pub(crate) name: Option<LitStr>,
    /// The places of its fields, in its order.
    pub(crate) fields: Vec<usize>,
}

impl PrimaryKey {
    /// The key of the fields that say so, or of `#[model(primary_key(…))]` on the struct.
    pub(crate) fn parse(
        on_struct: Option<Element>,
        on_fields: Vec<usize>,
        scope: &Scope,
        errors: &mut Errors,
    ) -> Option<Self> {
        let Some(element) = on_struct else {
            let name = None;
            let fields = on_fields;
            return (!fields.is_empty()).then_some(PrimaryKey { name, fields });
        };
        let span = element.span();
        if !on_fields.is_empty() {
            errors.at(
                span,
                "the primary key is also set on fields; set it in one place",
            );
        }
        let Given::List(list) = element.given else {
            errors.at(
                span,
                "on the struct, `primary_key` is written `primary_key(a, b)`",
            );
            return None;
        };
        let (options, keys): (Vec<_>, Vec<_>) = list.into_iter().partition(Element::is_option);
        let fields = scope.find_all(&keys, errors);
        if keys.is_empty() {
            errors.at(span, "a primary key has at least one field");
        }
        let options = Arguments::check(options, &SITE, errors);
        let name = options.text("name", errors);
        Some(PrimaryKey { name, fields })
    }

    pub(crate) fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        let (name, columns) = (optional(self.name.as_ref()), scope.columns(&self.fields));
        quote!(#krate::model::Key { name: #name, columns: &[#(#columns),*] })
    }
}

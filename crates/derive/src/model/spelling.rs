use proc_macro2::TokenStream;
use quote::quote;
use syn::{LitStr, Path};

use super::optional;

/// A text that may be another one for an engine.
#[derive(Default, Clone)]
pub(crate) struct Spelling {
    pub(crate) any: Option<LitStr>,
    pub(crate) postgres: Option<LitStr>,
    pub(crate) sqlite: Option<LitStr>,
}

impl Spelling {
    pub(crate) fn is_given(&self) -> bool {
        self.any.is_some() || self.postgres.is_some() || self.sqlite.is_some()
    }

    pub(crate) fn tokens(&self, krate: &Path) -> TokenStream {
        let any = optional(self.any.as_ref());
        let own = [("postgres", &self.postgres), ("sqlite", &self.sqlite)];
        let own = own.iter().filter_map(|(engine, text)| {
            let text = text.as_ref()?;
            Some(quote!((#engine, #text)))
        });
        quote!(#krate::model::Spelling { any: #any, own: &[#(#own),*] })
    }
}

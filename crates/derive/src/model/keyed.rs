use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::column::Column;
use super::input::Input;

/// The implementation of `Keyed`, where there is a primary key.
pub(crate) fn tokens(input: &Input<'_>) -> Option<TokenStream> {
    let key = input.primary_key.as_ref()?;
    let (krate, ident) = (&input.krate, input.ident);
    let fields: Vec<&Column<'_>> = key.fields.iter().map(|at| &input.columns[*at]).collect();
    let types: Vec<_> = fields.iter().map(|field| field.inner()).collect();
    let names: Vec<_> = (0..fields.len())
        .map(|at| format_ident!("part_{at}"))
        .collect();
    let members = fields.iter().map(|field| {
        let member = field.ident;
        quote!(::core::clone::Clone::clone(&self.#member))
    });
    let values = fields.iter().zip(&names);
    let values: Vec<_> = values
        .map(|(field, name)| field.value(krate, &quote!(#name)))
        .collect();
    let (key_type, key, parts) = match (&types[..], &names[..]) {
        ([one], [name]) => (quote!(#one), quote!(#(#members)*), quote!(#name)),
        _ => (
            quote!((#(#types),*)),
            quote!((#(#members),*)),
            quote!((#(#names),*)),
        ),
    };
    Some(quote! {
        #[automatically_derived]
        impl #krate::model::Keyed for #ident {
            type Key = #key_type;

            fn key(&self) -> Self::Key {
                #key
            }

            fn key_values(#parts: Self::Key) -> ::std::vec::Vec<#krate::Value> {
                ::std::vec![#(#values),*]
            }
        }
    })
}

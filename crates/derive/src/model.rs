//! `#[derive(Model)]`. Each file beneath reads one noun of the attributes and writes it as it
//! stands in the description.

mod check;
mod column;
mod counter;
mod data_type;
mod description;
mod foreign_key;
mod given;
mod index;
mod input;
mod keyed;
mod partition;
mod primary_key;
mod scope;
mod spelling;
mod text;
mod unique;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use input::Input;

/// The implementations of `Model`, of `Keyed` where there is a primary key, and of `FromRow`;
/// the types of what is given to insert and to change a row; and the references to other
/// models.
pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let from_row = crate::from_row::derive(input)?;
    let model = Input::parse(input)?;
    let Input { krate, ident, .. } = &model;
    let description = description::tokens(&model);
    let (new, changes) = (given::new(&model), given::changes(&model));
    let (new_type, changes_type) = (given::new_ident(ident), given::changes_ident(ident));
    let since = given::changes_since(&model);
    let keyed = keyed::tokens(&model);
    let references = foreign_key::constants(&model);
    Ok(quote! {
        #from_row
        #new
        #changes
        #references

        #[automatically_derived]
        impl #krate::model::sealed::Derived for #ident {}

        #[automatically_derived]
        impl #krate::model::Model for #ident {
            type New = #new_type;
            type Changes = #changes_type;

            const DESCRIPTION: &'static #krate::model::Description = &#description;

            #since
        }

        #keyed
    })
}

/// `Some("…")` or `None`.
fn optional(text: Option<&syn::LitStr>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

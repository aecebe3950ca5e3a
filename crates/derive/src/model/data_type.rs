use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, Type};

use super::spelling::Spelling;
use crate::field::{Read, inside_option};

/// The type that the field itself has, as an `Option<DataType>`; none where another is given
/// for every engine.
pub(crate) fn field_type(krate: &Path, ty: &Type, read: &Read, given: &Spelling) -> TokenStream {
    if given.is_given_for_postgres() {
        return quote!(::core::option::Option::None);
    }
    let of = match read {
        Read::Json => quote!(#krate::model::DataType::named("jsonb")),
        Read::Plain => of_type(krate, inside_option(ty).unwrap_or(ty)),
        Read::TryFrom(raw) => of_type(krate, inside_option(raw).unwrap_or(raw)),
    };
    quote!(::core::option::Option::Some(#of))
}

fn of_type(krate: &Path, ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> <#ty as #krate::ColumnType>::DATA_TYPE)
}

/// Whether the column takes NULL: an `Option` does, and what stands for one by another name.
pub(crate) fn nullable(krate: &Path, ty: &Type, read: &Read, given: &Spelling) -> TokenStream {
    let own = matches!(read, Read::Plain) && !given.is_given_for_postgres();
    match inside_option(ty) {
        Some(_) => quote!(true),
        None if own => quote_spanned!(ty.span()=> <#ty as #krate::ColumnType>::NULLABLE),
        None => quote!(false),
    }
}

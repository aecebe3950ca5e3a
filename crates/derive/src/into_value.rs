use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_quote};

use crate::bound::require;
use crate::shape::{Shape, ValueType};

/// The implementation of `IntoValue`.
pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ValueType {
        krate,
        name,
        generics,
        shape,
    } = ValueType::parse(input)?;
    let mut generics = generics.clone();
    let body = match &shape {
        Shape::Newtype { member, ty } => {
            let bound = parse_quote!(#ty: #krate::IntoValue);
            require(&mut generics, ty, bound);
            quote!(<#ty as #krate::IntoValue>::into_value(self.#member))
        }
        Shape::Labels(labels) => {
            let variants = labels.iter().map(|(variant, _)| variant);
            let texts = labels.iter().map(|(_, label)| label);
            quote! {
                #krate::Value::Text(::std::string::String::from(match self {
                    #(Self::#variants => #texts,)*
                }))
            }
        }
    };
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    // A `Vec` of it is an array; not where it leaves open what it holds.
    let element = generics.params.is_empty().then(|| {
        quote! {
            #[automatically_derived]
            impl #krate::ArrayElement for #name {}
        }
    });
    Ok(quote! {
        #element

        #[automatically_derived]
        impl #impl_generics #krate::IntoValue for #name #type_generics #where_clause {
            #[inline]
            fn into_value(self) -> #krate::Value {
                #body
            }
        }
    })
}

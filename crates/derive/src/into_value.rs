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
    let (body, specimens) = match &shape {
        Shape::Newtype { member, ty } => {
            let bound = parse_quote!(#ty: #krate::IntoValue);
            require(&mut generics, ty, bound);
            (
                quote!(<#ty as #krate::IntoValue>::into_value(self.#member)),
                quote!(<#ty as #krate::IntoValue>::specimens()),
            )
        }
        Shape::Labels(labels) => {
            let variants = labels.iter().map(|(variant, _)| variant);
            let texts: Vec<_> = labels.iter().map(|(_, label)| label).collect();
            let body = quote! {
                #krate::Value::Text(::std::string::String::from(match self {
                    #(Self::#variants => #texts,)*
                }))
            };
            let specimens = quote! {
                ::std::vec![#(#krate::Value::Text(::std::string::String::from(#texts))),*]
            };
            (body, specimens)
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

            fn specimens() -> ::std::vec::Vec<#krate::Value> {
                #specimens
            }
        }

        #[automatically_derived]
        impl #impl_generics #krate::Parameter for #name #type_generics #where_clause {
            type Given<'__given> = #name #type_generics;
        }
    })
}

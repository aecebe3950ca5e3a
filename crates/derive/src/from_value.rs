use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{DeriveInput, GenericParam, Lifetime, LitStr, Path, parse_quote};

use crate::bound::require;
use crate::shape::{Shape, ValueType};

/// The implementation of `FromValue`.
pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ValueType {
        krate,
        name,
        generics,
        shape,
    } = ValueType::parse(input)?;
    let lifetime = lifetime(input)?;
    let mut generics = generics.clone();
    if let Shape::Newtype { ty, .. } = &shape {
        let bound = parse_quote!(#ty: #krate::FromValue<#lifetime>);
        require(&mut generics, ty, bound);
    }
    let (_, type_generics, where_clause) = generics.split_for_impl();
    let mut own = generics.clone();
    if own.lifetimes().next().is_none() {
        own.params
            .insert(0, GenericParam::Lifetime(parse_quote!(#lifetime)));
    }
    let (impl_generics, ..) = own.split_for_impl();
    let (attribute, body) = match &shape {
        Shape::Newtype { member, ty } => (
            quote!(#[inline]),
            quote! {
                ::core::result::Result::Ok(Self {
                    #member: <#ty as #krate::FromValue<#lifetime>>::from_value(value)?,
                })
            },
        ),
        Shape::Labels(labels) => (TokenStream::new(), from_label(&krate, &lifetime, labels)),
    };
    // A `Vec` of it is an array; not where it borrows or leaves open what it holds.
    let element = input.generics.params.is_empty().then(|| {
        quote! {
            #[automatically_derived]
            impl #krate::VecElement for #name {}
        }
    });
    Ok(quote! {
        #element

        #[automatically_derived]
        impl #impl_generics #krate::FromValue<#lifetime> for #name #type_generics #where_clause {
            #attribute
            fn from_value(
                value: #krate::ValueRef<#lifetime>,
            ) -> ::core::result::Result<Self, #krate::Mismatch> {
                #body
            }
        }
    })
}

/// The lifetime of the value: the type's own, where it has one, since it then borrows
/// from the row.
fn lifetime(input: &DeriveInput) -> syn::Result<Lifetime> {
    let mut lifetimes = input
        .generics
        .lifetimes()
        .map(|parameter| &parameter.lifetime);
    let lifetime = lifetimes
        .next()
        .cloned()
        .unwrap_or_else(|| parse_quote!('__r));
    match lifetimes.next() {
        Some(second) => Err(syn::Error::new(
            second.span(),
            "a value borrows from one row, so there can be only one lifetime",
        )),
        None => Ok(lifetime),
    }
}

fn from_label(krate: &Path, lifetime: &Lifetime, labels: &[(&Ident, LitStr)]) -> TokenStream {
    let variants = labels.iter().map(|(variant, _)| variant);
    let texts = labels.iter().map(|(_, label)| label);
    let known: Vec<String> = labels
        .iter()
        .map(|(_, label)| format!("{:?}", label.value()))
        .collect();
    let known = known.join(", ");
    quote! {
        let label = <&#lifetime str as #krate::FromValue<#lifetime>>::from_value(value)?;
        match label {
            #(#texts => ::core::result::Result::Ok(Self::#variants),)*
            unknown => ::core::result::Result::Err(#krate::Mismatch::because(
                ::std::format!("found {unknown:?}, but the known labels are {}", #known),
            )),
        }
    }
}

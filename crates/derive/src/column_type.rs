use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, LitStr, parse_quote};

use crate::attribute::Errors;
use crate::bound::require;
use crate::element::{Argument, Arguments, Site, elements, once};
use crate::rename::Case;
use crate::shape::{Shape, ValueType};

const RENAMED_FROM: Argument = once("renamed_from", "renamed_from = \"sad\"");
static ENUM: Site = Site {
    of: "`#[model(…)]` on the enum",
    known: &[
        once("name", "name = \"mood\""),
        once("schema", "schema = \"shop\""),
        once("comment", "comment = \"…\""),
    ],
    elsewhere: &[(&[RENAMED_FROM], "on a variant; rename a type with SQL")],
};
static VARIANT: Site = Site {
    of: "`#[model(…)]` on a variant",
    known: &[RENAMED_FROM],
    elsewhere: &[(ENUM.known, "on the enum, not on a variant")],
};
static STRUCT: Site = Site {
    of: "`#[model(…)]` on a struct with one field, which has the type of the field",
    known: &[],
    elsewhere: &[],
};

/// The implementation of `ColumnType`: of a newtype that of its field, of an enum an
/// enumerated type.
pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ValueType {
        krate,
        name,
        generics,
        shape,
    } = ValueType::parse(input)?;
    let mut errors = Errors::default();
    let mut generics = generics.clone();
    let body = match &shape {
        Shape::Newtype { ty, .. } => {
            Arguments::check(elements(&input.attrs, &mut errors), &STRUCT, &mut errors);
            require(&mut generics, ty, parse_quote!(#ty: #krate::ColumnType));
            quote! {
                const DATA_TYPE: #krate::model::DataType = <#ty as #krate::ColumnType>::DATA_TYPE;
                const OF_VEC: #krate::model::DataType = <#ty as #krate::ColumnType>::OF_VEC;
                const NULLABLE: bool = <#ty as #krate::ColumnType>::NULLABLE;
            }
        }
        Shape::Labels(labels) => {
            let arguments =
                Arguments::check(elements(&input.attrs, &mut errors), &ENUM, &mut errors);
            let own = Case::Snake.apply(&input.ident.unraw().to_string());
            let type_name = arguments.text("name", &mut errors);
            let type_name = type_name.unwrap_or_else(|| LitStr::new(&own, input.ident.span()));
            let schema = optional(arguments.text("schema", &mut errors));
            let comment = optional(arguments.text("comment", &mut errors));
            let before = renamed_from(input, &mut errors);
            let labels = labels.iter().zip(before).map(|((_, label), before)| {
                let before = optional(before);
                quote!(#krate::model::Label { name: #label, renamed_from: #before })
            });
            quote! {
                const DATA_TYPE: #krate::model::DataType = #krate::model::DataType::enumerated(
                    &#krate::model::Enumeration {
                        name: #type_name,
                        schema: #schema,
                        labels: &[#(#labels),*],
                        comment: #comment,
                    },
                );
            }
        }
    };
    errors.finish()?;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #krate::ColumnType for #name #type_generics #where_clause {
            #body
        }
    })
}

/// What each variant's label was before.
fn renamed_from(input: &DeriveInput, errors: &mut Errors) -> Vec<Option<LitStr>> {
    let Data::Enum(data) = &input.data else {
        return Vec::new();
    };
    let variants = data.variants.iter();
    let each = variants.map(|variant| {
        let arguments = Arguments::check(elements(&variant.attrs, errors), &VARIANT, errors);
        arguments.text("renamed_from", errors)
    });
    each.collect()
}

fn optional(text: Option<LitStr>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

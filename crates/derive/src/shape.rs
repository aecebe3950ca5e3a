use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{Data, DataEnum, DeriveInput, Fields, Generics, LitStr, Member, Path, Type};

use crate::attribute::{Arguments, AttributeSite, CRATE, Errors, Names, RENAME, RENAME_ALL};
use crate::rename::Case;

static TYPE: AttributeSite = AttributeSite {
    attribute: "value",
    on: "the type",
    known: &[CRATE, RENAME_ALL],
    elsewhere: &VARIANT,
};
static VARIANT: AttributeSite = AttributeSite {
    attribute: "value",
    on: "a variant",
    known: &[RENAME],
    elsewhere: &TYPE,
};
static FIELD: AttributeSite = AttributeSite {
    attribute: "value",
    on: "a field",
    known: &[],
    elsewhere: &TYPE,
};

/// A type that is the value of a column.
pub(crate) struct ValueType<'a> {
    pub(crate) krate: Path,
    pub(crate) name: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) shape: Shape<'a>,
}

pub(crate) enum Shape<'a> {
    /// A struct with one field.
    Newtype { member: Member, ty: &'a Type },
    /// An enum without fields: each variant with its label.
    Labels(Vec<(&'a Ident, LitStr)>),
}

impl<'a> ValueType<'a> {
    pub(crate) fn parse(input: &'a DeriveInput) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let arguments = Arguments::parse(&input.attrs, &TYPE, &mut errors);
        let krate = arguments.krate(&mut errors);
        let case = arguments
            .text("rename_all")
            .and_then(|text| errors.take(Case::parse(text)));
        let shape = match &input.data {
            Data::Struct(data) => {
                if let Some(span) = arguments.span("rename_all") {
                    errors.at(
                        span,
                        "`rename_all` has nothing to rename: a struct has no labels",
                    );
                }
                newtype(&input.ident, &data.fields, &mut errors)?
            }
            Data::Enum(data) => labels(&input.ident, data, case, &mut errors)?,
            Data::Union(_) => {
                let message = format!(
                    "`{}` is a union, which cannot be the value of a column",
                    input.ident
                );
                return Err(syn::Error::new(input.ident.span(), message));
            }
        };
        errors.finish()?;
        Ok(ValueType {
            krate,
            name: &input.ident,
            generics: &input.generics,
            shape,
        })
    }
}

fn newtype<'a>(name: &Ident, fields: &'a Fields, errors: &mut Errors) -> syn::Result<Shape<'a>> {
    for field in fields {
        Arguments::parse(&field.attrs, &FIELD, errors);
    }
    match (fields.members().next(), fields.iter().next(), fields.len()) {
        (Some(member), Some(field), 1) => Ok(Shape::Newtype {
            member,
            ty: &field.ty,
        }),
        (.., count) => {
            let message = format!(
                "`{name}` must have exactly one field to be the value of a column, but has \
                 {count}; for a struct that is a row, derive `FromRow`"
            );
            Err(syn::Error::new(name.span(), message))
        }
    }
}

fn labels<'a>(
    name: &Ident,
    data: &'a DataEnum,
    case: Option<Case>,
    errors: &mut Errors,
) -> syn::Result<Shape<'a>> {
    if data.variants.is_empty() {
        let message = format!("`{name}` has no variants for labels");
        return Err(syn::Error::new(name.span(), message));
    }
    let mut names = Names::default();
    let mut labels = Vec::with_capacity(data.variants.len());
    for variant in &data.variants {
        let arguments = Arguments::parse(&variant.attrs, &VARIANT, errors);
        if !matches!(variant.fields, Fields::Unit) {
            let ident = &variant.ident;
            errors.at(
                ident.span(),
                format!("`{ident}` has fields, which a label cannot represent"),
            );
        }
        let own = variant.ident.unraw().to_string();
        let label = arguments.text("rename").cloned().unwrap_or_else(|| {
            let label = case.map_or_else(|| own.clone(), |case| case.apply(&own));
            LitStr::new(&label, variant.ident.span())
        });
        names.take("label", &label, own, errors);
        labels.push((&variant.ident, label));
    }
    Ok(Shape::Labels(labels))
}

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Generics, Index, Path, Type, WherePredicate, parse_quote};

use crate::bound::require;
use crate::field::{Field, Read, Source, Struct, inside_option};
use crate::misfit;

/// The implementation of `FromRow`. Its `Layout` is a tuple struct with one slot for
/// each field that has to be found: an index, or the layout of a nested struct. It is a
/// struct because a tuple may not name the layout of a type that is less public than
/// the one derived for.
pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Struct {
        krate,
        fields,
        positions,
    } = Struct::parse(input)?;
    let name = &input.ident;
    let mut parts = Parts::new(&krate, &input.generics);
    for field in &fields {
        parts.add(field);
    }
    let count = positions.map(|count| {
        let nested = fields
            .iter()
            .any(|field| matches!(field.source, Source::Nested));
        misfit::count(&krate, count, nested)
    });
    let not_converted = parts.converts.then(|| misfit::conversion(&krate));
    let shape = shape(&krate, &fields, positions);
    let Parts {
        slots,
        found,
        members,
        layout_generics,
        generics,
        ..
    } = parts;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let layout_where = &layout_generics.where_clause;
    Ok(quote! {
        #[allow(missing_debug_implementations, private_bounds, unreachable_pub)]
        #[allow(unused_qualifications, unused_variables)]
        const _: () = {
            #[doc(hidden)]
            pub struct __Layout #impl_generics (
                #(#slots,)*
                ::core::marker::PhantomData<fn() -> #name #type_generics>,
            ) #layout_where;

            #not_converted

            #[automatically_derived]
            impl #impl_generics #krate::FromRow for #name #type_generics #where_clause {
                type Layout = __Layout #type_generics;

                fn layout(columns: &#krate::Columns) -> #krate::Result<Self::Layout> {
                    #count
                    ::core::result::Result::Ok(__Layout(
                        #(#found,)*
                        ::core::marker::PhantomData,
                    ))
                }

                #[inline]
                fn from_row(
                    row: &dyn #krate::Row,
                    layout: &Self::Layout,
                ) -> #krate::Result<Self> {
                    ::core::result::Result::Ok(Self { #(#members,)* })
                }

                fn shape() -> ::core::option::Option<#krate::RowShape> {
                    #shape
                }
            }
        };
    })
}

/// The body of the function that says what is read.
fn shape(krate: &Path, fields: &[Field<'_>], positions: Option<usize>) -> TokenStream {
    let mut nested = false;
    let columns: Vec<TokenStream> = fields
        .iter()
        .filter_map(|field| {
            let ty = field.ty;
            let (place, optional, read) = match &field.source {
                Source::Skipped => return None,
                Source::Nested => {
                    nested = true;
                    return Some(quote!(shape.nest(<#ty as #krate::FromRow>::shape());));
                }
                Source::Named {
                    name,
                    optional,
                    read,
                } => (quote!(Named(#name)), *optional, read),
                Source::At { index, read } => (quote!(At(#index)), false, read),
            };
            let read_as = read_as(krate, ty, read);
            let shown = match read {
                Read::Json => ty,
                Read::Plain | Read::TryFrom(_) => &read_as,
            };
            let optional = optional.then(|| quote!(.optional()));
            Some(quote! {
                shape.columns.push(#krate::ReadColumn::new(
                    #krate::ColumnPlace::#place,
                    ::core::any::type_name::<#shown>(),
                    |value| <#read_as as #krate::FromValue<'_>>::from_value(value)
                        .map(::core::mem::drop),
                )#optional);
            })
        })
        .collect();
    let count = match (positions, nested) {
        (None, _) => quote!(Any),
        (Some(count), true) => quote!(AtLeast(#count)),
        (Some(count), false) => quote!(Exactly(#count)),
    };
    quote! {
        let mut shape = #krate::RowShape::default();
        shape.count = #krate::ColumnCount::#count;
        #(#columns)*
        ::core::option::Option::Some(shape)
    }
}

/// The type that a column is read as, on its way to the field.
fn read_as(krate: &Path, ty: &Type, read: &Read) -> Type {
    match read {
        Read::Plain => ty.clone(),
        Read::Json if inside_option(ty).is_some() => {
            parse_quote!(::core::option::Option<#krate::Json<#ty>>)
        }
        Read::Json => parse_quote!(#krate::Json<#ty>),
        Read::TryFrom(raw) if inside_option(ty).is_some() && inside_option(raw).is_none() => {
            parse_quote!(::core::option::Option<#raw>)
        }
        Read::TryFrom(raw) => Type::clone(raw),
    }
}

/// The parts of the implementation that are made of the fields.
struct Parts<'a> {
    krate: &'a Path,
    /// The types of the layout's slots.
    slots: Vec<TokenStream>,
    /// What fills them.
    found: Vec<TokenStream>,
    /// The struct's members, each with its value.
    members: Vec<TokenStream>,
    /// Whether a column is converted, which may fail.
    converts: bool,
    layout_generics: Generics,
    generics: Generics,
}

impl<'a> Parts<'a> {
    fn new(krate: &'a Path, generics: &Generics) -> Self {
        Parts {
            krate,
            slots: Vec::new(),
            found: Vec::new(),
            members: Vec::new(),
            converts: false,
            layout_generics: generics.clone(),
            generics: generics.clone(),
        }
    }

    fn add(&mut self, field: &Field<'_>) {
        let Field { member, ty, source } = field;
        let krate = self.krate;
        let default = quote!(<#ty as ::core::default::Default>::default());
        let value = match source {
            Source::Skipped => {
                require(
                    &mut self.generics,
                    ty,
                    parse_quote!(#ty: ::core::default::Default),
                );
                default
            }
            Source::Nested => {
                let predicate: WherePredicate = parse_quote!(#ty: #krate::FromRow);
                require(&mut self.layout_generics, ty, predicate.clone());
                require(&mut self.generics, ty, predicate);
                let slot = self.slot(
                    quote!(<#ty as #krate::FromRow>::Layout),
                    quote!(<#ty as #krate::FromRow>::layout(columns)?),
                );
                quote!(<#ty as #krate::FromRow>::from_row(row, &layout.#slot)?)
            }
            Source::Named {
                name,
                optional: false,
                read,
            } => {
                let slot = self.slot(quote!(usize), quote!(columns.require(#name)?));
                self.read(ty, read, &quote!(layout.#slot))
            }
            Source::Named {
                name,
                optional: true,
                read,
            } => {
                require(
                    &mut self.generics,
                    ty,
                    parse_quote!(#ty: ::core::default::Default),
                );
                let optional = quote!(::core::option::Option<usize>);
                let slot = self.slot(optional, quote!(columns.position(#name)));
                let read = self.read(ty, read, &quote!(index));
                quote!(match layout.#slot {
                    ::core::option::Option::Some(index) => #read,
                    ::core::option::Option::None => #default,
                })
            }
            Source::At { index, read } => self.read(ty, read, &quote!(#index)),
        };
        self.members.push(quote!(#member: #value));
    }

    /// Adds a slot to the layout and gives its index.
    fn slot(&mut self, ty: TokenStream, found: TokenStream) -> Index {
        self.slots.push(ty);
        self.found.push(found);
        Index::from(self.slots.len() - 1)
    }

    /// The expression that reads the column at `index`.
    fn read(&mut self, ty: &Type, read: &Read, index: &TokenStream) -> TokenStream {
        let krate = self.krate;
        match read {
            Read::Plain => self.read_as(ty, index),
            Read::Json => {
                let json = self.read_as(&read_as(krate, ty, read), index);
                match inside_option(ty) {
                    Some(_) => quote!(#json.and_then(|json| json.0)),
                    None => quote!(#json.0),
                }
            }
            Read::TryFrom(raw) => match inside_option(ty) {
                Some(inner) if inside_option(raw).is_none() => {
                    let value = self.read_as(&read_as(krate, ty, read), index);
                    let converted = self.convert(inner, raw, index);
                    quote!(match #value {
                        ::core::option::Option::Some(value) => {
                            ::core::option::Option::Some(#converted)
                        }
                        ::core::option::Option::None => ::core::option::Option::None,
                    })
                }
                _ => {
                    let value = self.read_as(raw, index);
                    let converted = self.convert(ty, raw, index);
                    quote!({
                        let value = #value;
                        #converted
                    })
                }
            },
        }
    }

    fn read_as(&mut self, ty: &Type, index: &TokenStream) -> TokenStream {
        let krate = self.krate;
        require(
            &mut self.generics,
            ty,
            parse_quote!(#ty: for<'__r> #krate::FromValue<'__r>),
        );
        quote!(row.read::<#ty>(#index)?)
    }

    /// The expression that converts `value`, of the type `raw`, to `ty`.
    fn convert(&mut self, ty: &Type, raw: &Type, index: &TokenStream) -> TokenStream {
        let boxed = misfit::boxed_error();
        let bound = parse_quote! {
            #ty: ::core::convert::TryFrom<#raw, Error: ::core::convert::Into<#boxed>>
        };
        require(&mut self.generics, ty, bound);
        self.converts = true;
        quote! {
            match <#ty as ::core::convert::TryFrom<#raw>>::try_from(value) {
                ::core::result::Result::Ok(converted) => converted,
                ::core::result::Result::Err(error) => {
                    return ::core::result::Result::Err(__not_converted::<#ty>(
                        row.columns(),
                        #index,
                        ::core::convert::Into::into(error),
                    ));
                }
            }
        }
    }
}

//! The types of what is given to insert and to change a row.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Path;

use super::column::Column;
use super::counter::Counter;
use super::input::Input;

pub(crate) fn new_ident(model: &Ident) -> Ident {
    format_ident!("New{model}")
}

pub(crate) fn changes_ident(model: &Ident) -> Ident {
    format_ident!("{model}Changes")
}

/// How a column is given.
#[derive(Clone, Copy, PartialEq)]
enum How {
    /// It has to be: a value.
    Required,
    /// It can be left out: an `Option`.
    Optional,
    /// It can be left out, and be NULL: a `Field`.
    Nullable,
}

/// How a column is given to insert a row; none where the database alone knows it.
fn to_insert(column: &Column<'_>) -> Option<How> {
    if column.generated.is_given() || column.counter == Some(Counter::Always) {
        return None;
    }
    Some(match (column.nullable(), column.has_default()) {
        (true, _) => How::Nullable,
        (false, true) => How::Optional,
        (false, false) => How::Required,
    })
}

/// How a column is given to change a row; none where it is not for the caller to change.
fn to_change(column: &Column<'_>) -> Option<How> {
    if column.generated.is_given() || column.counter.is_some() || column.on_update.is_some() {
        return None;
    }
    Some(match column.nullable() {
        true => How::Nullable,
        false => How::Optional,
    })
}

type Columns<'i, 'a> = Vec<(&'i Column<'a>, How)>;

fn columns<'i, 'a>(input: &'i Input<'a>, how: fn(&Column<'_>) -> Option<How>) -> Columns<'i, 'a> {
    let all = input.columns.iter();
    all.filter_map(|column| Some((column, how(column)?)))
        .collect()
}

/// `NewUser`, with `NewUser::new` for what cannot be left out.
pub(crate) fn new(input: &Input<'_>) -> TokenStream {
    let (krate, vis) = (&input.krate, input.vis);
    let (ident, columns) = (new_ident(input.ident), columns(input, to_insert));
    let is_required = |(_, how): &&(&Column<'_>, How)| *how == How::Required;
    let required: Vec<_> = columns.iter().filter(is_required).collect();
    let arguments = required.iter().map(|(column, _)| {
        let (name, ty) = (column.ident, column.ty);
        quote!(#name: impl ::core::convert::Into<#ty>)
    });
    let members = columns.iter().map(|(column, how)| {
        let name = column.ident;
        match how {
            How::Required => quote!(#name: ::core::convert::Into::into(#name)),
            _ => quote!(#name: ::core::default::Default::default()),
        }
    });
    let default = required
        .is_empty()
        .then(|| quote!(::core::default::Default,));
    let body = given_type(krate, &columns);
    let given = given(krate, &ident, &columns);
    let doc = format!("The values for a new row of [`{}`].", input.ident);
    quote! {
        #[doc = #doc]
        #[derive(#default ::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(unreachable_pub)]
        #vis struct #ident { #body }

        #[automatically_derived]
        impl #ident {
            /// A row with what it has to have; all else is left to the database.
            #[allow(dead_code, clippy::too_many_arguments, clippy::new_without_default)]
            #vis fn new(#(#arguments),*) -> Self {
                Self { #(#members,)* }
            }
        }

        #given
    }
}

/// `UserChanges`, and all of a row as such.
pub(crate) fn changes(input: &Input<'_>) -> TokenStream {
    let (krate, vis, model) = (&input.krate, input.vis, input.ident);
    let (ident, columns) = (changes_ident(model), columns(input, to_change));
    let body = given_type(krate, &columns);
    let given = given(krate, &ident, &columns);
    let members = columns.iter().map(|(column, how)| {
        let name = column.ident;
        let value = all_of(krate, *how, &quote!(row.#name));
        quote!(#name: #value)
    });
    let doc = format!("The changes to a row of [`{model}`]; other fields keep their values.");
    quote! {
        #[doc = #doc]
        #[derive(::core::default::Default, ::core::fmt::Debug, ::core::clone::Clone)]
        #[allow(unreachable_pub)]
        #vis struct #ident { #body }

        #[automatically_derived]
        impl ::core::convert::From<#model> for #ident {
            #[allow(unused_variables)]
            fn from(row: #model) -> Self {
                Self { #(#members,)* }
            }
        }

        #given
    }
}

/// What a row holds, as it is given.
fn all_of(krate: &Path, how: How, value: &TokenStream) -> TokenStream {
    match how {
        How::Nullable => quote!(<#krate::model::Field<_> as ::core::convert::From<
            ::core::option::Option<_>,
        >>::from(#value)),
        _ => quote!(::core::option::Option::Some(#value)),
    }
}

/// The method that compares two rows, by the values that they would send.
pub(crate) fn changes_since(input: &Input<'_>) -> TokenStream {
    let krate = &input.krate;
    let each = columns(input, to_change).into_iter().map(|(column, how)| {
        let name = column.ident;
        let value = |row: TokenStream| match how {
            How::Nullable => {
                let sent = column.value(krate, &quote!(value));
                quote! {
                    ::core::option::Option::map(
                        ::core::clone::Clone::clone(&#row.#name),
                        |value| #sent,
                    )
                }
            }
            _ => column.value(krate, &quote!(::core::clone::Clone::clone(&#row.#name))),
        };
        let (now, then) = (value(quote!(self)), value(quote!(before)));
        let given = all_of(
            krate,
            how,
            &quote!(::core::clone::Clone::clone(&self.#name)),
        );
        quote! {
            if #now != #then {
                changes.#name = #given;
            }
        }
    });
    quote! {
        #[allow(unused_mut, unused_variables)]
        fn changes_since(&self, before: &Self) -> Self::Changes {
            let mut changes = <Self::Changes as ::core::default::Default>::default();
            #(#each)*
            changes
        }
    }
}

/// The fields of a type, with their documentation.
fn given_type(krate: &Path, columns: &Columns<'_, '_>) -> TokenStream {
    let fields = columns.iter().map(|(column, how)| {
        let (name, vis, inner) = (column.ident, column.vis, column.inner());
        let ty = match how {
            How::Required => quote!(#inner),
            How::Optional => quote!(::core::option::Option<#inner>),
            How::Nullable => quote!(#krate::model::Field<#inner>),
        };
        let docs = &column.docs;
        let doc = docs.is_empty().then(|| {
            let doc = format!("The column `{}`.", column.column.value());
            quote!(#[doc = #doc])
        });
        quote!(#(#docs)* #doc #vis #name: #ty)
    });
    quote!(#(#fields,)*)
}

fn given(krate: &Path, ident: &Ident, columns: &Columns<'_, '_>) -> TokenStream {
    let each = columns.iter().map(|(column, how)| {
        let (name, member) = (&column.column, column.ident);
        let value = column.value(krate, &quote!(value));
        match how {
            How::Required => quote! {
                let value = self.#member;
                given.push((#name, #value));
            },
            How::Optional => quote! {
                if let ::core::option::Option::Some(value) = self.#member {
                    given.push((#name, #value));
                }
            },
            How::Nullable => quote! {
                match self.#member {
                    #krate::model::Field::Unset => {}
                    #krate::model::Field::Null => given.push((#name, #krate::Value::Null)),
                    #krate::model::Field::Value(value) => given.push((#name, #value)),
                }
            },
        }
    });
    quote! {
        #[automatically_derived]
        impl #krate::model::sealed::Derived for #ident {}

        #[automatically_derived]
        impl #krate::model::Given for #ident {
            #[allow(unused_mut)]
            fn given(self) -> ::std::vec::Vec<(&'static str, #krate::Value)> {
                let mut given = ::std::vec::Vec::new();
                #(#each)*
                given
            }
        }
    }
}

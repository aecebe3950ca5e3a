use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

/// A type that any error can become, to be kept as a source.
pub(crate) fn boxed_error() -> TokenStream {
    quote!(::std::boxed::Box<dyn ::std::error::Error + ::core::marker::Send + ::core::marker::Sync>)
}

/// The function that makes the error of a failed conversion, out of the way of the code
/// that reads rows.
pub(crate) fn conversion(krate: &Path) -> TokenStream {
    let boxed = boxed_error();
    quote! {
        #[cold]
        fn __not_converted<__T>(
            columns: &#krate::Columns,
            index: usize,
            error: #boxed,
        ) -> #krate::Error {
            let column = &columns.0[index];
            let message = ::std::format!(
                "Column {:?} (number {}, of type {}) cannot be converted to the Rust type {}: {}.",
                column.name,
                index + 1,
                column.type_name,
                ::core::any::type_name::<__T>(),
                ::std::string::ToString::to_string(&error).trim_end_matches('.'),
            );
            #krate::Error::new(#krate::Class::Data, message).with_source(error)
        }
    }
}

/// The check of the number of columns of a tuple struct: exactly `count`, or at least
/// that many where nested structs may have more.
pub(crate) fn count(krate: &Path, count: usize, nested: bool) -> TokenStream {
    if nested && count == 0 {
        return TokenStream::new();
    }
    let (wrong, least) = if nested {
        (quote!(<), "At least ")
    } else {
        (quote!(!=), "")
    };
    let noun = if count == 1 {
        "column was"
    } else {
        "columns were"
    };
    let message = format!("{least}{count} {noun} expected, but the result has {{}}: {{}}.");
    quote! {
        if columns.len() #wrong #count {
            let names: ::std::vec::Vec<&str> =
                columns.iter().map(|column| column.name.as_str()).collect();
            return ::core::result::Result::Err(#krate::Error::new(
                #krate::Class::Data,
                ::std::format!(#message, columns.len(), names.join(", ")),
            ));
        }
    }
}

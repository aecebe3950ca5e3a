use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

/// `"directory"`, and where `underpin` is, if not at `::underpin`.
pub(crate) struct Input {
    directory: LitStr,
    krate: syn::Path,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let directory: LitStr = input.parse()?;
        let mut krate = syn::parse_quote!(::underpin);
        if input.peek(Token![,]) && input.peek2(Token![crate]) {
            input.parse::<Token![,]>()?;
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = input.parse::<LitStr>()?.parse()?;
        }
        input.parse::<Option<Token![,]>>()?;
        Ok(Input { directory, krate })
    }
}

pub(crate) fn expand(input: &Input) -> syn::Result<TokenStream> {
    let Input { directory, krate } = input;
    let given = directory.value();
    let fail = |message: String| syn::Error::new(directory.span(), message);
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| fail("cargo does not report where the package is".to_owned()))?;
    let path = Path::new(&package).join(&given);
    let names = names(&path).map_err(|error| {
        fail(format!(
            "the directory `{given}` of the package cannot be read: {error}"
        ))
    })?;
    if names.is_empty() {
        return Err(fail(format!(
            "the directory `{given}` of the package contains no revisions (files `*.sql`)"
        )));
    }
    let mut files = Vec::with_capacity(names.len());
    for name in &names {
        let name = name.to_str();
        let full = name.and_then(|name| Some(path.join(name).to_str()?.to_owned()));
        let (Some(name), Some(full)) = (name, full) else {
            return Err(fail(format!("a path in `{given}` is not valid Unicode")));
        };
        let name = name.replace(std::path::MAIN_SEPARATOR, "/");
        let shown = format!("{}/{name}", given.trim_end_matches('/'));
        files.push(quote! {
            #krate::migrate::Embedded {
                name: #shown,
                text: ::core::include_str!(#full),
                path: if ::core::cfg!(debug_assertions) {
                    ::core::option::Option::Some(#full)
                } else {
                    ::core::option::Option::None
                },
            }
        });
    }
    Ok(quote!(&[#(#files),*]))
}

/// The paths of the revision files within the directory, in order, as reading the directory at run
/// time would have them.
fn names(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    collect(path, Path::new(""), &mut names)?;
    names.sort_unstable();
    Ok(names)
}

fn collect(path: &Path, within: &Path, names: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let below = within.join(&name);
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let sql = below
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
        if entry.path().is_dir() {
            collect(&entry.path(), &below, names)?;
        } else if sql {
            names.push(below);
        }
    }
    Ok(())
}

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

use crate::attribute::advice;
use crate::statements::{first_word, second_statement};

/// `"file"`, the name of the query where the file has several, and where `underpin` is, if not
/// at `::underpin`.
pub(crate) struct Input {
    file: LitStr,
    name: Option<LitStr>,
    krate: syn::Path,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let file: LitStr = input.parse()?;
        let mut name = None;
        if input.peek(Token![,]) && input.peek2(LitStr) {
            input.parse::<Token![,]>()?;
            name = Some(input.parse()?);
        }
        let mut krate = syn::parse_quote!(::underpin);
        if input.peek(Token![,]) && input.peek2(Token![crate]) {
            input.parse::<Token![,]>()?;
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = input.parse::<LitStr>()?.parse()?;
        }
        input.parse::<Option<Token![,]>>()?;
        Ok(Input { file, name, krate })
    }
}

/// One query of a file.
struct Part<'a> {
    name: &'a str,
    /// The line that its text begins at, counted from 1.
    line: usize,
    text: &'a str,
}

pub(crate) fn expand(input: &Input) -> syn::Result<TokenStream> {
    let Input { file, name, krate } = input;
    let given = file.value();
    let fail = |message: String| syn::Error::new(file.span(), message);
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| fail("cargo does not report where the package is".to_owned()))?;
    let path = Path::new(&package).join(&given);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        fail(format!(
            "the file `{given}` of the package cannot be read: {error}"
        ))
    })?;
    let full = path
        .to_str()
        .ok_or_else(|| fail(format!("the path of `{given}` is not valid Unicode")))?;
    let stem = Path::new(&given).file_stem().and_then(|stem| stem.to_str());
    let parts = parts(&text, stem.unwrap_or(&given));
    let part = choose(&parts, name.as_ref(), file)?;
    let (query, line) = (part.name, part.line);
    if first_word(part.text).is_none() {
        return Err(fail(format!(
            "the query `{query}` of `{given}` contains no statement"
        )));
    }
    if let Some(at) = second_statement(part.text) {
        let line = line + part.text[..at].matches('\n').count();
        return Err(fail(format!(
            "the query `{query}` of `{given}` contains a second statement, at line {line}; a query \
             is one statement: put a line `-- name: …` before each"
        )));
    }
    let line = u32::try_from(line).map_err(|_| fail(format!("`{given}` has too many lines")))?;
    let sql = part.text;
    Ok(quote! {{
        // So that a change of the file is seen.
        const _: &str = ::core::include_str!(#full);
        #krate::Query::from_file(#query, #sql, #given, #line)
    }})
}

/// The queries of a file: what follows each line `-- name: …`, or all of it under the file's
/// own name.
fn parts<'a>(text: &'a str, stem: &'a str) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    let mut at = 0;
    let mut begun = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let before = at;
        at += line.len();
        let Some(name) = line.trim().strip_prefix("-- name:") else {
            continue;
        };
        if let Some(last) = parts.last_mut() {
            last.text = &text[begun..before];
        }
        begun = at;
        parts.push(Part {
            name: name.trim(),
            line: number + 2,
            text: "",
        });
    }
    match parts.last_mut() {
        Some(last) => last.text = &text[begun..],
        None => parts.push(Part {
            name: stem,
            line: 1,
            text,
        }),
    }
    for part in &mut parts {
        // A text that begins with its first word has the places that the engine counts.
        let blank = part.text.len() - part.text.trim_start().len();
        let lines = part.text[..blank].rfind('\n').map_or(0, |end| end + 1);
        part.line += part.text[..lines].matches('\n').count();
        part.text = part.text[lines..].trim_end();
    }
    parts
}

fn choose<'p, 'a>(
    parts: &'p [Part<'a>],
    name: Option<&LitStr>,
    file: &LitStr,
) -> syn::Result<&'p Part<'a>> {
    let known: Vec<&str> = parts.iter().map(|part| part.name).collect();
    let given = file.value();
    let Some(name) = name else {
        return match parts {
            [part] => Ok(part),
            _ => Err(syn::Error::new(
                file.span(),
                format!(
                    "`{given}` contains several queries; name one of them: `query!({given:?}, \
                     {:?})`, or `{}`",
                    known[0],
                    known[1..].join("`, `")
                ),
            )),
        };
    };
    let wanted = name.value();
    let mut found = parts.iter().filter(|part| part.name == wanted);
    match (found.next(), found.next()) {
        (Some(part), None) => Ok(part),
        (Some(_), Some(second)) => Err(syn::Error::new(
            name.span(),
            format!(
                "`{given}` contains the name `{wanted}` twice, the second time at line {}",
                second.line.saturating_sub(1)
            ),
        )),
        (None, _) => Err(syn::Error::new(
            name.span(),
            format!(
                "`{given}` has no query `{wanted}`{}",
                advice(&wanted, &known)
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(input: &str) -> Result<String, String> {
        let input: Input = syn::parse_str(input).unwrap();
        match expand(&input) {
            Ok(tokens) => Ok(tokens.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_query_is_cut_from_its_file_with_its_line() {
        let second = expanded(r#""tests/queries/named.sql", "second""#).unwrap();
        let call = r#"from_file ("second" , "SELECT 2" , "tests/queries/named.sql" , 5u32)"#;
        assert!(second.contains(call), "{second}");
        let first = expanded(r#""tests/queries/named.sql", "first", crate = "own""#).unwrap();
        let call = r#"own :: Query :: from_file ("first" , "SELECT 1;" , "tests/queries/named.sql" , 3u32)"#;
        assert!(first.contains(call), "{first}");
    }

    #[test]
    fn a_file_that_is_not_one_query_is_explained() {
        for (input, message) in [
            (
                r#""tests/queries/two.sql""#,
                "the query `two` of `tests/queries/two.sql` contains a second statement, at line \
                 4; a \
                 query is one statement: put a line `-- name: …` before each",
            ),
            (
                r#""tests/queries/nothing.sql""#,
                "the query `nothing` of `tests/queries/nothing.sql` contains no statement",
            ),
            (
                r#""tests/queries/named.sql""#,
                "`tests/queries/named.sql` contains several queries; name one of them: \
                 `query!(\"tests/queries/named.sql\", \"first\")`, or `second`",
            ),
            (
                r#""tests/queries/named.sql", "frist""#,
                "`tests/queries/named.sql` has no query `frist`; did you mean `first`?",
            ),
            (
                r#""tests/queries/twice.sql", "one""#,
                "`tests/queries/twice.sql` contains the name `one` twice, the second time at line 3",
            ),
        ] {
            assert_eq!(expanded(input), Err(message.to_owned()));
        }
    }
}

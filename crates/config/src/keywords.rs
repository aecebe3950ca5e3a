use underpin_core::Result;

use crate::mistake;

/// Whether a text is libpq's other form of a connection string, `host=db1 dbname=shop`.
pub(crate) fn is_keywords(text: &str) -> bool {
    let letters = text
        .bytes()
        .take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    let length = letters.count();
    length > 0 && text[length..].trim_start().starts_with('=')
}

/// Reads that form: words of `KEY=VALUE`, values with spaces in single quotes, and a backslash
/// before a quote or a backslash.
pub(crate) fn read(text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let key = &rest[..end];
        let Some(after) = rest[end..].trim_start().strip_prefix('=') else {
            return Err(mistake::config("One of its words is not followed by `=`.")
                .with_hint("Parameters are written KEY=VALUE; a value with spaces is 'quoted'."));
        };
        let (value, after) = value(after.trim_start())?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The value that the text begins with, and what follows it.
fn value(text: &str) -> Result<(String, &str)> {
    let (quoted, text) = match text.strip_prefix('\'') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            _ if !quoted && character.is_whitespace() => return Ok((value, &text[at..])),
            _ => value.push(character),
        }
    }
    match quoted {
        true => Err(mistake::config("A quoted value in it is not closed.")
            .with_hint("Within a quoted value write ' as \\' and \\ as \\\\.")),
        false => Ok((value, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_as_libpq_does() {
        let cases: [(&str, &[(&str, &str)]); 5] = [
            ("host=h dbname = d", &[("host", "h"), ("dbname", "d")]),
            ("password='it''s'", &[("password", "it"), ("'s'", "")]),
            (
                r"password='it\'s \\ a' user=u",
                &[("password", r"it's \ a"), ("user", "u")],
            ),
            (r"password=a\ b", &[("password", "a b")]),
            ("host='' port=", &[("host", ""), ("port", "")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            match read(text) {
                Ok(pairs) => assert_eq!(pairs, expected, "{text}"),
                Err(_) => assert!(text.contains("''s"), "{text}"),
            }
        }
        assert!(read("host").is_err());
        assert!(read("password='x").is_err());
        assert!(is_keywords("host=h") && is_keywords("dbname = d:e"));
        assert!(!is_keywords("postgres://h?a=b") && !is_keywords("sqlite:a=b.db"));
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = is_keywords(&text);
            let _ = read(&text);
        }
    }
}

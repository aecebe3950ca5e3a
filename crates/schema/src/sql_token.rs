//! SQL as a server rendered it, in tokens: what names it mentions, and the same text with other
//! names in it. Nothing more is understood of it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word without quotes: a name, a keyword.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    /// A number.
    Number,
    /// A sign; `::` is one.
    Sign,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) place: Range<usize>,
}

impl Token {
    /// As it stands.
    pub(crate) fn text<'t>(&self, of: &'t str) -> &'t str {
        &of[self.place.clone()]
    }

    /// The name, as the catalog has it; none where it is no name.
    pub(crate) fn name<'t>(&self, of: &'t str) -> Option<Cow<'t, str>> {
        let text = self.text(of);
        match self.kind {
            Kind::Word => Some(text.into()),
            Kind::Quoted => {
                let inside = text.strip_prefix('"')?;
                let inside = inside.strip_suffix('"').unwrap_or(inside);
                Some(inside.replace("\"\"", "\"").into())
            }
            _ => None,
        }
    }
}

/// The tokens of a text. What is not understood is a sign.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let kind = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'"' => {
                at = closed(bytes, at, b'"', false);
                Kind::Quoted
            }
            b'\'' => {
                at = closed(bytes, at, b'\'', false);
                Kind::Text
            }
            b'E' | b'e' if bytes.get(at + 1) == Some(&b'\'') => {
                at = closed(bytes, at + 1, b'\'', true);
                Kind::Text
            }
            byte if is_word(byte) && !byte.is_ascii_digit() => {
                while at < bytes.len() && (is_word(bytes[at]) || bytes[at] == b'$') {
                    at += 1;
                }
                Kind::Word
            }
            byte if byte.is_ascii_digit() => {
                while at < bytes.len() && (is_word(bytes[at]) || bytes[at] == b'.') {
                    at += 1;
                }
                Kind::Number
            }
            b':' if bytes.get(at + 1) == Some(&b':') => {
                at += 2;
                Kind::Sign
            }
            _ => {
                at += 1;
                Kind::Sign
            }
        };
        let place = start..at;
        tokens.push(Token { kind, place });
    }
    tokens
}

/// Letters of any script count as words.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Behind the quote that closes the one at `start`, or the end.
fn closed(bytes: &[u8], start: usize, quote: u8, escapes: bool) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What a text mentions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mentions {
    /// Every name and every word.
    pub(crate) names: BTreeSet<String>,
    /// Every pair with a dot between, and what a text in quotes says of the kind:
    /// `'public.a_seq'::regclass`.
    pub(crate) qualified: BTreeSet<(String, String)>,
    /// Whether it has a whole row: `t.*`.
    pub(crate) whole_row: bool,
}

impl Mentions {
    /// Those of a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut mentions = Mentions::default();
        mentions.add(text, true);
        mentions
    }

    fn add(&mut self, text: &str, within_quotes: bool) {
        let tokens = tokens(text);
        for (at, token) in tokens.iter().enumerate() {
            if token.kind == Kind::Text && within_quotes {
                let inside = token.text(text).trim_matches('\'').replace("''", "'");
                if inside.contains('.') {
                    self.add(&inside, false);
                }
            }
            let Some(name) = token.name(text) else {
                continue;
            };
            let sign = |at: usize, is: &str| {
                let token = tokens.get(at);
                token.is_some_and(|token| token.kind == Kind::Sign && token.text(text) == is)
            };
            if sign(at + 1, ".") {
                self.whole_row |= sign(at + 2, "*");
                if let Some(second) = tokens.get(at + 2).and_then(|token| token.name(text)) {
                    self.qualified
                        .insert((name.to_string(), second.into_owned()));
                }
            }
            self.names.insert(name.into_owned());
        }
    }
}

/// The text with names replaced where `with` gives another: it gets the name before a dot
/// where there is one, and the name.
pub(crate) fn replaced(
    text: &str,
    with: &dyn Fn(Option<&str>, &str) -> Option<String>,
    spelled: &dyn Fn(&str) -> String,
) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut end, mut before): (usize, Option<String>) = (0, None);
    let tokens = tokens(text);
    for (at, token) in tokens.iter().enumerate() {
        out.push_str(&text[end..token.place.start]);
        end = token.place.end;
        let name = token.name(text);
        let dotted = at > 0 && tokens[at - 1].text(text) == ".";
        let qualifier = before.as_deref().filter(|_| dotted);
        let other = name.as_ref().and_then(|name| with(qualifier, name));
        match &other {
            Some(other) => out.push_str(&spelled(other)),
            None => out.push_str(token.text(text)),
        }
        if let Some(name) = name {
            before = Some(name.into_owned());
        }
    }
    out.push_str(&text[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_texts_are_not() {
        let text =
            "SELECT u.\"Odd \"\"one\" FROM public.users u WHERE u.a <> 'b c' AND f(u.*) > 1.5e3";
        let mentions = Mentions::of(text);
        for name in ["u", "Odd \"one", "public", "users", "a", "f"] {
            assert!(mentions.names.contains(name), "{name}");
        }
        assert!(!mentions.names.contains("b") && !mentions.names.contains("e3"));
        let pair = ("public".to_owned(), "users".to_owned());
        assert!(mentions.qualified.contains(&pair) && mentions.whole_row);
        let sequence = Mentions::of("nextval('shop.\"A b\"'::regclass)");
        let pair = ("shop".to_owned(), "A b".to_owned());
        assert!(sequence.qualified.contains(&pair));
    }

    #[test]
    fn a_quote_within_an_escape_string_does_not_close_it() {
        let mentions = Mentions::of("E'it\\'s a' || b || 'c''d'");
        assert_eq!(mentions.names, ["b".to_owned()].into());
    }

    #[test]
    fn only_names_are_replaced() {
        let with = |_: Option<&str>, name: &str| (name == "a").then(|| "b c".to_owned());
        let spelled = |name: &str| format!("\"{name}\"");
        let text = replaced("f(a, 'a', x.a) >  \"a\"", &with, &spelled);
        assert_eq!(text, "f(\"b c\", 'a', x.\"b c\") >  \"b c\"");
    }
}

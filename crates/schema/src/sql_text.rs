//! The little that is read out of SQL which a server rendered: where quotes and parentheses
//! begin and end. Such text has no comments.

use std::borrow::Cow;
use std::ops::Range;

use underpin_sql::{Kind, Lexer, POSTGRES};

/// Each byte that is outside quotes, with its place and how many parentheses are open
/// before it.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, u8, usize)> {
    let mut depth = 0usize;
    Lexer::new(text, &POSTGRES.lexis)
        .filter(|token| !matches!(token.kind, Kind::Text | Kind::Name))
        .flat_map(|token| (token.start..).zip(token.text.bytes()))
        .map(move |(place, byte)| {
            let before = depth;
            match byte {
                b'(' | b'[' => depth += 1,
                b')' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            (place, byte, before)
        })
}

/// The first group in parentheses, they themselves included. None where there is none, or
/// where it is not closed.
pub(crate) fn first_group(text: &str) -> Option<Range<usize>> {
    let mut start = None;
    for (place, byte, depth) in outside_quotes(text) {
        match (byte, depth) {
            (b'(', 0) if start.is_none() => start = Some(place),
            (b')', 1) => return Some(start?..place + 1),
            _ => {}
        }
    }
    None
}

/// The parts between separators that are in no quotes and no parentheses, as they stand.
pub(crate) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (place, byte, depth) in outside_quotes(text) {
        if depth == 0 && char::from(byte) == separator {
            parts.push(&text[start..place]);
            start = place + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The place where a word of ASCII stands outside quotes and parentheses.
pub(crate) fn find(text: &str, word: &str) -> Option<usize> {
    outside_quotes(text)
        .filter(|(_, _, depth)| *depth == 0)
        .map(|(place, _, _)| place)
        .find(|place| text.as_bytes()[*place..].starts_with(word.as_bytes()))
}

/// The text without the pairs of parentheses that are around all of it.
pub(crate) fn unwrapped(mut text: &str) -> &str {
    while first_group(text).is_some_and(|group| group == (0..text.len())) {
        text = text[1..text.len() - 1].trim();
    }
    text
}

/// An identifier, perhaps in quotes, as the catalog has it.
pub(crate) fn identifier(text: &str) -> Option<String> {
    let text = text.trim();
    let name: Cow<'_, str> = match text.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?.replace("\"\"", "\"").into(),
        None => text.into(),
    };
    (!name.is_empty()).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_parentheses_hide_what_is_in_them() {
        assert_eq!(split("a, f(b, c), 'd,''e', \"f,\"", ',').len(), 4);
        assert_eq!(
            first_group("f('(', x) y").map(|g| (g.start, g.end)),
            Some((1, 9))
        );
        assert_eq!(first_group("f('('"), None);
        assert_eq!(split("E'a\\', b', c", ',').len(), 2);
        assert_eq!(find("\"x USING\" USING (a USING)", "USING"), Some(10));
    }

    #[test]
    fn only_a_pair_around_everything_is_taken_off() {
        assert_eq!(unwrapped("(a > 0)"), "a > 0");
        assert_eq!(unwrapped("((a > 0))"), "a > 0");
        assert_eq!(unwrapped("(a) + (b)"), "(a) + (b)");
        assert_eq!(unwrapped("f(a)"), "f(a)");
        assert_eq!(unwrapped("('(' = a)"), "'(' = a");
    }
}

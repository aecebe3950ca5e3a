use crate::decode::{self, take_u32};
use crate::kind::{Base, Kind};
use crate::texts::Texts;

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// A range as PostgreSQL prints it, `[1,5)`.
pub(crate) fn text(bound: Base, bytes: &[u8]) -> Option<String> {
    let (&flags, mut rest) = bytes.split_first()?;
    if flags & EMPTY != 0 {
        return Some("empty".to_owned());
    }
    let mut text = String::new();
    text.push(if flags & LOWER_INCLUSIVE != 0 {
        '['
    } else {
        '('
    });
    if flags & LOWER_INFINITE == 0 {
        push_bound(&mut text, bound, &mut rest)?;
    }
    text.push(',');
    if flags & UPPER_INFINITE == 0 {
        push_bound(&mut text, bound, &mut rest)?;
    }
    text.push(if flags & UPPER_INCLUSIVE != 0 {
        ']'
    } else {
        ')'
    });
    rest.is_empty().then_some(text)
}

/// A multirange as PostgreSQL prints it, `{[1,5),[7,9)}`.
pub(crate) fn multirange(bound: Base, bytes: &[u8]) -> Option<String> {
    let mut rest = bytes;
    let count = take_u32(&mut rest)?;
    let mut ranges = String::from("{");
    for number in 0..count {
        if number > 0 {
            ranges.push(',');
        }
        ranges.push_str(&text(bound, take(&mut rest)?)?);
    }
    ranges.push('}');
    rest.is_empty().then_some(ranges)
}

fn take<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = take_u32(rest)?;
    let (bytes, after) = rest.split_at_checked(length as usize)?;
    *rest = after;
    Some(bytes)
}

fn push_bound(text: &mut String, bound: Base, rest: &mut &[u8]) -> Option<()> {
    let texts = Texts::default();
    let value = decode::value(Kind::One(bound), take(rest)?, &texts)?
        .to_owned()
        .ok()?;
    let value = value.to_text()?;
    let special =
        |c: char| matches!(c, '"' | '\\' | '(' | ')' | '[' | ']' | ',') || c.is_whitespace();
    if !value.is_empty() && !value.contains(special) {
        text.push_str(&value);
        return Some(());
    }
    text.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            text.push(c);
        }
        text.push(c);
    }
    text.push('"');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i32) -> Vec<u8> {
        [&4u32.to_be_bytes()[..], &value.to_be_bytes()].concat()
    }

    #[test]
    fn as_the_server_prints_them() {
        let range = |flags: u8, bounds: &[Vec<u8>]| [&[flags][..], &bounds.concat()].concat();
        for (bytes, expected) in [
            (range(EMPTY, &[]), "empty"),
            (range(LOWER_INCLUSIVE, &[int(1), int(5)]), "[1,5)"),
            (range(LOWER_INFINITE | UPPER_INCLUSIVE, &[int(-5)]), "(,-5]"),
            (range(LOWER_INFINITE | UPPER_INFINITE, &[]), "(,)"),
        ] {
            assert_eq!(text(Base::I32, &bytes).as_deref(), Some(expected));
            for length in 0..bytes.len() {
                let cut = text(Base::I32, &bytes[..length]);
                assert!(cut.is_none() || bytes[0] & EMPTY != 0);
            }
        }
        let word = [&5u32.to_be_bytes()[..], b"a \"\\b"].concat();
        let words = range(LOWER_INCLUSIVE | UPPER_INFINITE, &[word]);
        assert_eq!(text(Base::Text, &words).as_deref(), Some(r#"["a ""\\b",)"#));

        let inner = range(LOWER_INCLUSIVE, &[int(1), int(5)]);
        let length = (inner.len() as u32).to_be_bytes();
        let two = [&2u32.to_be_bytes()[..], &length, &inner, &length, &inner].concat();
        assert_eq!(
            multirange(Base::I32, &two).as_deref(),
            Some("{[1,5),[1,5)}")
        );
        assert_eq!(multirange(Base::I32, &two[..9]), None);
    }
}

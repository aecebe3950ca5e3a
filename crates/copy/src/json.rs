//! The content of JSON: what an engine keeps that reads it.

use std::collections::BTreeMap;
use std::fmt::Write;

use underpin_core::value::Numeric;

/// The deepest nesting that is read.
const DEEPEST: usize = 512;

/// The text with sorted keys, of keys that are there twice the last one, without white space, with
/// numbers and texts in one form. What is not JSON stays as it is.
pub(crate) fn content(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut reader = Reader { text, at: 0 };
    let whole = reader.value(&mut out, 0).is_some() && reader.next().is_none();
    match whole {
        true => out,
        false => text.to_owned(),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    /// The next byte that is not white space.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, out: &mut String, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self.next()? {
            b'{' => self.object(out, depth),
            b'[' => self.array(out, depth),
            b'"' => {
                let text = self.string()?;
                quoted(&text, out);
                Some(())
            }
            b'-' | b'0'..=b'9' => self.number(out),
            _ => {
                let words = ["true", "false", "null"];
                let word = words
                    .iter()
                    .find(|word| self.text[self.at..].starts_with(**word))?;
                self.at += word.len();
                out.push_str(word);
                Some(())
            }
        }
    }

    fn object(&mut self, out: &mut String, depth: usize) -> Option<()> {
        self.eat(b'{')?;
        let mut members = BTreeMap::new();
        if self.next()? != b'}' {
            loop {
                self.next().filter(|byte| *byte == b'"')?;
                let key = self.string()?;
                self.eat(b':')?;
                let mut value = String::new();
                self.value(&mut value, depth + 1)?;
                members.insert(key, value);
                if self.eat(b',').is_none() {
                    break;
                }
            }
        }
        self.eat(b'}')?;
        out.push('{');
        for (at, (key, value)) in members.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            quoted(key, out);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Some(())
    }

    fn array(&mut self, out: &mut String, depth: usize) -> Option<()> {
        self.eat(b'[')?;
        out.push('[');
        if self.next()? != b']' {
            loop {
                self.value(out, depth + 1)?;
                if self.eat(b',').is_none() {
                    break;
                }
                out.push(',');
            }
        }
        self.eat(b']')?;
        out.push(']');
        Some(())
    }

    fn number(&mut self, out: &mut String) -> Option<()> {
        let rest = &self.text[self.at..];
        let digit =
            |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let end = rest
            .bytes()
            .position(|byte| !digit(byte))
            .unwrap_or(rest.len());
        let number: Numeric = rest[..end].parse().ok()?;
        self.at += end;
        let text = number.as_str();
        let short = match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.'),
            false => text,
        };
        out.push_str(if short == "-0" { "0" } else { short });
        Some(())
    }

    /// The text of a string, its escapes resolved.
    fn string(&mut self) -> Option<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let end = rest.find(['"', '\\'])?;
            text.push_str(&rest[..end]);
            self.at += end + 1;
            if rest.as_bytes()[end] == b'"' {
                return Some(text);
            }
            let escape = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            text.push(match escape {
                b'"' => '"',
                b'\\' => '\\',
                b'/' => '/',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.character()?,
                _ => return None,
            });
        }
    }

    /// The character of `\uXXXX`, or of two of these.
    fn character(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first);
        }
        let pair = self.text.as_bytes().get(self.at..self.at + 2)?;
        if pair != b"\\u" {
            return None;
        }
        self.at += 2;
        let second = self.hex()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + second)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_in_one_form() {
        for (text, expected) in [
            (
                " { \"b\" : [ 1.50 , 2e2 ] , \"a\" : null }",
                "{\"a\":null,\"b\":[1.5,200]}",
            ),
            ("{\"a\":1,\"a\":2}", "{\"a\":2}"),
            ("\"\\u00e9\\ud83d\\ude00\\n\"", "\"é😀\\u000a\""),
            ("-0.0", "0"),
            ("[]", "[]"),
            ("{}", "{}"),
            ("true", "true"),
        ] {
            assert_eq!(content(text), expected, "{text}");
            assert_eq!(content(expected), expected);
        }
    }

    #[test]
    fn what_is_not_json_stays() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "\"\\x\"",
            "1 2",
            "tru",
            "\"\\ud83d\"",
        ] {
            assert_eq!(content(text), text);
        }
        let deep = "[".repeat(100_000);
        assert_eq!(content(&deep), deep);
    }
}

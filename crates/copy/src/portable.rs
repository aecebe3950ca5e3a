//! Conditions that every engine understands.

use std::collections::BTreeMap;

use underpin_core::quote;
use underpin_sql::{Kind as TokenKind, Lexer, POSTGRES, Token};

use crate::kind::Kind;

/// The words of a condition, beside columns.
const WORDS: [&str; 7] = ["AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL"];
const FUNCTIONS: [&str; 5] = ["length", "abs", "coalesce", "lower", "upper"];
const SIGNS: [&str; 13] = [
    "=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", ",", "%",
];

/// The types of a cast that changes nothing, word by word.
const CASTS: [&str; 14] = [
    "numeric",
    "text",
    "character",
    "varying",
    "integer",
    "bigint",
    "smallint",
    "double",
    "precision",
    "real",
    "bpchar",
    "int",
    "int4",
    "int8",
];

/// A text as a constant.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The condition in words that every engine knows, where it needs no others: comparisons of numbers
/// with numbers or of texts with texts. Names are in quotes.
pub(crate) fn condition(sql: &str, kinds: &BTreeMap<String, Kind>) -> Option<String> {
    let tokens: Vec<Token<'_>> = Lexer::new(sql, &POSTGRES.lexis).solid().collect();
    let mut out: Vec<String> = Vec::new();
    let (mut numbers, mut texts, mut length, mut constants) = (false, false, false, (false, false));
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let next = tokens.get(at);
        let calls = next.is_some_and(|next| next.kind == TokenKind::Open);
        match token.kind {
            TokenKind::Word if calls && FUNCTIONS.iter().any(|name| token.is(name)) => {
                length |= token.is("length");
                out.push(token.text.to_ascii_lowercase());
            }
            TokenKind::Word if WORDS.iter().any(|word| token.is(word)) => {
                // SQLite's IS also compares values.
                let null = next.is_some_and(|next| next.is("null") || next.is("not"));
                if token.is("is") && !null {
                    return None;
                }
                out.push(token.text.to_ascii_uppercase());
            }
            TokenKind::Word | TokenKind::Name => {
                let name = column(token, kinds)?;
                match &kinds[&name] {
                    Kind::I16
                    | Kind::I32
                    | Kind::I64
                    | Kind::F32
                    | Kind::F64
                    | Kind::Numeric(_) => {
                        numbers = true;
                    }
                    Kind::Text(_) => texts = true,
                    _ => return None,
                }
                out.push(quote::identifier(&name).ok()?);
            }
            TokenKind::Number => {
                constants.0 = true;
                out.push(token.text.to_owned());
            }
            TokenKind::Text if token.text.starts_with('\'') => {
                constants.1 = true;
                out.push(token.text.to_owned());
            }
            TokenKind::Open | TokenKind::Close => out.push(token.text.to_owned()),
            TokenKind::Sign if token.text == "::" => at = after_cast(&tokens, at)?,
            TokenKind::Sign => {
                // `<=` may be two tokens.
                let mut sign = token.text.to_owned();
                let end = token.end();
                if let Some(more) = next.filter(|next| next.kind == TokenKind::Sign)
                    && more.start == end
                    && SIGNS.contains(&format!("{sign}{}", more.text).as_str())
                {
                    sign.push_str(more.text);
                    at += 1;
                }
                SIGNS.contains(&sign.as_str()).then_some(())?;
                out.push(sign);
            }
            _ => return None,
        }
    }
    let (numbers_alone, texts_alone) = (numbers && !texts, texts && !length);
    let mixed =
        numbers && texts_alone || numbers_alone && constants.1 || texts_alone && constants.0;
    // Without a column it is about nothing that both engines know.
    match mixed || !(numbers || texts) {
        true => None,
        false => Some(spaced(&out)),
    }
}

/// The column that a token names.
fn column(token: &Token<'_>, kinds: &BTreeMap<String, Kind>) -> Option<String> {
    let name = match token.kind {
        TokenKind::Name => {
            let inner = token.text.get(1..token.text.len() - 1)?;
            inner.replace("\"\"", "\"")
        }
        _ => token.text.to_owned(),
    };
    let mut names = kinds.keys();
    let found = names.find(|known| **known == name).or_else(|| {
        let mut names = kinds.keys();
        let plain = token.kind == TokenKind::Word;
        names.find(|known| plain && known.eq_ignore_ascii_case(&name))
    });
    found.cloned()
}

/// Where the type of a cast ends.
fn after_cast(tokens: &[Token<'_>], mut at: usize) -> Option<usize> {
    let start = at;
    while tokens
        .get(at)
        .is_some_and(|token| CASTS.iter().any(|name| token.is(name)))
    {
        at += 1;
    }
    if at == start {
        return None;
    }
    if tokens
        .get(at)
        .is_some_and(|token| token.kind == TokenKind::Open)
    {
        while tokens.get(at)?.kind != TokenKind::Close {
            at += 1;
        }
        at += 1;
    }
    Some(at)
}

/// The words with blanks between them, as a person would write them.
fn spaced(words: &[String]) -> String {
    let mut sql = String::new();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| words[before].as_str());
        let tight = match (before, word.as_str()) {
            (None | Some("("), _) | (_, ")" | ",") => true,
            (Some(before), "(") => FUNCTIONS.contains(&before),
            _ => false,
        };
        if !tight {
            sql.push(' ');
        }
        sql.push_str(word);
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_all_engines_know_are_kept() {
        let kinds: BTreeMap<String, Kind> = [
            ("price", Kind::F64),
            ("n", Kind::I64),
            ("name", Kind::TEXT),
            ("done", Kind::Bool),
            ("odd name", Kind::I32),
        ]
        .map(|(name, kind)| (name.to_owned(), kind))
        .into();
        for (sql, expected) in [
            ("price > (0)::numeric", Some("\"price\" > (0)")),
            (
                "(n >= 0) AND (n <= price)",
                Some("(\"n\" >= 0) AND (\"n\" <= \"price\")"),
            ),
            ("length(name) <= 20", Some("length(\"name\") <= 20")),
            (
                "length((name)::text) <= 20",
                Some("length((\"name\")) <= 20"),
            ),
            ("name IN ('a', 'it''s')", Some("\"name\" IN ('a', 'it''s')")),
            ("(name)::text <> ''::text", Some("(\"name\") <> ''")),
            ("N IS NOT NULL", Some("\"n\" IS NOT NULL")),
            (
                "\"odd name\" BETWEEN 1 AND 5",
                Some("\"odd name\" BETWEEN 1 AND 5"),
            ),
            ("abs(price) < 99.5", Some("abs(\"price\") < 99.5")),
            ("n IS strftime('%s')", None),
            ("n IS 5", None),
            ("done IN (0, 1)", None),
            ("name > 5", None),
            ("n = 'a'", None),
            ("round(price, 2) > 0", None),
            ("name ~ 'a'::text", None),
            ("name = ANY (ARRAY['a'::text])", None),
            ("other > 1", None),
            ("1 = 1", None),
            ("price > (0)::money", None),
        ] {
            assert_eq!(condition(sql, &kinds).as_deref(), expected, "{sql}");
        }
    }
}

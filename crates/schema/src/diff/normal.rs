//! When two types or two expressions are the same, however they are written.

use std::borrow::Cow;

use underpin_sql::{Kind, Token};

use crate::sql_token::tokens;
use crate::{Expression, Type, sql_text};

/// Other names of PostgreSQL's types. `int` is not among them, since on SQLite a key that is
/// an INTEGER is the row's number, and one that is an INT is not.
const ALIASES: [(&str, &str); 16] = [
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("bool", "boolean"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("decimal", "numeric"),
    ("varchar", "character varying"),
    ("char", "character"),
    ("bpchar", "character"),
    ("varbit", "bit varying"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("double", "double precision"),
];

/// Whether two types are the same.
pub(super) fn same_type(left: &Type, right: &Type) -> bool {
    left == right || normal_type(left) == normal_type(right)
}

/// The type as PostgreSQL spells it.
pub(crate) fn normal_type(of: &Type) -> Type {
    let mut normal = of.clone();
    if normal.namespace.as_deref() == Some("pg_catalog") {
        normal.namespace = None;
    }
    if normal.namespace.is_some() {
        return normal;
    }
    if !normal.name.starts_with('"') {
        normal.name = normal.name.to_ascii_lowercase();
    }
    let bare = normal.name == "bpchar" && normal.parameters.is_empty();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == normal.name);
    if let Some((_, name)) = alias.filter(|_| !bare) {
        normal.name = (*name).to_owned();
    }
    match (normal.name.as_str(), &mut normal.parameters) {
        ("character" | "bit", parameters) if parameters.is_empty() => {
            parameters.push("1".to_owned());
        }
        ("numeric", parameters) if parameters.len() == 1 => parameters.push("0".to_owned()),
        _ => {}
    }
    normal
}

/// Whether two expressions are the same, or both are missing.
pub(super) fn same_expressions(left: &Option<Expression>, right: &Option<Expression>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same_expression(left, right),
        (None, None) => true,
        _ => false,
    }
}

/// Whether two expressions are the same. Where one has no cast at all, those that the other
/// one has are taken as added by the server.
pub(super) fn same_expression(left: &Expression, right: &Expression) -> bool {
    if left == right {
        return true;
    }
    let [left, right] =
        [left, right].map(|of| direct(distributed(words(sql_text::unwrapped(of.as_str().trim())))));
    let casts = |words: &[Cow<'_, str>]| words.iter().any(|word| word == "::");
    if left == right {
        return true;
    }
    casts(&left) != casts(&right) && without_casts(left) == without_casts(right)
}

/// The tokens, keywords and plain names in lower case, and one name for the present.
fn words(text: &str) -> Vec<Cow<'_, str>> {
    let tokens = tokens(text);
    let mut words: Vec<Cow<'_, str>> = Vec::with_capacity(tokens.len());
    for token in &tokens {
        match spelled(token) {
            word if word == "current_timestamp" => {
                words.extend(["now".into(), "(".into(), ")".into()]);
            }
            word => words.push(word),
        }
    }
    words
}

fn spelled<'t>(token: &Token<'t>) -> Cow<'t, str> {
    let word = token.text;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match token.kind {
        Kind::Word => word.to_ascii_lowercase().into(),
        // A name in quotes that needs none is the same without them.
        Kind::Name if word.len() > 2 && word[1..word.len() - 1].chars().all(plain) => {
            word[1..word.len() - 1].into()
        }
        _ => word.into(),
    }
}

/// With the cast of an array in each element: the server writes the one, and reads it as the
/// other, so that it does not write the same when it has read what it wrote.
fn distributed(words: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    let starts = |at: usize| {
        ["(", "array", "["]
            .iter()
            .zip(&words[at..])
            .all(|(l, r)| l == r)
    };
    let Some(start) = (0..words.len().saturating_sub(3)).find(|at| starts(*at)) else {
        return words;
    };
    let (mut depth, mut commas, mut end) = (0usize, Vec::new(), None);
    for (at, word) in words.iter().enumerate().skip(start + 3) {
        match &**word {
            "(" | "[" => depth += 1,
            "]" if depth == 0 => {
                end = Some(at);
                break;
            }
            ")" | "]" => depth -= 1,
            "," if depth == 0 => commas.push(at),
            _ => {}
        }
    }
    let close = end.filter(|end| words.get(end + 1..end + 3) == Some(&[")".into(), "::".into()]));
    let of = close.and_then(|end| {
        let rest = &words[end + 3..];
        let brackets = rest.windows(2).position(|two| two == ["[", "]"])?;
        Some((end, end + 3..end + 3 + brackets))
    });
    let Some((end, of)) = of else {
        return words;
    };
    let mut out: Vec<Cow<'_, str>> = words[..start].to_vec();
    out.extend(["array".into(), "[".into()]);
    let mut from = start + 3;
    for to in commas.into_iter().chain([end]) {
        if from > start + 3 {
            out.push(",".into());
        }
        out.push("(".into());
        out.extend_from_slice(&words[from..to]);
        out.extend([")".into(), "::".into()]);
        out.extend_from_slice(&words[of.clone()]);
        from = to + 1;
    }
    out.push("]".into());
    out.extend_from_slice(&words[of.end + 2..]);
    distributed(out)
}

/// With a text's cast to varchar left out where it is cast on to text, which changes nothing: the
/// server writes it for `IN`, and not for `= ANY`.
fn direct(mut words: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    const BEHIND: [&str; 6] = ["::", "character", "varying", ")", "::", "text"];
    let mut at = 0;
    while at + 1 + BEHIND.len() < words.len() {
        let behind = &words[at + 2..at + 2 + BEHIND.len()];
        if words[at] == "(" && words[at + 1].starts_with('\'') && behind == BEHIND {
            words.drain(at + 2..at + 6);
            words.remove(at);
        }
        at += 1;
    }
    words
}

/// Without casts and the parentheses that they need: around one word.
fn without_casts(words: Vec<Cow<'_, str>>) -> Vec<Cow<'_, str>> {
    let mut out: Vec<Cow<'_, str>> = Vec::with_capacity(words.len());
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if word != "::" {
            out.push(word);
            close(&mut out);
            continue;
        }
        let numeric = skip_type(&mut words);
        if let Some(last) = out.last_mut().filter(|_| numeric) {
            let number = last.trim_matches('\'');
            if number.parse::<f64>().is_ok() {
                let (sign, digits) = match number.strip_prefix('-') {
                    Some(digits) => (Some("-"), digits.to_owned()),
                    None => (None, number.to_owned()),
                };
                out.pop();
                out.extend(sign.map(Cow::from));
                out.push(digits.into());
            }
        }
    }
    out
}

/// Takes away a pair of parentheses around one word that no function name stands before.
fn close(out: &mut Vec<Cow<'_, str>>) {
    let [.., open, _, end] = &out[..] else {
        return;
    };
    let before = out.len().checked_sub(4).map(|at| out[at].clone());
    let call = before.is_some_and(|word| {
        word.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"')
            && !["and", "or", "not", "is", "in"].contains(&&*word)
    });
    if open == "(" && end == ")" && !call {
        out.pop();
        let word = out.pop();
        out.pop();
        out.extend(word);
    }
}

/// Takes away the type behind a cast, and says whether it is one of numbers.
fn skip_type<'t>(words: &mut std::iter::Peekable<impl Iterator<Item = Cow<'t, str>>>) -> bool {
    const MORE: [&str; 8] = [
        "varying",
        "precision",
        "with",
        "without",
        "time",
        "zone",
        "day",
        "to",
    ];
    let first = words.next().unwrap_or_default();
    let numeric = ["integer", "bigint", "smallint", "numeric", "double", "real"];
    let numeric = numeric.contains(&&*first);
    while let Some(next) = words.peek() {
        match &**next {
            "." => {
                words.next();
                words.next();
            }
            "(" | "[" => while words.next().is_some_and(|word| word != ")" && word != "]") {},
            word if MORE.contains(&word) => drop(words.next()),
            _ => break,
        }
    }
    numeric
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        same_expression(&left.into(), &right.into())
    }

    #[test]
    fn what_a_server_renders_is_what_was_written() {
        for (written, rendered) in [
            ("'x'", "'x'::text"),
            ("-1", "'-1'::integer"),
            ("now()", "CURRENT_TIMESTAMP"),
            ("CURRENT_TIMESTAMP", "now()"),
            ("(price > 0)", "price > 0"),
            ("price >= 0", "price >= (0)::numeric"),
            ("email <> ''", "(email)::text <> ''::text"),
            ("length(email) > 3", "length((email)::text) > 3"),
            ("\"email\" IS NOT NULL", "email is not null"),
            ("'x'", "'x'::character varying(20)"),
            ("'2020-01-01'", "'2020-01-01'::timestamp(3) with time zone"),
            ("'sad'", "'sad'::public.mood"),
        ] {
            assert!(same(written, rendered), "{written} and {rendered}");
            assert!(same(rendered, written), "{rendered} and {written}");
        }
    }

    #[test]
    fn the_cast_of_an_array_is_that_of_its_elements() {
        assert!(same(
            "(a)::text = ANY ((ARRAY['x'::character varying, 'y,'::character varying])::text[])",
            "(a)::text = ANY (ARRAY[('x'::character varying)::text, ('y,'::character varying)::text])",
        ));
        assert!(!same("(ARRAY[1, 2])::text[]", "(ARRAY[1, 2])::bigint[]"));
    }

    #[test]
    fn a_text_that_is_cast_by_way_of_varchar_is_a_text() {
        assert!(same(
            "(a)::text = ANY (ARRAY[('x'::character varying)::text, ('y'::character varying)::text])",
            "(a)::text = ANY (ARRAY['x'::text, 'y'::text])",
        ));
        assert!(!same("('x'::character varying(1))::text", "'x'::text"));
    }

    #[test]
    fn what_differs_is_not_the_same() {
        for (left, right) in [
            ("'x'", "'X'"),
            ("a > 0", "a > 1"),
            ("'1'::integer", "'1'::bigint"),
            ("f(a)", "a"),
            ("\"A\"", "a"),
            ("a - (b - c)", "a - b - c"),
            ("1", "'1'"),
        ] {
            assert!(!same(left, right), "{left} and {right}");
        }
    }

    #[test]
    fn aliases_are_one_type() {
        for (left, right) in [
            ("int4", "integer"),
            ("varchar(20)", "character varying(20)"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("numeric(10)", "numeric(10,0)"),
            ("char", "character(1)"),
            ("INT8[]", "bigint[]"),
        ] {
            let [left, right] = [left, right].map(|text| Type::parse(text).unwrap());
            assert!(same_type(&left, &right), "{left} and {right}");
        }
        let [left, right] = ["INT", "INTEGER"].map(|text| Type::parse(text).unwrap());
        assert!(!same_type(&left, &right));
        let [left, right] = ["\"char\"", "character"].map(|text| Type::parse(text).unwrap());
        assert!(!same_type(&left, &right));
    }
}

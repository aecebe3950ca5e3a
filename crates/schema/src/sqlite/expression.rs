//! The normal form of expressions. SQLite keeps them as they were written; two that differ in
//! spaces, comments, the case of keywords or needless quotes are the same.

use std::borrow::Cow;

use super::keyword::{self, Role};
use super::token::{Kind, Token, Tokens};
use crate::Expression;

/// The table that an expression is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) table: &'a str,
    pub(super) columns: &'a [String],
}

impl<'a> Scope<'a> {
    /// The column of this name, as it was first written.
    pub(super) fn column(&self, name: &str) -> Option<&'a String> {
        let mut columns = self.columns.iter();
        columns.find(|column| column.eq_ignore_ascii_case(name))
    }

    /// The name of a column as it was first written, or as it is where there is no such column.
    pub(super) fn named(&self, name: String) -> String {
        self.column(&name).cloned().unwrap_or(name)
    }
}

/// What stands before the next token, as far as spaces go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Open,
    Dot,
    /// The name of a function.
    Call,
    Unary,
    Operator,
    Operand,
}

/// The expression in normal form, without the parentheses around all of it.
pub(super) fn expression(tokens: &[Token<'_>], scope: Scope<'_>) -> Expression {
    let tokens = unwrapped(tokens);
    let mut text = String::new();
    let mut before = Before::Nothing;
    let mut place = 0;
    while place < tokens.len() {
        if is_own_qualifier(tokens, place, scope) {
            place += 2;
            continue;
        }
        let (word, after) = spelled(tokens, place, before, scope);
        if space_between(before, &word, after, text.ends_with('-')) {
            text.push(' ');
        }
        text.push_str(&word);
        before = after;
        place += 1;
    }
    text.into()
}

/// Whether these are the table's name and a dot, before the name of a column.
fn is_own_qualifier(tokens: &[Token<'_>], place: usize, scope: Scope<'_>) -> bool {
    let dot = |at: usize| tokens.get(at).is_some_and(|token| token.is_symbol("."));
    let name = tokens[place].name();
    dot(place + 1)
        && !dot(place + 3)
        && place.checked_sub(1).is_none_or(|at| !dot(at))
        && matches!(tokens[place].kind, Kind::Word | Kind::Quoted)
        && name.is_some_and(|name| name.eq_ignore_ascii_case(scope.table))
}

fn space_between(before: Before, word: &str, after: Before, after_minus: bool) -> bool {
    match (before, word) {
        (Before::Nothing | Before::Open | Before::Dot, _) => false,
        (_, ")" | "," | ".") => false,
        (Before::Call, "(") => false,
        (Before::Unary, _) => after == Before::Unary && after_minus && word == "-",
        _ => true,
    }
}

/// A token in normal form, and what it is to the next one.
fn spelled<'s>(
    tokens: &[Token<'s>],
    place: usize,
    before: Before,
    scope: Scope<'_>,
) -> (Cow<'s, str>, Before) {
    let token = tokens[place];
    let calls = tokens
        .get(place + 1)
        .is_some_and(|next| next.is_symbol("("));
    let previous = place.checked_sub(1).map(|at| tokens[at]);
    let is_name = !calls && !previous.is_some_and(|one| one.is("COLLATE") || one.is("AS"));
    let own = |name: &str| scope.column(name).filter(|_| is_name);
    match token.kind {
        Kind::Symbol => symbol(token.text, before),
        Kind::Literal | Kind::Number => (token.text.into(), Before::Operand),
        Kind::Word => match keyword::of_expression(token.text) {
            Some((upper, _)) if upper == "CAST" && calls => (upper.into(), Before::Call),
            Some((upper, Role::BeforeOperand)) => (upper.into(), Before::Operator),
            Some((upper, Role::Operand)) => (upper.into(), Before::Operand),
            None if calls => (token.text.to_ascii_lowercase().into(), Before::Call),
            None => {
                let column = own(token.text).map(|name| keyword::identifier(name).into_owned());
                (column.map_or(token.text.into(), Cow::from), Before::Operand)
            }
        },
        Kind::Quoted => {
            let name = token.name().unwrap_or_default();
            let dot = |at: Option<&Token<'_>>| at.is_some_and(|one| one.is_symbol("."));
            let qualifies = dot(tokens.get(place + 1)) || dot(previous.as_ref());
            let text = match own(&name) {
                Some(column) => keyword::identifier(column).into_owned(),
                None if qualifies => keyword::identifier(&name).into_owned(),
                // In double quotes it may be a string.
                None => format!("\"{}\"", name.replace('"', "\"\"")),
            };
            let after = if calls { Before::Call } else { Before::Operand };
            (text.into(), after)
        }
    }
}

fn symbol<'s>(text: &'s str, before: Before) -> (Cow<'s, str>, Before) {
    let operand = matches!(before, Before::Operand | Before::Call);
    let after = match text {
        "(" => Before::Open,
        ")" => Before::Operand,
        "." => Before::Dot,
        "~" => Before::Unary,
        "-" | "+" if !operand => Before::Unary,
        _ => Before::Operator,
    };
    let text = match text {
        "==" => "=",
        "!=" => "<>",
        text => text,
    };
    (text.into(), after)
}

/// The tokens without the pairs of parentheses that are around all of them.
pub(super) fn unwrapped<'t, 's>(tokens: &'t [Token<'s>]) -> &'t [Token<'s>] {
    match (tokens.first(), closing(tokens)) {
        (Some(first), Some(end)) if first.is_symbol("(") && end + 1 == tokens.len() && end > 1 => {
            unwrapped(&tokens[1..end])
        }
        _ => tokens,
    }
}

/// The number of the token that closes the first parenthesis.
pub(super) fn closing(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0usize;
    for (place, token) in tokens.iter().enumerate() {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(place);
            }
        }
    }
    None
}

/// Whether a default can stand without parentheses: a literal, perhaps with a sign, or one of
/// the words that stand for a value.
pub(super) fn is_literal(text: &str) -> bool {
    let Ok(of) = Tokens::of(text) else {
        return false;
    };
    let values = [
        "NULL",
        "TRUE",
        "FALSE",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
    ];
    match &of.tokens[..] {
        [one] if one.kind == Kind::Word => values.iter().any(|value| one.is(value)),
        [one] => matches!(one.kind, Kind::Literal | Kind::Number),
        [sign, number] => {
            (sign.is_symbol("-") || sign.is_symbol("+")) && number.kind == Kind::Number
        }
        _ => false,
    }
}

/// The columns of the table that an expression in normal form names, each once, in order.
pub(super) fn columns_in(text: &Expression, scope: Scope<'_>) -> Vec<String> {
    let Ok(of) = Tokens::of(text.as_str()) else {
        return Vec::new();
    };
    let mut found: Vec<String> = Vec::new();
    for (place, token) in of.tokens.iter().enumerate() {
        let calls = of
            .tokens
            .get(place + 1)
            .is_some_and(|next| next.is_symbol("("));
        let names = matches!(token.kind, Kind::Word | Kind::Quoted) && !calls;
        let previous = place.checked_sub(1).map(|at| of.tokens[at]);
        let other = previous.is_some_and(|one| one.is("COLLATE") || one.is("AS"));
        let column = token.name().filter(|_| names && !other);
        if let Some(column) = column.and_then(|name| scope.column(&name))
            && !found.contains(column)
        {
            found.push(column.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(sql: &str) -> String {
        let columns = ["a", "Price", "order"].map(str::to_owned);
        let scope = Scope {
            table: "t",
            columns: &columns,
        };
        let of = Tokens::of(sql).unwrap();
        expression(&of.tokens, scope).0
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        for (written, form) in [
            ("((a>0))", "a > 0"),
            (
                "A  >\n0 -- why\n and /* x */ price is not null",
                "a > 0 AND Price IS NOT NULL",
            ),
            (
                "\"price\"==1 or [Price]!=2 or `a`<>3",
                "Price = 1 OR Price <> 2 OR a <> 3",
            ),
            ("\"T\".\"a\" = t . [ORDER]", "a = \"order\""),
            ("LENGTH( trim (a) )>=2", "length(trim(a)) >= 2"),
            ("cast(a as INTEGER)+1", "CAST(a AS INTEGER) + 1"),
            ("- a + -5 - - 5", "-a + -5 - -5"),
            ("- -5", "- -5"),
            ("a in(1,2 ,'it''s')", "a IN (1, 2, 'it''s')"),
            ("a BETWEEN 1 and -2", "a BETWEEN 1 AND -2"),
            (
                "case when a then -1 else +2 end-3",
                "CASE WHEN a THEN -1 ELSE +2 END - 3",
            ),
            ("a collate nocase like '%x'", "a COLLATE nocase LIKE '%x'"),
            ("(a) + (1)", "(a) + (1)"),
            ("a->>'$.x'||x'0F'", "a ->> '$.x' || x'0F'"),
            ("price in (\"x\", [y])", "Price IN (\"x\", \"y\")"),
            ("~a&1", "~a & 1"),
            ("current_timestamp", "CURRENT_TIMESTAMP"),
            ("max(a,-1)", "max(a, -1)"),
        ] {
            assert_eq!(normal(written), form, "{written}");
            assert_eq!(normal(form), form, "{form}");
        }
    }

    #[test]
    fn only_a_literal_stands_without_parentheses() {
        for literal in [
            "1",
            "-1.5",
            "'x'",
            "NULL",
            "CURRENT_TIMESTAMP",
            "x'0f'",
            "TRUE",
        ] {
            assert!(is_literal(literal), "{literal}");
        }
        for other in ["1 + 1", "abs(1)", "a", "\"a\"", "- -1", "", "'"] {
            assert!(!is_literal(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own(sql in written()) {
            let once = normal(&sql);
            prop_assert_eq!(normal(&once), once);
        }
    }

    /// Expressions as people write them.
    fn written() -> impl Strategy<Value = String> {
        let operands = [
            "a",
            "A",
            "t.a",
            "\"order\"",
            "[Price]",
            "`x`",
            "-1",
            ".5e-3",
            "'it''s'",
            "x'0f'",
            "null",
        ];
        let spaces = prop::sample::select(vec!["", " ", "\n", "/* - */", " -- (\n"]);
        let operators = [
            "+",
            "-",
            "*",
            "||",
            "->>",
            "==",
            "<>",
            " and ",
            " Is ",
            " like ",
            " collate nocase=",
        ];
        let leaf = prop::sample::select(operands.to_vec()).prop_map(str::to_owned);
        leaf.prop_recursive(5, 40, 3, move |inner| {
            prop_oneof![
                (
                    inner.clone(),
                    prop::sample::select(operators.to_vec()),
                    spaces.clone(),
                    inner.clone()
                )
                    .prop_map(|(a, operator, space, b)| format!("{a}{space}{operator}{space} {b}")),
                (inner.clone(), spaces.clone())
                    .prop_map(|(a, space)| format!("({space}{a}{space})")),
                (inner.clone(), spaces.clone()).prop_map(|(a, space)| format!("-{space} {a}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("Coalesce ( {a} ,{b})")),
                inner
                    .clone()
                    .prop_map(|a| format!("case when {a} then ~{a} end")),
                inner.prop_map(|a| format!("cast({a} as Varchar( 10 ))")),
            ]
        })
    }
}

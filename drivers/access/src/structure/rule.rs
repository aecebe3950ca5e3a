//! Access's expressions in rules and defaults as SQL, where SQL has the same.
//!
//! A rule of a column is a condition about it that leaves its name out: `>0 And <100`,
//! `In ("M","F")`, `Is Null Or Like "A*"`. What is read here are comparisons with literals, BETWEEN,
//! IN, LIKE with the signs that SQL has too, IS NULL, NOT, AND, OR and parentheses. Everything else
//! gives `None`, and is named.

use underpin_core::quote;

/// A condition of a rule of this column, or of the table, as SQL.
pub(crate) fn condition(rule: &str, column: Option<&str>) -> Option<String> {
    let tokens = tokens(rule.trim().trim_start_matches('='))?;
    let mut reading = Reading {
        tokens: &tokens,
        column,
        depth: 0,
    };
    let condition = reading.either()?;
    reading.tokens.is_empty().then_some(condition)
}

/// A literal default value, or one of today, as SQL.
pub(crate) fn default_value(default: &str) -> Option<String> {
    let tokens = tokens(default.trim().trim_start_matches('='))?;
    match &tokens[..] {
        [Token::Word(name), Token::Sign("("), Token::Sign(")")] => {
            match name.to_ascii_lowercase().as_str() {
                "now" => Some("CURRENT_TIMESTAMP".to_owned()),
                "date" => Some("CURRENT_DATE".to_owned()),
                _ => None,
            }
        }
        [Token::Sign("-"), Token::Number(number)] => Some(format!("-{number}")),
        [only] => literal(only),
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// A name in brackets.
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// Signs, the longer before those that they begin with.
const SIGNS: [&str; 11] = ["<=", ">=", "<>", "<", ">", "=", "(", ")", ",", "-", "!"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '"' | '\'' => {
                let (text, after) = quoted(&rest[1..], first)?;
                (Token::Text(text), after)
            }
            '[' => {
                let (name, after) = rest[1..].split_once(']')?;
                (Token::Name(name.to_owned()), after)
            }
            '0'..='9' | '.' => {
                let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'));
                let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
                number.parse::<f64>().ok()?;
                (Token::Number(number.to_owned()), after)
            }
            c if c.is_alphabetic() => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                (Token::Word(word.to_owned()), after)
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
                (Token::Sign(sign), &rest[sign.len()..])
            }
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

/// A text up to its closing quote, which is written twice within it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inside = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(quote)?;
        inside.push_str(before);
        match after.strip_prefix(quote) {
            Some(more) => {
                inside.push(quote);
                rest = more;
            }
            None => return Some((inside, after)),
        }
    }
}

fn literal(token: &Token) -> Option<String> {
    match token {
        Token::Text(text) => Some(quote_text(text)),
        Token::Number(number) => Some(number.clone()),
        Token::Word(word) => match word.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" => Some("1".to_owned()),
            "no" | "false" | "off" => Some("0".to_owned()),
            "null" => Some("NULL".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Parentheses within parentheses that are followed.
const DEPTH: usize = 20;

struct Reading<'t> {
    tokens: &'t [Token],
    column: Option<&'t str>,
    depth: usize,
}

impl Reading<'_> {
    fn take_word(&mut self, wanted: &str) -> bool {
        match self.tokens.first() {
            Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted) => {
                self.tokens = &self.tokens[1..];
                true
            }
            _ => false,
        }
    }

    fn take_sign(&mut self, wanted: &str) -> bool {
        match self.tokens.first() {
            Some(Token::Sign(sign)) if *sign == wanted => {
                self.tokens = &self.tokens[1..];
                true
            }
            _ => false,
        }
    }

    fn either(&mut self) -> Option<String> {
        let mut all = vec![self.both()?];
        while self.take_word("or") {
            all.push(self.both()?);
        }
        Some(joined(all, " OR "))
    }

    fn both(&mut self) -> Option<String> {
        let mut all = vec![self.one()?];
        while self.take_word("and") {
            all.push(self.one()?);
        }
        Some(joined(all, " AND "))
    }

    fn one(&mut self) -> Option<String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let read = self.negated_or_plain();
        self.depth -= 1;
        read
    }

    fn negated_or_plain(&mut self) -> Option<String> {
        if self.take_word("not") {
            return Some(format!("NOT ({})", self.one()?));
        }
        if self.take_sign("(") {
            let inside = self.either()?;
            return self.take_sign(")").then(|| format!("({inside})"));
        }
        let subject = match self.tokens.first() {
            Some(Token::Name(name)) => {
                let name = quote::identifier(name).ok()?;
                self.tokens = &self.tokens[1..];
                name
            }
            _ => quote::identifier(self.column?).ok()?,
        };
        self.about(&subject)
    }

    /// What is said of a column.
    fn about(&mut self, subject: &str) -> Option<String> {
        if self.take_word("is") {
            let not = if self.take_word("not") { " NOT" } else { "" };
            return self
                .take_word("null")
                .then(|| format!("{subject} IS{not} NULL"));
        }
        if self.take_word("not") {
            return Some(format!("NOT ({})", self.about(subject)?));
        }
        if self.take_word("between") {
            let low = self.value()?;
            let high = self.take_word("and").then(|| self.value())??;
            return Some(format!("{subject} BETWEEN {low} AND {high}"));
        }
        if self.take_word("in") {
            return self.list(subject);
        }
        if self.take_word("like") {
            let Some(Token::Text(pattern)) = self.tokens.first() else {
                return None;
            };
            let pattern = like(pattern)?;
            self.tokens = &self.tokens[1..];
            return Some(format!("{subject} LIKE {}", quote_text(&pattern)));
        }
        for sign in ["<=", ">=", "<>", "<", ">", "="] {
            if self.take_sign(sign) {
                return Some(format!("{subject} {sign} {}", self.value()?));
            }
        }
        // `"M" Or "F"`: equal to it.
        Some(format!("{subject} = {}", self.value()?))
    }

    fn list(&mut self, subject: &str) -> Option<String> {
        if !self.take_sign("(") {
            return None;
        }
        let mut values = vec![self.value()?];
        while self.take_sign(",") {
            values.push(self.value()?);
        }
        let list = values.join(", ");
        self.take_sign(")")
            .then(|| format!("{subject} IN ({list})"))
    }

    fn value(&mut self) -> Option<String> {
        let minus = if self.take_sign("-") { "-" } else { "" };
        let first = self.tokens.first()?;
        let value = match first {
            Token::Name(name) if minus.is_empty() => quote::identifier(name).ok()?,
            Token::Number(number) => format!("{minus}{number}"),
            _ if minus.is_empty() => literal(first)?,
            _ => return None,
        };
        self.tokens = &self.tokens[1..];
        Some(value)
    }
}

fn joined(mut all: Vec<String>, with: &str) -> String {
    match all.len() {
        1 => all.remove(0),
        _ => all.join(with),
    }
}

/// A pattern of Access as one of SQL; `None` for signs that SQL has not.
fn like(pattern: &str) -> Option<String> {
    let signs = pattern.chars().map(|c| match c {
        '*' => Some('%'),
        '?' => Some('_'),
        '#' | '[' | ']' | '%' | '_' => None,
        c => Some(c),
    });
    signs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_a_condition() {
        for (rule, expected) in [
            (">0", "\"c\" > 0"),
            (">=0 And <100.5", "\"c\" >= 0 AND \"c\" < 100.5"),
            ("\"M\" Or \"F\"", "\"c\" = 'M' OR \"c\" = 'F'"),
            ("In (\"a\",'it''s', -3)", "\"c\" IN ('a', 'it''s', -3)"),
            ("Is Null Or Like \"A*\"", "\"c\" IS NULL OR \"c\" LIKE 'A%'"),
            ("Not Like \"?x\"", "NOT (\"c\" LIKE '_x')"),
            ("Between 1 And 5", "\"c\" BETWEEN 1 AND 5"),
            ("<>0", "\"c\" <> 0"),
            ("Is Not Null", "\"c\" IS NOT NULL"),
            (
                "[c]>=[d] And ([e] Is Null)",
                "\"c\" >= \"d\" AND (\"e\" IS NULL)",
            ),
        ] {
            assert_eq!(
                condition(rule, Some("c")).as_deref(),
                Some(expected),
                "{rule}"
            );
        }
    }

    #[test]
    fn what_sql_has_not_is_none() {
        for rule in [
            "Like \"[A-Z]*\"",
            "Like \"##\"",
            "<Date()",
            "Len([c])>3",
            ">#1/1/2000#",
            "> 0 And",
            "(>0",
            "Between 1",
            "\"open",
            "",
        ] {
            assert_eq!(condition(rule, Some("c")), None, "{rule}");
        }
        assert_eq!(condition(">0", None), None);
        assert_eq!(condition(&"(".repeat(10_000), Some("c")), None);
        assert_eq!(condition(&"not ".repeat(10_000), Some("c")), None);
    }

    #[test]
    fn a_default_is_a_literal_or_of_today() {
        for (default, expected) in [
            ("0", Some("0")),
            ("=-1.5", Some("-1.5")),
            ("\"it's\"", Some("'it''s'")),
            ("Yes", Some("1")),
            ("=No", Some("0")),
            ("Now()", Some("CURRENT_TIMESTAMP")),
            ("=Date()", Some("CURRENT_DATE")),
            ("GenUniqueID()", None),
            ("[a]", None),
        ] {
            assert_eq!(default_value(default).as_deref(), expected, "{default}");
        }
    }
}

//! Finds the places of a statement's parameters: beside which columns, in lists, in expressions.
//!
//! SQLite does not report with which column a parameter is compared or in which it is stored, and
//! does not convert compared values. The text is therefore analyzed: a parameter directly beside a
//! column belongs to that column, every other one to an expression.

use std::collections::HashMap;

use underpin_sql::{Kind, Lexer, SQLITE, Token};

/// The name of a column in the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// The table or its alias, if the name is qualified.
    pub(crate) of: Option<&'a str>,
    pub(crate) column: &'a str,
}

/// One place of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot<'a> {
    /// Within an expression.
    Expression,
    /// Compared with a column, by order or only for equality, or set as its value.
    Beside { column: Named<'a>, ordered: bool },
    /// The value of a column in an inserted row, by the index of the column.
    Inserted(usize),
}

/// A parameter of a statement by its number, from 0, with one of its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter<'a> {
    pub(crate) number: usize,
    pub(crate) spot: Spot<'a>,
    /// Whether it is part of a list behind IN.
    pub(crate) listed: bool,
}

/// The target table of an INSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Insert<'a> {
    pub(crate) table: &'a str,
    /// The named columns; `None` if they are all columns of the table.
    pub(crate) columns: Option<Vec<&'a str>>,
    /// The index of the token VALUES or SELECT.
    rows: usize,
}

/// The analysis of a text with its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Places<'a> {
    tokens: Vec<Token<'a>>,
    /// For each token, the parenthesis that is open around it.
    around: Vec<Option<usize>>,
    pub(crate) insert: Option<Insert<'a>>,
    pub(crate) parameters: Vec<Parameter<'a>>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(sql: &'a str) -> Self {
        let tokens: Vec<Token<'a>> = Lexer::new(sql, &SQLITE.lexis).solid().collect();
        let mut places = Places {
            insert: insert(&tokens),
            around: around(&tokens),
            tokens,
            parameters: Vec::new(),
        };
        places.read();
        places
    }

    /// The names in the statement, each with the alias that follows it, if any. Some of them are
    /// tables.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let names = self.tokens.iter().enumerate();
        names
            .filter(|(_, token)| is_name(token))
            .map(|(at, token)| {
                let next = at + 1 + usize::from(self.is_word(at + 1, "AS"));
                let alias = self.tokens.get(next).filter(|token| is_name(token));
                (token.text, alias.map(|token| token.text))
            })
    }

    fn read(&mut self) {
        let mut numbers = Numbers::default();
        let rows = self.row_places();
        let mut parameters = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            if token.kind != Kind::Parameter {
                continue;
            }
            let Some(number) = numbers.of(token.text) else {
                continue;
            };
            // Whatever it is, it may be NULL.
            if self.is_word(at + 1, "ISNULL")
                || self.is_word(at + 1, "NOTNULL")
                || self.is_word(at + 1, "IS") && self.follows_null(at + 2)
            {
                continue;
            }
            let list = self.list(at);
            let spot = match rows.get(&at) {
                Some(spot) => *spot,
                None => self.spot(at, list),
            };
            parameters.push(Parameter {
                number,
                spot,
                listed: list.is_some_and(|open| self.is_word(open - 1, "IN")),
            });
        }
        self.parameters = parameters;
    }

    fn follows_null(&self, at: usize) -> bool {
        self.is_word(at, "NULL") || self.is_word(at, "NOT") && self.is_word(at + 1, "NULL")
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(word))
    }

    fn is_sign(&self, at: usize, sign: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_sign(sign))
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The parenthesis of the list in which a token is an element by itself. Something precedes the
    /// parenthesis.
    fn list(&self, at: usize) -> Option<usize> {
        let open = self.around[at].filter(|open| *open > 0)?;
        let begins = at == open + 1 || self.is_sign(at - 1, ",");
        let ends = self.kind(at + 1) == Some(Kind::Close) || self.is_sign(at + 1, ",");
        let queries = ["SELECT", "WITH", "VALUES"];
        let is_query = queries.iter().any(|word| self.is_word(open + 1, word));
        (begins && ends && !is_query).then_some(open)
    }

    fn spot(&self, at: usize, list: Option<usize>) -> Spot<'a> {
        let beside = |column: Option<Named<'a>>, ordered| match column {
            Some(column) => Spot::Beside { column, ordered },
            None => Spot::Expression,
        };
        if !self.ends_operand(at + 1) {
            return Spot::Expression;
        }
        let Some(before) = at.checked_sub(1) else {
            return self.compared_with_next(at);
        };
        // column = $1, column IS NOT $1
        if let Some(ordered) = self.comparison(before) {
            return beside(self.column_before(before), ordered);
        }
        if self.is_word(before, "IS") {
            return beside(self.column_before(before), false);
        }
        if self.is_word(before, "NOT") && before > 0 && self.is_word(before - 1, "IS") {
            return beside(self.column_before(before - 1), false);
        }
        // column BETWEEN $1 AND $2
        if self.is_word(before, "BETWEEN") {
            return beside(self.column_before(self.without_not(before)), true);
        }
        if self.is_word(before, "AND") && before >= 2 && self.is_word(before - 2, "BETWEEN") {
            return beside(self.column_before(self.without_not(before - 2)), true);
        }
        // column IN ($1, $2), (column, column) = ($1, $2)
        if let Some(open) = list {
            if self.is_word(open - 1, "IN") {
                return beside(self.column_before(self.without_not(open - 1)), false);
            }
            if let Some(ordered) = self.comparison(open - 1)
                && open >= 2
                && self.kind(open - 2) == Some(Kind::Close)
            {
                let columns = self.columns_within(open - 2);
                let column = columns.get(self.commas(open, at)).copied().flatten();
                return beside(column, ordered);
            }
            return Spot::Expression;
        }
        self.compared_with_next(at)
    }

    /// `$1 = column`.
    fn compared_with_next(&self, at: usize) -> Spot<'a> {
        let begins = at == 0 || self.begins_operand(at - 1);
        let Some(ordered) = self.comparison(at + 1).filter(|_| begins) else {
            return Spot::Expression;
        };
        let qualified = self.is_sign(at + 3, ".");
        let last = at + if qualified { 4 } else { 2 };
        let is_call = self.kind(last + 1) == Some(Kind::Open);
        match self.named(last) {
            Some(column) if !is_call && self.ends_operand(last + 1) => {
                Spot::Beside { column, ordered }
            }
            _ => Spot::Expression,
        }
    }

    /// Whether a token is a comparison, and if so, whether by order.
    fn comparison(&self, at: usize) -> Option<bool> {
        let token = self
            .tokens
            .get(at)
            .filter(|token| token.kind == Kind::Sign)?;
        match token.text {
            "=" | "==" | "!=" | "<>" => Some(false),
            "<" | "<=" | ">" | ">=" => Some(true),
            _ => None,
        }
    }

    fn without_not(&self, at: usize) -> usize {
        match at > 0 && self.is_word(at - 1, "NOT") {
            true => at - 1,
            false => at,
        }
    }

    /// The column whose name ends directly before a token, if it is an operand by itself.
    fn column_before(&self, at: usize) -> Option<Named<'a>> {
        let last = at.checked_sub(1)?;
        let column = self.named(last)?;
        let first = if column.of.is_some() {
            last.checked_sub(2)?
        } else {
            last
        };
        (first == 0 || self.begins_operand(first - 1)).then_some(column)
    }

    /// The name that ends at a token.
    fn named(&self, last: usize) -> Option<Named<'a>> {
        let column = self.tokens.get(last).filter(|token| is_name(token))?.text;
        let of = match last >= 2 && self.is_sign(last - 1, ".") {
            true => Some(
                self.tokens
                    .get(last - 2)
                    .filter(|token| is_name(token))?
                    .text,
            ),
            false => None,
        };
        Some(Named { of, column })
    }

    /// The columns in the parentheses that are closed here; `None` in place of an expression.
    fn columns_within(&self, close: usize) -> Vec<Option<Named<'a>>> {
        let Some(open) = self.around[close] else {
            return Vec::new();
        };
        let mut columns = Vec::new();
        let (mut start, mut depth) = (open + 1, 0);
        let within = self.tokens.iter().enumerate().take(close + 1);
        for (at, token) in within.skip(open + 1) {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close if depth > 0 => depth -= 1,
                Kind::Close | Kind::Sign
                    if depth == 0 && (at == close || self.is_sign(at, ",")) =>
                {
                    let column = at.checked_sub(1).and_then(|last| self.named(last));
                    let width = column.map(|column| if column.of.is_some() { 3 } else { 1 });
                    columns.push(column.filter(|_| width == Some(at - start)));
                    start = at + 1;
                }
                _ => {}
            }
        }
        columns
    }

    /// Number of commas that a parenthesis itself has before a token.
    fn commas(&self, open: usize, at: usize) -> usize {
        let (mut depth, mut commas) = (0, 0);
        for token in &self.tokens[open + 1..at] {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                Kind::Sign if depth == 0 && token.text == "," => commas += 1,
                _ => {}
            }
        }
        commas
    }

    /// Whether an operand begins behind this token: the token does not bind more tightly than a
    /// comparison.
    fn begins_operand(&self, at: usize) -> bool {
        match self.tokens.get(at) {
            Some(token) if token.kind == Kind::Sign => {
                matches!(
                    token.text,
                    "," | "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
                )
            }
            Some(token) => !(token.is("COLLATE") || token.is("LIKE") || token.is("GLOB")),
            None => true,
        }
    }

    /// The same for the token behind an operand.
    fn ends_operand(&self, at: usize) -> bool {
        match self.tokens.get(at) {
            Some(token) if token.kind == Kind::Sign => self.begins_operand(at),
            _ => true,
        }
    }

    /// The parameters that are complete values of rows: in inserted rows, and in `(a, b) IN (VALUES
    /// ($1, $2))`.
    fn row_places(&self) -> HashMap<usize, Spot<'a>> {
        let mut places = HashMap::new();
        if let Some(insert) = &self.insert {
            let level = usize::from(self.is_word(insert.rows, "VALUES"));
            self.rows(
                insert.rows + 1,
                level,
                |column| Some(Spot::Inserted(column)),
                &mut places,
            );
        }
        for at in 2..self.tokens.len() {
            let listed = self.is_word(at, "VALUES")
                && self.kind(at - 1) == Some(Kind::Open)
                && self.is_word(at - 2, "IN");
            let Some(close) = self.without_not(at - 2).checked_sub(1).filter(|_| listed) else {
                continue;
            };
            let columns = match self.kind(close) {
                Some(Kind::Close) => self.columns_within(close),
                _ => vec![self.named(close)],
            };
            let spot = |column: usize| {
                let column = columns.get(column).copied().flatten()?;
                Some(Spot::Beside {
                    column,
                    ordered: false,
                })
            };
            self.rows(at + 1, 1, spot, &mut places);
        }
        places
    }

    /// Passes over rows whose values are in this many parentheses.
    fn rows(
        &self,
        first: usize,
        level: usize,
        spot: impl Fn(usize) -> Option<Spot<'a>>,
        places: &mut HashMap<usize, Spot<'a>>,
    ) {
        const ENDS: [&str; 11] = [
            "FROM",
            "WHERE",
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "ON",
            "RETURNING",
            "ORDER",
            "LIMIT",
            "GROUP",
            "HAVING",
        ];
        let (mut depth, mut column) = (0, 0);
        for (at, token) in self.tokens.iter().enumerate().skip(first) {
            match token.kind {
                Kind::Open => {
                    depth += 1;
                    if depth == level {
                        column = 0;
                    }
                }
                Kind::Close if depth == 0 => return,
                Kind::Close => depth -= 1,
                Kind::Sign if depth == level && token.text == "," => column += 1,
                Kind::Word if depth == 0 && ENDS.iter().any(|word| token.is(word)) => return,
                Kind::Parameter if depth == level => {
                    let begins = at == first
                        || self.is_sign(at - 1, ",")
                        || level == 1 && self.kind(at - 1) == Some(Kind::Open);
                    let ends = match self.tokens.get(at + 1) {
                        None => true,
                        Some(next) => {
                            matches!(next.kind, Kind::Close | Kind::Semicolon)
                                || next.is_sign(",")
                                || ENDS.iter().any(|word| next.is(word))
                        }
                    };
                    if let Some(spot) = spot(column).filter(|_| begins && ends) {
                        places.insert(at, spot);
                    }
                }
                _ => {}
            }
        }
    }
}

/// For each token, the parenthesis that is open around it; for a closing one, the one that it
/// closes.
fn around(tokens: &[Token<'_>]) -> Vec<Option<usize>> {
    let mut open = Vec::new();
    let each = tokens
        .iter()
        .enumerate()
        .map(|(at, token)| match token.kind {
            Kind::Open => {
                let around = open.last().copied();
                open.push(at);
                around
            }
            Kind::Close => open.pop(),
            _ => open.last().copied(),
        });
    each.collect()
}

/// Whether a token may be the name of a table or a column. Keywords count too, since no column has
/// their name.
fn is_name(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Name)
}

fn insert<'a>(tokens: &[Token<'a>]) -> Option<Insert<'a>> {
    let into = tokens.iter().position(|token| token.is("INTO"))?;
    let is_sign = |at: usize, sign: &str| tokens.get(at).is_some_and(|token| token.is_sign(sign));
    let mut at = into + 1;
    if is_sign(at + 1, ".") {
        at += 2;
    }
    let table = tokens.get(at).filter(|token| is_name(token))?.text;
    at += 1;
    if tokens.get(at).is_some_and(|token| token.is("AS")) {
        at += 2;
    }
    let mut columns = None;
    if tokens.get(at)?.kind == Kind::Open {
        let close = at
            + tokens[at..]
                .iter()
                .position(|token| token.kind == Kind::Close)?;
        let names = tokens[at + 1..close].iter().filter(|token| is_name(token));
        columns = Some(names.map(|token| token.text).collect());
        at = close + 1;
    }
    let word = tokens.get(at)?;
    (word.is("VALUES") || word.is("SELECT")).then_some(Insert {
        table,
        columns,
        rows: at,
    })
}

/// The numbers of parameters, as SQLite counts them.
#[derive(Default)]
struct Numbers<'a> {
    names: Vec<&'a str>,
    last: usize,
}

impl<'a> Numbers<'a> {
    /// From 0; `None` for a named parameter, which is refused elsewhere.
    fn of(&mut self, text: &'a str) -> Option<usize> {
        if text == "?" {
            self.last += 1;
            return Some(self.last - 1);
        }
        let number: usize = text[1..].parse().ok()?;
        if text.starts_with('?') {
            self.last = self.last.max(number);
        } else if !self.names.contains(&text) {
            // A name takes the next slot, and values are bound by number.
            self.names.push(text);
            self.last += 1;
        }
        number.checked_sub(1)
    }
}

/// A name without its quotes, in lower case, which is how SQLite compares names.
pub(crate) fn plain(name: &str) -> String {
    let inner = |open: char, close: char| {
        let inner = name.strip_prefix(open)?.strip_suffix(close)?;
        let doubled: String = [close, close].iter().collect();
        Some(inner.replace(&doubled, &close.to_string()))
    };
    let unquoted = inner('"', '"')
        .or_else(|| inner('`', '`'))
        .or_else(|| inner('[', ']'));
    unquoted
        .unwrap_or_else(|| name.to_owned())
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places in a statement: a column (with `<` if it is compared by order), the index of an
    /// inserted column, or `-`; with `?` if it is in a list.
    fn places(sql: &str) -> String {
        let places = Places::of(sql);
        let mut shown: Vec<(usize, String)> = Vec::new();
        for Parameter {
            number,
            spot,
            listed,
        } in &places.parameters
        {
            let mut one = match spot {
                Spot::Expression => "-".to_owned(),
                Spot::Inserted(column) => column.to_string(),
                Spot::Beside { column, ordered } => {
                    let of = column.of.map(|of| format!("{of}.")).unwrap_or_default();
                    format!("{of}{}{}", column.column, if *ordered { "<" } else { "" })
                }
            };
            one.push_str(if *listed { "?" } else { "" });
            shown.push((*number, one));
        }
        let shown: Vec<String> = shown
            .iter()
            .map(|(at, one)| format!("{}:{one}", at + 1))
            .collect();
        shown.join(" ")
    }

    #[test]
    fn a_parameter_beside_a_column_is_of_that_column() {
        for (sql, expected) in [
            ("SELECT * FROM t WHERE a = $1", "1:a"),
            ("SELECT * FROM t WHERE t.a <> $1 AND b >= $2", "1:t.a 2:b<"),
            ("SELECT * FROM t WHERE $1 = a AND $2 < t.b", "1:a 2:t.b<"),
            ("SELECT * FROM t WHERE a IS NOT $1 OR b IS $2", "1:a 2:b"),
            ("SELECT * FROM t WHERE a NOT BETWEEN $1 AND $2", "1:a< 2:a<"),
            ("SELECT * FROM t WHERE a IN ($1, $2)", "1:a? 2:a?"),
            (
                "SELECT * FROM t WHERE t.\"a\" NOT IN (?, ?)",
                "1:t.\"a\"? 2:t.\"a\"?",
            ),
            ("SELECT * FROM t WHERE (a, b) = ($1, $2)", "1:a 2:b"),
            (
                "SELECT * FROM t WHERE (a, b) IN (VALUES (?, ?), (?, ?))",
                "1:a 2:b 3:a 4:b",
            ),
            ("UPDATE t SET a = $2, b = $3 WHERE c = $1", "2:a 3:b 1:c"),
            ("UPDATE t SET (a, b) = ($1, $2)", "1:a 2:b"),
            ("SELECT * FROM t WHERE a = ?2 AND b = ?1", "2:a 1:b"),
            ("SELECT * FROM t WHERE a = $1 OR $1 IS NULL", "1:a"),
        ] {
            assert_eq!(places(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_value_that_is_inserted_is_of_its_column() {
        for (sql, expected) in [
            ("INSERT INTO t (a, b) VALUES ($1, $2)", "1:0 2:1"),
            (
                "INSERT OR IGNORE INTO main.t AS x (a, b) VALUES (?, ?), (?, ?)",
                "1:0 2:1 3:0 4:1",
            ),
            (
                "INSERT INTO t VALUES ($1, lower($2), $3 + 1, $4)",
                "1:0 2:- 3:- 4:3",
            ),
            (
                "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = $2 RETURNING a",
                "1:0 2:b",
            ),
            (
                "INSERT INTO t (a, b) SELECT $1, b FROM u WHERE c = $2",
                "1:0 2:c",
            ),
            ("INSERT INTO t (a, b) SELECT x, $1", "1:1"),
        ] {
            assert_eq!(places(sql), expected, "{sql}");
        }
    }

    #[test]
    fn all_else_is_an_expression() {
        for (sql, expected) in [
            ("SELECT $1", "1:-"),
            ("SELECT * FROM t WHERE a * 2 > $1", "1:-"),
            ("SELECT * FROM t WHERE b || a = $1", "1:-"),
            ("SELECT * FROM t WHERE a = $1 + 1 AND a = 1 - $2", "1:- 2:-"),
            ("SELECT a FROM t GROUP BY a HAVING sum(b) > $1", "1:-"),
            ("SELECT * FROM t WHERE $1 > abs(a) LIMIT $2", "1:- 2:-"),
            ("SELECT * FROM t WHERE a + 1 IN ($1)", "1:-?"),
            (
                "SELECT * FROM t WHERE a IN (SELECT value FROM json_each($1))",
                "1:-",
            ),
            (
                "SELECT * FROM t WHERE a IN (SELECT a FROM u WHERE b = $1)",
                "1:b",
            ),
            ("SELECT coalesce(a, $1), max($2, $3)", "1:- 2:- 3:-"),
        ] {
            assert_eq!(places(sql), expected, "{sql}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_places(words in proptest::collection::vec(
            proptest::sample::select(vec![
                "(", ")", ",", ".", "=", "<", "+", "$1", "?", "?2", "a", "t", "\"b\"", "AND", "AS",
                "BETWEEN", "FROM", "IN", "INSERT", "INTO", "IS", "NOT", "NULL", "SELECT", "VALUES",
                "WHERE",
            ]),
            0..24,
        )) {
            let sql = words.join(" ");
            let places = Places::of(&sql);
            proptest::prop_assert!(places.parameters.len() <= words.len());
        }
    }

    #[test]
    fn names_are_plain_without_quotes() {
        for name in ["Ab", "\"AB\"", "[aB]", "`ab`"] {
            assert_eq!(plain(name), "ab");
        }
        assert_eq!(plain("\"a\"\"b\""), "a\"b");
    }
}

use crate::lexis::{Lexis, Quotes};
use crate::name::{self, NameError};

/// What one kind of SQL does differently from others, as a value. Anybody can make one.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The name in messages.
    pub name: &'static str,
    /// How a text is cut into tokens.
    pub lexis: Lexis,
    /// The quotes in which names are written.
    pub quotes: Quotes,
    /// A text as a constant.
    pub text: fn(&str) -> String,
    /// False and true as constants.
    pub truths: [&'static str; 2],
    /// The parameter of this number, counted from 1.
    pub placeholder: fn(usize) -> String,
    /// How a statement that changes rows returns them.
    pub returning: Returning,
    /// Whether an insert can change the row that has its key already, by `ON CONFLICT … DO
    /// UPDATE`.
    pub on_conflict: bool,
    /// Transactions.
    pub transactions: Transactions,
    /// Savepoints, if there are any.
    pub savepoints: Option<Savepoints>,
}

/// How a statement that changes rows returns them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returning {
    /// It does not.
    Nothing,
    /// `RETURNING a, b` at its end.
    AtTheEnd,
    /// `OUTPUT inserted.a, inserted.b` before its values or its condition.
    Output,
}

/// Transactions, as statements.
#[derive(Debug, Clone, Copy)]
pub struct Transactions {
    /// Begins one that writes.
    pub begin: &'static str,
    /// Commits it.
    pub commit: &'static str,
    /// Rolls it back.
    pub rollback: &'static str,
    /// Whether one takes back statements that create, change or drop objects.
    pub ddl: bool,
    /// Whether the engine refuses a statement within one, by its words in capitals.
    pub refuses: fn(&[&str]) -> bool,
}

/// Savepoints, as what stands before their names.
#[derive(Debug, Clone, Copy)]
pub struct Savepoints {
    /// Sets one.
    pub set: &'static str,
    /// Forgets one. Without, none can be forgotten before the transaction ends.
    pub release: Option<&'static str>,
    /// Goes back to one, which stays set.
    pub roll_back: &'static str,
}

impl Dialect {
    /// An identifier in quotes.
    ///
    /// # Errors
    /// [`NameError`] for an empty name and for one that holds a NUL byte: no engine has either.
    pub fn identifier(&self, name: &str) -> Result<String, NameError> {
        name::quoted(name, self.quotes)
    }

    /// A name that may be qualified, `schema.table`, each part quoted. A part that is in
    /// quotes already is taken as it stands, so that a name can hold a dot.
    ///
    /// # Errors
    /// [`NameError`] as for [`identifier`](Self::identifier), and for a quote that is not
    /// closed.
    pub fn qualified(&self, name: &str) -> Result<String, NameError> {
        let parts = self.parts(name)?.into_iter();
        let quoted: Result<Vec<_>, _> = parts.map(|part| self.identifier(&part)).collect();
        Ok(quoted?.join("."))
    }

    /// The parts of a name that may be qualified, without quotes.
    ///
    /// # Errors
    /// [`NameError`] for a quote that is not closed.
    pub fn parts(&self, name: &str) -> Result<Vec<String>, NameError> {
        name::parts(name, self.lexis.rules.names)
    }

    /// Identifiers in quotes, with commas between them.
    ///
    /// # Errors
    /// [`NameError`] as for [`identifier`](Self::identifier).
    pub fn list<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<String, NameError> {
        let quoted = names.into_iter().map(|name| self.identifier(name));
        Ok(quoted.collect::<Result<Vec<_>, _>>()?.join(", "))
    }

    /// So many placeholders from the one of this number on, with commas between them.
    pub fn placeholders(&self, first: usize, count: usize) -> String {
        let each = (first..first + count).map(self.placeholder);
        each.collect::<Vec<_>>().join(", ")
    }

    /// What stands at the end of a statement that returns these columns of the rows it
    /// changes, with a space before it; nothing in a dialect that has it elsewhere.
    ///
    /// # Errors
    /// [`NameError`] as for [`identifier`](Self::identifier).
    pub fn returning<'n>(
        &self,
        columns: impl IntoIterator<Item = &'n str>,
    ) -> Result<String, NameError> {
        match self.returning {
            Returning::AtTheEnd => Ok(format!(" RETURNING {}", self.list(columns)?)),
            Returning::Nothing | Returning::Output => Ok(String::new()),
        }
    }

    /// What stands before the values or the condition of a statement that returns these
    /// columns of the rows it changes, with a space before it; nothing in a dialect that has
    /// it elsewhere.
    ///
    /// # Errors
    /// [`NameError`] as for [`identifier`](Self::identifier).
    pub fn output<'n>(
        &self,
        columns: impl IntoIterator<Item = &'n str>,
    ) -> Result<String, NameError> {
        if self.returning != Returning::Output {
            return Ok(String::new());
        }
        let each = columns.into_iter();
        let each = each.map(|name| Ok(format!("inserted.{}", self.identifier(name)?)));
        Ok(format!(
            " OUTPUT {}",
            each.collect::<Result<Vec<_>, _>>()?.join(", ")
        ))
    }

    /// The constant for a truth.
    pub fn truth(&self, of: bool) -> &'static str {
        self.truths[usize::from(of)]
    }
}

#[cfg(test)]
mod tests {
    use crate::lexis::{Parameter, ParameterForm, Rules};
    use crate::{COMMON, Kind, Lexer, POSTGRES, SQLITE, split};

    use super::*;

    const BRACKETS: Quotes = Quotes {
        open: b'[',
        close: b']',
        doubled: true,
    };

    /// A dialect that no crate knows.
    static OTHER: Dialect = Dialect {
        name: "Other",
        lexis: Lexis::new(Rules {
            names: &[BRACKETS, Quotes::of(b'"')],
            text_prefixes: b"nN",
            parameters: &[Parameter {
                sign: b'@',
                form: ParameterForm::Name,
            }],
            batch_word: Some("GO"),
            ..Rules::STANDARD
        }),
        quotes: BRACKETS,
        text: |text| format!("N'{}'", text.replace('\'', "''")),
        truths: ["0", "1"],
        placeholder: |number| format!("@p{number}"),
        returning: Returning::Output,
        on_conflict: false,
        transactions: Transactions {
            begin: "BEGIN TRANSACTION",
            commit: "COMMIT",
            rollback: "ROLLBACK",
            ddl: true,
            refuses: |_| false,
        },
        savepoints: Some(Savepoints {
            set: "SAVE TRANSACTION ",
            release: None,
            roll_back: "ROLLBACK TRANSACTION ",
        }),
    };

    #[test]
    fn a_dialect_quotes_in_its_own_way() {
        let insert = |dialect: &Dialect| {
            let columns = ["id", "a]\"b"];
            let sql = format!(
                "INSERT INTO {} ({}){} VALUES ({}, {}){}",
                dialect.qualified("shop.\"or.ders\"").unwrap(),
                dialect.list(columns).unwrap(),
                dialect.output(columns).unwrap(),
                dialect.placeholders(1, 2),
                (dialect.text)("it's"),
                dialect.returning(columns).unwrap(),
            );
            for token in Lexer::new(&sql, &dialect.lexis) {
                assert!(token.closed && token.kind != Kind::Sign || ",.".contains(token.text));
            }
            sql
        };
        assert_eq!(
            insert(&OTHER),
            "INSERT INTO [shop].[or.ders] ([id], [a]]\"b]) OUTPUT inserted.[id], \
             inserted.[a]]\"b] VALUES (@p1, @p2, N'it''s')"
        );
        assert_eq!(
            insert(&POSTGRES),
            "INSERT INTO \"shop\".\"or.ders\" (\"id\", \"a]\"\"b\") VALUES ($1, $2, 'it''s') \
             RETURNING \"id\", \"a]\"\"b\""
        );
        assert_eq!(insert(&SQLITE), insert(&POSTGRES));
        assert_eq!(OTHER.qualified("[a.b].[c]]d]").unwrap(), "[a.b].[c]]d]");
    }

    #[test]
    fn names_that_no_engine_has_are_refused() {
        for dialect in [&POSTGRES, &SQLITE, &OTHER] {
            for bad in ["", "a\0b", "a.", "\"a"] {
                assert!(dialect.qualified(bad).is_err(), "{bad:?}");
            }
        }
        assert_eq!(POSTGRES.qualified("\"a\"\"b\"").unwrap(), "\"a\"\"b\"");
        assert_eq!(POSTGRES.identifier("a\"; DROP").unwrap(), "\"a\"\"; DROP\"");
    }

    #[test]
    fn batches_end_at_lines_of_their_own() {
        let sql = "CREATE TABLE t (a int); SELECT 'GO\nGO\n' -- GO\ngo\n/*\nGO\n*/ SELECT [GO\nGO\n]\nGO 3 -- times\nGO\nSELECT go\n";
        let pieces = split(sql, &OTHER.lexis).unwrap();
        let statements: Vec<_> = pieces
            .iter()
            .filter_map(|piece| match piece {
                crate::Piece::Statement { range, line, times } => {
                    Some((&sql[range.clone()], *line, *times))
                }
                crate::Piece::Rows { .. } | crate::Piece::Between { .. } => None,
            })
            .collect();
        assert_eq!(
            statements,
            [
                ("CREATE TABLE t (a int); SELECT 'GO\nGO\n'", 1, 1),
                ("SELECT [GO\nGO\n]", 7, 3),
                ("SELECT go", 12, 1),
            ]
        );
        let whole: String = pieces.iter().map(|piece| &sql[piece.range()]).collect();
        assert_eq!(whole, sql);
        for wrong in ["GO 0", "GO x", "GO 1 2", "GO 10001"] {
            let error = split(&format!("SELECT 1\n{wrong}"), &OTHER.lexis).unwrap_err();
            assert_eq!(error.line(), 2, "{error}");
        }
        assert_eq!(split("SELECT 1\nGO\n", &COMMON).unwrap().len(), 2);
    }
}

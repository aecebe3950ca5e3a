use crate::dialect::{Dialect, Returning, Savepoints, Transactions};
use crate::lexis::{Lexis, Parameter, ParameterForm, Quotes, Rules};

/// PostgreSQL, with `standard_conforming_strings` on.
pub static POSTGRES: Dialect = Dialect {
    name: "PostgreSQL",
    lexis: Lexis::new(RULES),
    quotes: Quotes::of(b'"'),
    text,
    truths: ["false", "true"],
    placeholder: |number| format!("${number}"),
    returning: Returning::AtTheEnd,
    on_conflict: true,
    transactions: Transactions {
        begin: "BEGIN",
        commit: "COMMIT",
        rollback: "ROLLBACK",
        ddl: true,
        refuses,
    },
    savepoints: Some(Savepoints {
        set: "SAVEPOINT ",
        release: Some("RELEASE SAVEPOINT "),
        roll_back: "ROLLBACK TO SAVEPOINT ",
    }),
};

/// One with a backslash is an escape string, which means the same whatever
/// `standard_conforming_strings` says.
fn text(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match quoted.contains('\\') {
        true => format!("E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

fn refuses(words: &[&str]) -> bool {
    match words {
        ["VACUUM", ..] => true,
        ["CREATE" | "DROP" | "REINDEX" | "ALTER", rest @ ..] => {
            let kind = rest.first().copied();
            rest.contains(&"CONCURRENTLY")
                || matches!(kind, Some("DATABASE" | "TABLESPACE" | "SYSTEM"))
        }
        _ => false,
    }
}

pub(crate) const RULES: Rules = Rules {
    text_prefixes: b"bBnNxX",
    escape_texts: true,
    dollar_quotes: true,
    nested_comments: true,
    carriage_return_ends_comment: true,
    word_signs: b"$",
    parameters: &[Parameter {
        sign: b'$',
        form: ParameterForm::Number,
    }],
    signs: &["::"],
    ..Rules::STANDARD
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stay_what_they_are() {
        assert_eq!(text("it's"), "'it''s'");
        assert_eq!(text("a\\'b"), "E'a\\\\''b'");
    }
}

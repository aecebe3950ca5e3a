use crate::dialect::{Dialect, Returning, Savepoints, Transactions};
use crate::lexis::{Lexis, Parameter, ParameterForm, Quotes, Rules};

/// SQLite.
pub static SQLITE: Dialect = Dialect {
    name: "SQLite",
    lexis: Lexis::new(RULES),
    quotes: Quotes::of(b'"'),
    text: |text| format!("'{}'", text.replace('\'', "''")),
    truths: ["0", "1"],
    placeholder: |number| format!("${number}"),
    returning: Returning::AtTheEnd,
    on_conflict: true,
    transactions: Transactions {
        begin: "BEGIN IMMEDIATE",
        commit: "COMMIT",
        rollback: "ROLLBACK",
        ddl: true,
        refuses: |words| words.first() == Some(&"VACUUM"),
    },
    savepoints: Some(Savepoints {
        set: "SAVEPOINT ",
        release: Some("RELEASE SAVEPOINT "),
        roll_back: "ROLLBACK TO SAVEPOINT ",
    }),
};

const RULES: Rules = Rules {
    names: &[
        Quotes::of(b'"'),
        Quotes::of(b'`'),
        Quotes {
            open: b'[',
            close: b']',
            doubled: false,
        },
    ],
    text_prefixes: b"xX",
    number_letters: true,
    word_signs: b"$",
    parameters: &[
        Parameter {
            sign: b'?',
            form: ParameterForm::NumberOrNothing,
        },
        named(b'$'),
        named(b':'),
        named(b'@'),
        named(b'#'),
    ],
    signs: &["->>", "->", "||", "<<", ">>", "<=", ">=", "<>", "==", "!="],
    trigger_bodies: true,
    ..Rules::STANDARD
};

const fn named(sign: u8) -> Parameter {
    Parameter {
        sign,
        form: ParameterForm::TclName,
    }
}

use crate::dialect::Dialect;
use crate::lexis::{Lexis, Parameter, ParameterForm, Quotes, Rules};

/// SQLite.
pub static SQLITE: Dialect = Dialect {
    name: "SQLite",
    lexis: Lexis::new(RULES),
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

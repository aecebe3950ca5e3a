use crate::dialect::Dialect;
use crate::lexis::{Lexis, Parameter, ParameterForm, Rules};

/// PostgreSQL, with `standard_conforming_strings` on.
pub static POSTGRES: Dialect = Dialect {
    name: "PostgreSQL",
    lexis: Lexis::new(RULES),
};

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

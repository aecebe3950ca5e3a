use crate::lexis::{Lexis, Quotes, Rules};
use crate::postgres;

/// The lexis of SQL that is for every dialect: PostgreSQL's, with names in backticks and
/// bodies of triggers besides.
pub static COMMON: Lexis = Lexis::new(Rules {
    names: &[Quotes::of(b'"'), Quotes::of(b'`')],
    trigger_bodies: true,
    ..postgres::RULES
});

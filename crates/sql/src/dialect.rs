use crate::lexis::Lexis;

/// What differs between dialects of SQL, as a value.
#[derive(Debug)]
pub struct Dialect {
    /// The name in messages.
    pub name: &'static str,
    /// How a text is cut into tokens.
    pub lexis: Lexis,
}

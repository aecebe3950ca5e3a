/// A column that a file can fill.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    /// Whether the table refuses NULL.
    pub(super) required: bool,
}

/// What a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Text of so many characters at most.
    Text(usize),
    /// Text of any length.
    LongText,
    /// `numeric(10,2)`, not negative for the lower one.
    Salary,
    Bool,
    Date,
    Timestamp,
    Integer,
    Float,
    /// A float from 0 to 100.
    Percent,
    /// The hash of a password, as a PHC string.
    Phc,
    /// A password, which becomes such a hash.
    Password,
}

impl Column {
    /// The table's column that the value goes into.
    pub(super) fn target(&self) -> &'static str {
        match self.rule {
            Rule::Password => "hashed_password",
            _ => self.name,
        }
    }
}

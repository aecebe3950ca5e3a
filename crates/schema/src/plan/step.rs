use serde::Serialize;

use super::Lock;

/// One statement of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its action, in words, without a full stop.
    pub comment: String,
    /// The statement, without a semicolon.
    pub sql: String,
    /// The way back, once all later steps are undone.
    pub undo: Undo,
    /// The strongest lock that it takes, and on what.
    pub lock: Lock,
    /// The loss of data, in words; `None`: no loss.
    pub loses: Option<String>,
    /// Whether it can run in one transaction with the other steps. Where it cannot, it takes
    /// hold by itself, before those that follow.
    pub transactional: bool,
    /// Its action, for programs.
    #[serde(skip)]
    pub kind: StepKind,
}

/// The action of a step, as far as anything depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StepKind {
    /// It adds a label to an enumerated type.
    AddLabel,
    /// It renames a label of an enumerated type.
    RenameLabel,
    /// Anything else.
    #[default]
    Other,
}

/// The way back from a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// These statements, in order. They give the schema back as it was. Rows that the step lost
    /// stay lost, and where the rows break a constraint that comes back, they fail.
    Sql(Vec<String>),
    /// The way back of another step of the plan undoes this one too.
    Included,
    /// Nothing does, for this reason: a sentence.
    None(String),
}

impl Undo {
    /// One statement.
    pub fn sql(statement: impl Into<String>) -> Self {
        Undo::Sql(vec![statement.into()])
    }
}

impl Step {
    /// The statements that undo it, none where another step's do or where there are none.
    pub fn undone_by(&self) -> impl Iterator<Item = &str> {
        let statements: &[String] = match &self.undo {
            Undo::Sql(statements) => statements,
            Undo::Included | Undo::None(_) => &[],
        };
        statements.iter().map(String::as_str)
    }

    /// Whether nothing undoes it.
    pub fn is_final(&self) -> bool {
        matches!(self.undo, Undo::None(_))
    }

    /// Returns its loss of data, as a sentence.
    pub(crate) fn loss(&self) -> String {
        let what = self.loses.as_deref().unwrap_or("nothing");
        format!("{}: this loses {what}.", self.comment)
    }
}

use serde::Serialize;

use super::Lock;

/// One statement of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it does, in words, without a full stop.
    pub comment: String,
    /// The statement, without a semicolon.
    pub sql: String,
    /// What undoes it once all later steps are undone.
    pub undo: Undo,
    /// The strongest lock that it takes, and on what.
    pub lock: Lock,
    /// What is lost with it, in words; none: nothing.
    pub loses: Option<String>,
    /// Whether it can run in one transaction with the other steps. Where it cannot, it takes
    /// hold by itself, before those that follow.
    pub transactional: bool,
    /// Whether it is about labels of an enumerated type. Such steps come first.
    #[serde(skip)]
    pub of_labels: bool,
}

/// What undoes a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// These statements, in order. They give the schema back as it was. Rows that the step lost
    /// stay lost, and where the rows break a constraint that comes back, they fail.
    Sql(Vec<String>),
    /// What undoes another step of the plan undoes this one too.
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

    /// What it loses, as a sentence.
    pub(crate) fn loss(&self) -> String {
        let what = self.loses.as_deref().unwrap_or("nothing");
        format!("{}: this loses {what}.", self.comment)
    }
}

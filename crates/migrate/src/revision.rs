use std::borrow::Borrow;
use std::fmt;

use underpin_core::Engine;

use crate::checksum::Checksum;

/// A node of the migration graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revision {
    /// Its name in the graph and in the history.
    pub id: RevisionId,
    /// Its parents: a base has no parent, a merge has two or more.
    pub parents: Vec<RevisionId>,
    /// Revisions of other branches that have to be applied before it, beside its parents.
    pub depends_on: Vec<RevisionId>,
    /// Names for the branch that begins here; usually none.
    pub branch_labels: Vec<BranchLabel>,
    /// Its purpose, in words.
    pub message: String,
    /// Whether it runs again whenever its text changes, after all others. It has no parents then.
    pub repeatable: bool,
    /// The way up.
    pub up: Script,
    /// The way down.
    pub down: Script,
    /// Of what it does; comments and line ends do not count.
    pub checksum: Checksum,
    /// Where it was read.
    pub origin: Origin,
}

/// The name of a revision: lower-case letters, digits and underscores, usually twelve
/// hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RevisionId(String);

/// The name of a branch: lower-case letters, digits and underscores.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BranchLabel(String);

/// One direction of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// SQL, in the order in which it runs. Empty: there is nothing to do.
    Sql(Vec<Section>),
    /// Rust code that the host knows by the revision's id.
    Code,
    /// There is no way in this direction; `reason` is the author's, a full sentence.
    Irreversible {
        /// Why.
        reason: String,
    },
}

/// Statements that run together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The engine that it runs on; `None` for all. On one engine its own sections and those
    /// for all run in the order of the file.
    pub engine: Option<Engine>,
    /// Whether it runs within a transaction; `no-transaction` says otherwise.
    pub transactional: bool,
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// Where a section for all engines is read differently by some engine: that engine, and the
    /// statements as it reads them.
    pub read_otherwise: Vec<(Engine, Vec<Statement>)>,
}

impl Section {
    /// The statements as the engine reads them.
    pub fn statements_on(&self, engine: Engine) -> &[Statement] {
        let mut others = self.read_otherwise.iter();
        others
            .find(|(other, _)| *other == engine)
            .map_or(&self.statements, |(_, statements)| statements)
    }
}

/// One statement of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// Its text, without the semicolon that ends it.
    pub sql: String,
    /// The line of the file that it begins on, counted from 1.
    pub line: usize,
    /// The rows of a `COPY … FROM STDIN`, as the file has them.
    pub rows: Option<String>,
}

impl Statement {
    /// A statement without rows.
    pub fn new(sql: impl Into<String>, line: usize) -> Self {
        Statement {
            sql: sql.into(),
            line,
            rows: None,
        }
    }
}

/// Where a revision was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A file, by its path or, where it was embedded, its name.
    File(String),
    /// Rust code.
    Code,
}

impl RevisionId {
    /// The id, if it is one.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        sound(text.into()).map(RevisionId)
    }

    /// Twelve hexadecimal digits by chance.
    pub fn random() -> Self {
        RevisionId(format!("{:012x}", fastrand::u64(..) >> 16))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl BranchLabel {
    /// The label, if it is one.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        sound(text.into()).map(BranchLabel)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text, where it can name something in a target.
fn sound(text: String) -> Option<String> {
    const LONGEST: usize = 64;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let sound = !text.is_empty() && text.len() <= LONGEST && text.chars().all(fits);
    sound.then_some(text)
}

impl Borrow<str> for BranchLabel {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BranchLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BranchLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(name) => f.write_str(name),
            Origin::Code => f.write_str("code"),
        }
    }
}

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::{Expression, ObjectName, ObjectRef};

/// An object that is carried as the statements which make it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Defined {
    /// The statements, as the server renders its parts, without semicolons. The first one makes
    /// the object.
    pub definition: Vec<Expression>,
    /// The table or view that it goes with: that of a rule or of statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<ObjectRef>,
    /// The objects that it needs, as far as the engine knows.
    pub depends_on: BTreeSet<ObjectRef>,
    /// The comment on it.
    pub comment: Option<String>,
}

/// The name of an object that is carried as the statements which make it.
///
/// It is shown, and serialised, as a person would write it: `aggregate public.added(integer)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefinedName {
    /// Its kind.
    pub kind: DefinedKind,
    /// The namespace and the name in it. The namespace is empty where it is in none; for a rule it
    /// is that of its table.
    pub name: ObjectName,
    /// The whole name as SQL has it, qualified, in quotes where it needs them, with the types of
    /// arguments: what follows the kind in `DROP`.
    pub identity: String,
}

/// The kind of an object that is carried as the statements which make it. The order is that in
/// which they are made where nothing else decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DefinedKind {
    /// A collation.
    Collation,
    /// A type with attributes.
    CompositeType,
    /// A type of ranges.
    RangeType,
    /// A text search dictionary.
    TextSearchDictionary,
    /// A text search configuration.
    TextSearchConfiguration,
    /// An aggregate.
    Aggregate,
    /// An operator.
    Operator,
    /// A cast from one type to another.
    Cast,
    /// A rule of a table or view.
    Rule,
    /// Statistics over several columns or expressions of a table.
    Statistics,
    /// An event trigger.
    EventTrigger,
}

impl DefinedKind {
    /// The kind in words.
    pub fn words(self) -> &'static str {
        match self {
            DefinedKind::Collation => "collation",
            DefinedKind::CompositeType => "composite type",
            DefinedKind::RangeType => "range type",
            DefinedKind::TextSearchDictionary => "text search dictionary",
            DefinedKind::TextSearchConfiguration => "text search configuration",
            DefinedKind::Aggregate => "aggregate",
            DefinedKind::Operator => "operator",
            DefinedKind::Cast => "cast",
            DefinedKind::Rule => "rule",
            DefinedKind::Statistics => "statistics",
            DefinedKind::EventTrigger => "event trigger",
        }
    }

    /// The kind of these words.
    pub(crate) fn of_words(words: &str) -> Option<Self> {
        use DefinedKind as Kind;
        let all = [
            Kind::Collation,
            Kind::CompositeType,
            Kind::RangeType,
            Kind::TextSearchDictionary,
            Kind::TextSearchConfiguration,
            Kind::Aggregate,
            Kind::Operator,
            Kind::Cast,
            Kind::Rule,
            Kind::Statistics,
            Kind::EventTrigger,
        ];
        all.into_iter().find(|kind| kind.words() == words)
    }

    /// Whether columns can be of it.
    pub fn is_type(self) -> bool {
        matches!(self, DefinedKind::CompositeType | DefinedKind::RangeType)
    }
}

impl fmt::Display for DefinedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.words(), self.identity)
    }
}

impl Serialize for DefinedName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

use serde::Serialize;

use crate::{ObjectName, Persistence, Type};

/// A sequence that stands for itself, or that a `serial` column owns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Sequence {
    /// How it counts.
    pub options: SequenceOptions,
    /// The column that it is dropped with.
    pub owned_by: Option<ColumnRef>,
    /// Whether it outlives a crash.
    pub persistence: Persistence,
    /// The comment on it.
    pub comment: Option<String>,
}

/// How a sequence counts. Every number is there, the engine's defaults too.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SequenceOptions {
    /// The type of its numbers: `smallint`, `integer` or `bigint`.
    #[serde(rename = "type")]
    pub data_type: Type,
    /// The first number.
    pub start: i64,
    /// From each number to the next. Negative: it counts down. Never 0.
    pub increment: i64,
    /// The lowest number.
    pub min: i64,
    /// The highest number.
    pub max: i64,
    /// How many numbers a session takes at once. 1: no more than it needs.
    pub cache: i64,
    /// Whether it begins again when it has reached its end.
    pub cycle: bool,
}

impl SequenceOptions {
    /// Counting up from 1 to the highest number of an integer type: what an engine does
    /// where nothing else is said. Any name but `smallint` and `integer` means `bigint`.
    pub fn of_type(name: &str) -> Self {
        let (name, max) = match name {
            "smallint" => ("smallint", i64::from(i16::MAX)),
            "integer" => ("integer", i64::from(i32::MAX)),
            _ => ("bigint", i64::MAX),
        };
        SequenceOptions {
            data_type: Type {
                name: name.to_owned(),
                ..Type::default()
            },
            start: 1,
            increment: 1,
            min: 1,
            max,
            cache: 1,
            cycle: false,
        }
    }
}

/// A column of a table, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ColumnRef {
    /// The table.
    pub table: ObjectName,
    /// The column.
    pub column: String,
}

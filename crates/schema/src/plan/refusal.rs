use std::fmt;

use serde::Serialize;

use crate::object_name::plain;
use crate::{ColumnRef, ObjectName, ObjectRef, Type};

/// The list of what cannot be done in place. Each is shown as sentences that say what is
/// refused and how to do it.
///
/// What only the rows can say is found while the plan is carried out, and leaves nothing behind:
/// [`NullInRows`](Refusal::NullInRows) and [`NothingForRows`](Refusal::NothingForRows) in these
/// words, rows that break a new key, check or foreign key, and values that are not of a new
/// type, in the server's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// A label is taken away from an enumerated type that columns have.
    LabelTakenAway {
        /// The type.
        name: ObjectName,
        /// The labels.
        labels: Vec<String>,
    },
    /// The labels of an enumerated type that columns have are in another order.
    LabelOrder {
        /// The type.
        name: ObjectName,
    },
    /// A type that columns have is over another type, or is another kind of type.
    TypeInUse {
        /// The type.
        object: ObjectRef,
        /// The columns.
        columns: Vec<ColumnRef>,
    },
    /// No cast leads from the type of a column to the new one.
    NoConversion {
        /// The column.
        column: ColumnRef,
        /// Its type.
        from: Type,
        /// The new one.
        to: Type,
    },
    /// A table is split by another rule, or now, or no longer.
    PartitionKey {
        /// The table.
        table: ObjectName,
    },
    /// Something in use is of another kind, or cannot be changed while it is.
    InUse {
        /// The object that would have to be dropped.
        object: ObjectRef,
        /// Its dependents, in words.
        by: String,
    },
    /// A column is to refuse NULL, and rows hold it. Found while the plan is carried out.
    NullInRows {
        /// The column.
        column: ColumnRef,
    },
    /// A column without a default is to refuse NULL, and there are rows already. Found while
    /// the plan is carried out.
    NothingForRows {
        /// The column.
        column: ColumnRef,
    },
    /// A partition is for values that another one takes, which the target does not name and
    /// which therefore stays.
    PartitionOverlap {
        /// The new partition.
        table: ObjectName,
        /// The one that is there.
        other: ObjectName,
    },
    /// The columns of a table stand in another order.
    ColumnOrder {
        /// The table.
        table: ObjectName,
    },
    /// The engine has no statement for it at all.
    Unsupported {
        /// The refusal, and the advice: full sentences.
        sentence: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::LabelTakenAway { name, labels } => {
                let labels: Vec<String> = labels.iter().map(|one| format!("'{one}'")).collect();
                let labels = labels.join(", ");
                write!(
                    f,
                    "The enum {name} cannot lose {labels} while columns have this type: rows and \
                     indexes may hold the label. Keep it, rename it by a hint \
                     (--rename \"{name}.old={name}.new\"), or create another enum, change the columns to it \
                     with a USING that maps the label, and drop this one."
                )
            }
            Refusal::LabelOrder { name } => write!(
                f,
                "The labels of the enum {name} cannot be reordered while columns have this type. \
                 Keep the order, or create another enum, change the columns to it, and \
                 drop this one."
            ),
            Refusal::TypeInUse { object, columns } => {
                let columns: Vec<String> = columns.iter().map(column).collect();
                let columns = columns.join(", ");
                write!(
                    f,
                    "The {object} cannot become another type while it is the type of {columns}. \
                     Create the new type under another name, change the columns to it, and \
                     drop this one."
                )
            }
            Refusal::NoConversion {
                column: of,
                from,
                to,
            } => write!(
                f,
                "{} cannot change from {from} to {to}, since there is no cast between them. Add a \
                 column of \
                 the new type, fill it by an UPDATE, and drop the old one.",
                column(of)
            ),
            Refusal::PartitionKey { table } => write!(
                f,
                "How {table} is partitioned cannot be changed in place. Create a table with the \
                 wanted partitioning, copy the rows, and rename both tables."
            ),
            Refusal::InUse { object, by } => write!(
                f,
                "The {object} cannot be dropped, since {by} needs it. Change that first, in a \
                 revision of its own."
            ),
            Refusal::NullInRows { column: of } => {
                let name = column(of);
                let short = plain(&of.column);
                write!(
                    f,
                    "{name} cannot refuse NULL, since rows contain it. Fill them first: \
                     UPDATE {} SET {short} = … WHERE {short} IS NULL.",
                    of.table
                )
            }
            Refusal::NothingForRows { column: of } => write!(
                f,
                "{} cannot be added, since it refuses NULL, has no default, and {} has rows. Give \
                 it a default, or add it without NOT NULL, fill it, and set NOT NULL then.",
                column(of),
                of.table
            ),
            Refusal::PartitionOverlap { table, other } => write!(
                f,
                "{table} cannot be a partition, since {other} takes the same values. Partitions \
                 that the target does not name are left alone: detach or drop {other} first, or \
                 name it."
            ),
            Refusal::ColumnOrder { table } => write!(
                f,
                "The columns of {table} keep their order: to change it, the \
                 table would have to be recreated and its rows copied."
            ),
            Refusal::Unsupported { sentence } => f.write_str(sentence),
        }
    }
}

fn column(of: &ColumnRef) -> String {
    format!("{}.{}", of.table, plain(&of.column))
}

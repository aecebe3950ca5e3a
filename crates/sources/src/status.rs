use std::collections::BTreeSet;
use std::fmt;

use underpin_core::Result;
use underpin_migrate::{Mark, Migrator, OpenDatabase, RevisionId};
use underpin_schema::{Change, SchemaDialect, Selection, Unsupported};

use crate::target::Target;

/// Status of a database, relative to the program that uses it. Its text is one or more sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaStatus {
    /// It has all revisions of the program and, where a target was given, what that says.
    UpToDate,
    /// Revisions of the program are not applied, or one of them stopped halfway. `up` applies
    /// them.
    Behind {
        /// Those revisions, in the order in which they would be applied.
        pending: Vec<RevisionId>,
    },
    /// It has revisions that the program does not know: a newer version of the program was here.
    Ahead {
        /// Those revisions, in the order in which they were applied.
        unknown: Vec<RevisionId>,
        /// Revisions of the program that are not applied.
        pending: Vec<RevisionId>,
    },
    /// It has all revisions of the program and no others, and is not what the target says:
    /// somebody changed it by hand, or the revisions do not make what the target says.
    Drifted {
        /// What it would take to make it what the target says.
        changes: Vec<Change>,
        /// What only one of the two has and no change can be about.
        unsupported: BTreeSet<Unsupported>,
    },
}

impl SchemaStatus {
    /// Whether there is nothing to do.
    pub fn is_up_to_date(&self) -> bool {
        *self == SchemaStatus::UpToDate
    }
}

/// The status of a database, relative to the revisions of a migrator and, where one is given, to
/// a target. The program decides what to do about it. Changes nothing;
/// where only the texts of expressions differ, both are tried in scratch databases.
///
/// The target counts only where the revisions are all there and no others: before, the database
/// cannot be what it says. It is compared in its [namespaces](Target::namespaces).
///
/// ```no_run
/// use underpin::Database;
/// use underpin::migrate::{Embedded, Migrator};
/// use underpin::schema::{SchemaStatus, Selection, of_sql, status};
///
/// // By embed_revisions!("revisions").
/// static REVISIONS: &[Embedded] = &[];
///
/// # async fn run() -> underpin::Result<()> {
/// let db = Database::from_env().await?;
/// let migrator = Migrator::of(&db).embedded(REVISIONS)?;
/// let target = of_sql("schema.sql", &db.config(), &Selection::default()).await?;
/// match status(&db, &migrator, Some(&target)).await? {
///     SchemaStatus::UpToDate => {}
///     SchemaStatus::Behind { .. } => {
///         migrator.up("heads").await?;
///     }
///     other => eprintln!("{other}"),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As for [`Migrator::outline`] and [`introspect`](crate::introspect()).
///
/// # Cancel safety
/// Dropped half-way, scratch databases are removed in the background.
pub async fn status<D: OpenDatabase>(
    db: &D,
    migrator: &Migrator<D>,
    target: Option<&Target>,
) -> Result<SchemaStatus> {
    let outline = migrator.outline().await?;
    let marked = |marks: &[Mark]| -> Vec<RevisionId> {
        let entries = outline.iter().filter(|entry| marks.contains(&entry.mark));
        entries.map(|entry| entry.id.clone()).collect()
    };
    let unknown = marked(&[Mark::Unknown]);
    let pending = marked(&[Mark::Pending, Mark::Partial]);
    if !unknown.is_empty() {
        return Ok(SchemaStatus::Ahead { unknown, pending });
    }
    if !pending.is_empty() {
        return Ok(SchemaStatus::Behind { pending });
    }
    let Some(target) = target else {
        return Ok(SchemaStatus::UpToDate);
    };
    let has = target.counterpart(db, &Selection::default()).await?;
    let dialect = SchemaDialect::of(db.config().engine())?;
    let mut target = target.clone();
    has.settle::<D>(&mut target, &db.config()).await?;
    let diff = has.diff(&target, dialect);
    if diff.changes.is_empty() && diff.unsupported.is_empty() {
        return Ok(SchemaStatus::UpToDate);
    }
    Ok(SchemaStatus::Drifted {
        changes: diff.changes,
        unsupported: diff.unsupported,
    })
}

impl fmt::Display for SchemaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaStatus::UpToDate => f.write_str("The database is up to date."),
            SchemaStatus::Behind { pending } => write!(
                f,
                "The database is behind: it does not have {}. `up` applies the missing revisions.",
                revisions(pending)
            ),
            SchemaStatus::Ahead { unknown, pending } => {
                write!(
                    f,
                    "The database is ahead: it has {}, which this program does not know.",
                    revisions(unknown)
                )?;
                if !pending.is_empty() {
                    write!(f, " It does not have {}.", revisions(pending))?;
                }
                f.write_str(" Run a newer version of the program.")
            }
            SchemaStatus::Drifted {
                changes,
                unsupported,
            } => {
                f.write_str(
                    "The database has drifted. These changes would restore the expected \
                             schema:",
                )?;
                for change in changes {
                    write!(f, "\n  {change}")?;
                }
                for one in unsupported {
                    write!(
                        f,
                        "\n  something about {one}, which exists on one side only"
                    )?;
                }
                Ok(())
            }
        }
    }
}

/// The ids, not too many of them.
fn revisions(ids: &[RevisionId]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = ids.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
    let more = match ids.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let noun = if ids.len() == 1 {
        "revision"
    } else {
        "revisions"
    };
    format!("the {noun} {}{more}", shown.join(", "))
}

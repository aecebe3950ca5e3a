//! Revisions that are written from what is wanted.

mod trial;
mod written;

use std::collections::BTreeMap;
use std::path::Path;

use underpin_core::{Engine, Result};
use underpin_migrate::{Migrator, OpenDatabase};
use underpin_model::Models;
use underpin_schema::{Diff, Hints, Plan, Rename, Schema, SchemaDialect, Selection};

pub use written::{Written, written};

use crate::selected::selected;
use crate::{Scratch, Target, of_models, of_revisions, of_sql, settle, without_histories};

/// What a database is to have once all revisions are applied.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Wanted<'a> {
    /// What models say, and what they cannot say as the revisions make it.
    Models(&'a Models),
    /// What a file or directory of SQL makes, as [`of_sql`] reads it, in the namespaces that it
    /// names.
    Sql(&'a Path),
}

/// What the revisions make and what is wanted beyond it, on the engine of a migrator. What the
/// revisions make is in a scratch database, beside the migrator's own, which is not touched and
/// need not be at the head.
///
/// [`written`] makes revisions of it, [`try_out`](Comparison::try_out) applies them to the scratch
/// database, and [`close`](Comparison::close) removes that.
#[derive(Debug)]
pub struct Comparison<D: OpenDatabase> {
    /// The engine.
    pub engine: Engine,
    /// What the revisions make.
    pub made: Schema,
    /// What is wanted, as the server renders it.
    pub wanted: Schema,
    /// How they differ.
    pub diff: Diff,
    /// The steps from the one to the other.
    pub plan: Plan,
    /// The renames that were asked for and name nothing on this engine, with a sentence that
    /// says so. Elsewhere they may.
    pub passed_over: BTreeMap<String, String>,
    dialect: &'static SchemaDialect,
    scratch: Scratch<D>,
    /// Where what is wanted is told by SQL, that, since it says what is compared.
    target: Option<Target>,
    selection: Selection,
}

impl<D: OpenDatabase> Comparison<D> {
    /// Compares, with the renames that `renames` ask for as
    /// [`Rename::parse`] reads them, and those that what is wanted
    /// says itself.
    ///
    /// # Errors
    /// `Class::Config` for models that are none as a whole; where the revisions cannot be
    /// applied; as for [`Scratch::beside`].
    ///
    /// # Cancel safety
    /// Dropped half-way, scratch databases are removed in the background.
    pub async fn new(
        migrator: &Migrator<D>,
        wanted: &Wanted<'_>,
        renames: &[impl AsRef<str>],
    ) -> Result<Self> {
        Self::of_selection(migrator, wanted, renames, &Selection::default()).await
    }

    /// Compares what is selected. The tables in which other tools keep their histories are left out
    /// unless they are selected by their names.
    ///
    /// # Errors
    /// As for [`new`](Comparison::new).
    ///
    /// # Cancel safety
    /// As for [`new`](Comparison::new).
    pub async fn of_selection(
        migrator: &Migrator<D>,
        wanted: &Wanted<'_>,
        renames: &[impl AsRef<str>],
        selection: &Selection,
    ) -> Result<Self> {
        let selection = without_histories(selection);
        let scratch = Scratch::beside(&migrator.config()).await?;
        match compared(migrator, wanted, renames, &selection, &scratch).await {
            Ok(sides) => Self::of(migrator, sides, selection, scratch).await,
            Err(error) => {
                scratch.remove().await?;
                Err(error)
            }
        }
    }

    async fn of(
        migrator: &Migrator<D>,
        sides: Sides,
        selection: Selection,
        scratch: Scratch<D>,
    ) -> Result<Self> {
        let engine = migrator.engine();
        let Sides {
            made,
            wanted,
            mut hints,
            passed_over,
            target,
        } = sides;
        let dialect = SchemaDialect::of(engine)?;
        settle::<D>(&made, &wanted, &mut hints, &migrator.config()).await?;
        let diff = (dialect.diff)(&made, &wanted, &hints);
        let plan = (dialect.plan)(&made, &wanted, &diff)?;
        Ok(Comparison {
            engine,
            dialect,
            made,
            wanted,
            diff,
            plan,
            passed_over,
            scratch,
            target,
            selection,
        })
    }

    /// Whether the revisions make what is wanted.
    pub fn is_empty(&self) -> bool {
        self.diff.changes.is_empty()
    }

    /// Removes the scratch database.
    ///
    /// # Errors
    /// Where the server does not drop it.
    ///
    /// # Cancel safety
    /// Dropped half-way, it goes on in the background.
    pub async fn close(self) -> Result<()> {
        self.scratch.remove().await
    }
}

struct Sides {
    made: Schema,
    wanted: Schema,
    hints: Hints,
    passed_over: BTreeMap<String, String>,
    target: Option<Target>,
}

async fn compared<D: OpenDatabase>(
    migrator: &Migrator<D>,
    wanted: &Wanted<'_>,
    renames: &[impl AsRef<str>],
    selection: &Selection,
    scratch: &Scratch<D>,
) -> Result<Sides> {
    let made = of_revisions(migrator, scratch).await?;
    let config = migrator.config();
    match wanted {
        Wanted::Models(models) => {
            let engine = migrator.engine();
            let mut hints = models.hints(engine);
            let described = models.schema(engine)?;
            let passed_over = add(renames, &mut hints, &made, &described);
            let wanted = of_models::<D>(models, &config, &made, &hints).await?;
            Ok(Sides {
                wanted: selected(wanted, selection),
                made: selected(made, selection),
                hints,
                passed_over,
                target: None,
            })
        }
        Wanted::Sql(path) => {
            let target = of_sql::<D>(path, &config, selection).await?;
            let made = target
                .counterpart(scratch.database(), selection)
                .await?
                .schema;
            let mut hints = target.hints.clone();
            let passed_over = add(renames, &mut hints, &made, &target.schema);
            Ok(Sides {
                wanted: target.schema.clone(),
                made,
                hints,
                passed_over,
                target: Some(target),
            })
        }
    }
}

/// Adds the renames that name something to the hints, and gives the others.
fn add(
    renames: &[impl AsRef<str>],
    hints: &mut Hints,
    made: &Schema,
    wanted: &Schema,
) -> BTreeMap<String, String> {
    let mut passed_over = BTreeMap::new();
    for text in renames {
        let text = text.as_ref();
        match Rename::parse(text, made, wanted) {
            Ok(rename) => hints.renames.push(rename),
            Err(error) => drop(passed_over.insert(text.to_owned(), error.message().to_owned())),
        }
    }
    passed_over
}

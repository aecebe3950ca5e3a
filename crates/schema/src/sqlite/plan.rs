use std::collections::BTreeMap;

use underpin_core::Result;

use super::ddl;
use crate::object_name::plain;
use crate::plan::{Plan, Refusal, Undo};
use crate::{Change, Diff, Hints, ObjectName, Schema};

mod affected;
mod affinity;
mod chosen;
mod dependents;
mod in_place;
mod rebuild;
mod renames;
mod spelling;
mod steps;
mod taken;
mod way_back;

use affected::{IndexChanges, index_changes, tables_changed};
use chosen::chosen;
use dependents::Dependents;
use rebuild::Rebuild;
use renames::Renames;
use steps::{Steps, catalog, entries};
use taken::Taken;

/// The steps that carry out the changes of a [`diff`](crate::diff()) on a SQLite database that
/// has the first schema, or why they cannot be carried out in place. The changes may be fewer
/// than those that lead all the way: a table or view of which none is among them stays.
///
/// Where `ALTER TABLE` cannot change a table, it is recreated, its rows are copied, and the
/// new one takes the name of the old one. The steps are for one transaction, begun while
/// `PRAGMA foreign_keys` is off, for otherwise dropping a table would act on the rows that
/// refer to it; before the transaction ends, `PRAGMA foreign_key_check` tells whether all
/// references still hold. A migration's run does both.
///
/// Views and triggers that name a table or column which is renamed, or a table that loses a
/// column in place, are dropped before and recreated.
///
/// # Errors
/// For a name that is empty or holds a NUL byte; with
/// [`Class::Unsupported`](underpin_core::Class::Unsupported) for what SQLite cannot have.
pub fn plan(from: &Schema, to: &Schema, diff: &Diff) -> Result<Plan> {
    let renames = Renames::of(from, to, diff);
    let base = renames.apply(from);
    let refused = |refusals| {
        Ok(Plan {
            refusals,
            ..Plan::default()
        })
    };
    let all = crate::diff(from, to, renames.hints()).changes;
    let to = match chosen(&base, to, &all, &diff.changes) {
        Ok(to) => to,
        Err(refusals) => return refused(refusals),
    };
    let changes = crate::diff(&base, &to, &Hints::default()).changes;
    let mut refusals = spelling::refused(&changes);
    refusals.extend(renames.refused(from));
    if !refusals.is_empty() {
        return refused(refusals);
    }
    Planner::new(from, &base, &to, &renames, &changes)?.run()
}

/// How a table is changed.
enum Way {
    InPlace(in_place::InPlace),
    Rebuild,
}

struct Planner<'s> {
    /// The schema after the renames.
    base: &'s Schema,
    to: &'s Schema,
    renames: &'s Renames,
    changes: &'s [Change],
    /// Those of tables that are there before and after.
    tables_changed: BTreeMap<&'s ObjectName, Vec<&'s Change>>,
    index_changes: IndexChanges<'s>,
    taken: Taken,
    ways: BTreeMap<&'s ObjectName, Way>,
    dependents: Dependents<'s>,
    steps: Steps,
}

impl<'s> Planner<'s> {
    fn new(
        from: &'s Schema,
        base: &'s Schema,
        to: &'s Schema,
        renames: &'s Renames,
        changes: &'s [Change],
    ) -> Result<Self> {
        let mut ways = BTreeMap::new();
        let mut touched = renames.touched();
        let tables_changed = tables_changed(changes);
        for (&name, changes) in &tables_changed {
            let (now, then) = (&base.tables[name], &to.tables[name]);
            let way = match in_place::in_place(name, now, then, changes)? {
                Some(way) => {
                    if way.drops {
                        touched.insert(name.name.to_ascii_lowercase());
                    }
                    Way::InPlace(way)
                }
                None => Way::Rebuild,
            };
            ways.insert(name, way);
        }
        let dependents = Dependents::of(from, base, to, changes, renames, &touched);
        Ok(Planner {
            base,
            to,
            renames,
            changes,
            tables_changed,
            index_changes: index_changes(changes),
            taken: Taken::of([base, to]),
            ways,
            dependents,
            steps: Steps::default(),
        })
    }

    fn run(mut self) -> Result<Plan> {
        self.dependents.drop_all(&mut self.steps)?;
        self.renames.steps(&mut self.steps)?;
        self.drop_indexes()?;
        let mut left = Vec::new();
        for (name, then) in &self.to.tables {
            let now = self.base.tables.get(name);
            let rebuilt = matches!(self.ways.get(name), Some(Way::Rebuild));
            if now.is_some_and(|now| in_place::other_order(now, then)) && !rebuilt {
                let table = name.clone();
                left.push(Refusal::ColumnOrder { table });
            }
        }
        for (name, way) in std::mem::take(&mut self.ways) {
            match way {
                Way::InPlace(way) => self.in_place(name, way)?,
                Way::Rebuild => self.rebuild(name)?,
            }
        }
        self.create_tables()?;
        self.drop_tables()?;
        self.create_indexes()?;
        self.dependents.create_all(&mut self.steps)?;
        Ok(Plan {
            steps: self.steps.list,
            left,
            ..Plan::default()
        })
    }

    /// Drops what is not to stay of the indexes. Those of a table that is recreated go with it.
    fn drop_indexes(&mut self) -> Result<()> {
        for &(table, name) in &self.index_changes.gone {
            let undo = ddl::index::create(table, name, &self.base.tables[table].indexes[name])?;
            let sql = ddl::index::drop(name)?;
            let comment = format!("Drop index {} of {table}", plain(name));
            self.steps.push(comment, sql, Undo::sql(undo), catalog());
        }
        Ok(())
    }

    fn create_indexes(&mut self) -> Result<()> {
        for &(table, name) in &self.index_changes.made {
            let sql = ddl::index::create(table, name, &self.to.tables[table].indexes[name])?;
            let undo = ddl::index::drop(name)?;
            let comment = format!("Create index {} of {table}", plain(name));
            self.steps.push(comment, sql, Undo::sql(undo), entries());
        }
        for change in self.changes {
            let Change::CreateTable { name: table, to } = change else {
                continue;
            };
            for (name, index) in &to.indexes {
                let sql = ddl::index::create(table, name, index)?;
                // By itself, since the table that goes may have had one of this name.
                let undo = ddl::index::drop(name)?;
                let comment = format!("Create index {} of {table}", plain(name));
                self.steps.push(comment, sql, Undo::sql(undo), catalog());
            }
        }
        Ok(())
    }

    fn rebuild_of(&self, name: &'s ObjectName) -> Rebuild<'_> {
        Rebuild {
            name,
            now: &self.base.tables[name],
            then: &self.to.tables[name],
            indexes_apart: self.index_changes.of(name),
            triggers_apart: self.dependents.triggers_of(name),
            to: self.to,
            taken: &self.taken,
        }
    }

    fn rebuild(&mut self, name: &'s ObjectName) -> Result<()> {
        let changes = self.tables_changed.get(name);
        let changes = changes.map(Vec::as_slice).unwrap_or_default();
        let steps = self.rebuild_of(name).steps(changes)?;
        self.steps.list.extend(steps);
        Ok(())
    }

    fn in_place(&mut self, name: &'s ObjectName, mut way: in_place::InPlace) -> Result<()> {
        let undo = self.rebuild_of(name).undo()?;
        if way.undone_by_rebuild || matches!(undo, Undo::None(_)) {
            for step in way.steps.iter_mut().skip(1) {
                step.undo = Undo::Included;
            }
            if let Some(first) = way.steps.first_mut() {
                first.undo = undo;
            }
        }
        self.steps.list.append(&mut way.steps);
        Ok(())
    }

    fn create_tables(&mut self) -> Result<()> {
        for change in self.changes {
            if let Change::CreateTable { name, to } = change {
                let (sql, undo) = (ddl::table::create(name, to)?, ddl::table::drop(name)?);
                self.steps
                    .push(change.to_string(), sql, Undo::sql(undo), catalog());
            }
        }
        Ok(())
    }

    fn drop_tables(&mut self) -> Result<()> {
        for change in self.changes {
            let Change::DropTable { name, from } = change else {
                continue;
            };
            let mut undo = vec![ddl::table::create(name, from)?];
            for (index, of) in &from.indexes {
                undo.push(ddl::index::create(name, index, of)?);
            }
            let gone = self.dependents.triggers_of(name);
            for (trigger, of) in from
                .triggers
                .iter()
                .filter(|(name, _)| !gone.contains(name))
            {
                undo.push(ddl::trigger::create(trigger, of)?);
            }
            let sql = ddl::table::drop(name)?;
            let step = self
                .steps
                .push(change.to_string(), sql, Undo::Sql(undo), catalog());
            step.loses = Some(format!("the rows of {name}"));
        }
        Ok(())
    }
}

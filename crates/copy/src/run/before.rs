//! What happens before the first row is copied: what the target lacks is created, what is done with
//! each table is decided, and the tables that are copied again are emptied.

use std::collections::{BTreeMap, BTreeSet};

use underpin_core::{Class, Error, Result};
use underpin_schema::{ObjectName, Schema};

use super::{Known, Run, loosened, there};
use crate::checksum::Checksum;
use crate::dialect::ForeignKeyRules;
use crate::order::with_dependents;
use crate::reading::{Read, Reading, read};
use crate::record::{Notes, Record};
use crate::resume::{Decision, Found, decide, needs_source};

impl Run {
    /// Reads what an earlier run has noted or, where there was none, begins the notes; and creates
    /// what the target lacks but for what the rows do not need. Both are in one transaction where the
    /// engine can, so that a run which was killed is always known by its notes.
    pub(super) async fn begin(&mut self, record: &Record, whole: Option<&Schema>) -> Result<Notes> {
        let found = record.read(&self.writer, &self.there).await?;
        let mut statements = Vec::new();
        match &found {
            Some(notes) => {
                self.report.resumed = true;
                self.progress.resumed();
                if notes.creates && whole.is_none() {
                    return Err(unfinished());
                }
            }
            None => statements = record.creation()?,
        }
        let notes = found.unwrap_or_default();
        if let Some(whole) = whole {
            if !notes.creates {
                statements.push(record.creates());
            }
            let (_, created) = self.creation(whole)?;
            self.report.created.clone_from(&created);
            statements.extend(created);
        }
        self.together(&statements).await?;
        self.there = there(&self.writer, self.target.engine()).await?;
        Ok(notes)
    }

    /// Finds out what is done with each table.
    pub(super) async fn decide(
        &mut self,
        tables: &BTreeSet<ObjectName>,
        notes: Notes,
        record: &Record,
    ) -> Result<Vec<Known>> {
        let decided = self.decided(tables, &notes).await;
        let nothing_begun = !self.report.resumed && self.report.created.is_empty();
        if decided.is_err() && nothing_begun {
            record.drop(&self.writer).await?;
        }
        decided
    }

    async fn decided(&self, tables: &BTreeSet<ObjectName>, notes: &Notes) -> Result<Vec<Known>> {
        let mut decided = Vec::new();
        for one in self.known(tables)? {
            let noted = notes.finished.get(&one.plan.target.to_string()).copied();
            decided.push(self.decide_one(one, noted).await?);
        }
        let refused =
            |one: &&Known| matches!(one.decision, Decision::Refuse | Decision::RefuseChanged);
        let refused: Vec<String> = decided
            .iter()
            .filter(refused)
            .map(|one| one.plan.target.to_string())
            .collect();
        if refused.is_empty() {
            return Ok(decided);
        }
        let message = format!(
            "The target has other rows in {} already; nothing was copied.",
            refused.join(", ")
        );
        Err(Error::new(Class::Config, message).with_hint(
            "Say --on-conflict replace to delete them, or --on-conflict skip to leave these tables.",
        ))
    }

    async fn decide_one(&self, one: Known, noted: Option<Checksum>) -> Result<Known> {
        let plan = &one.plan;
        let has_rows = (self.rules.has_rows)(&plan.rows);
        let has_rows = self.writer.number(&has_rows).await?;
        let mut found = Found {
            noted,
            target: None,
            source: None,
        };
        let mut bad = Vec::new();
        if has_rows == Some(1) {
            self.progress.comparing(&plan.source);
            let reading = Reading::back(plan);
            let back = read(self.writer.clone(), plan.read_back.clone(), reading, None);
            found.target = Some(back.await?.sum);
        }
        if needs_source(found.target, noted, self.options.on_conflict) {
            let skip = self.options.skip_bad;
            let reading = Reading::to_write(plan, self.rules.store, skip).without_values();
            let there = read(self.reader.clone(), plan.read.clone(), reading, None);
            let Read { sum, bad: left_out } = there.await?;
            found.source = Some(sum);
            bad = left_out;
        }
        Ok(Known {
            decision: decide(found, self.options.on_conflict),
            read: found.source,
            bad,
            ..one
        })
    }

    /// Deletes the rows of the tables that are copied again, and of those that refer to them.
    pub(super) async fn empty(&self, known: &mut [Known], record: &Record) -> Result<()> {
        let emptied = emptied(known);
        let constraints = matches!(self.rules.foreign_keys, ForeignKeyRules::Constraints { .. });
        let all = match constraints {
            true => with_dependents(&self.there.tables, &emptied),
            false => emptied.clone(),
        };
        for name in all.difference(&emptied) {
            match known.iter_mut().find(|one| one.plan.target == *name) {
                Some(one) if one.decision == Decision::Equal => one.decision = Decision::CopyAgain,
                Some(one) if one.decision == Decision::Copy => {}
                _ => self.require_empty(name).await?,
            }
        }
        let rows: BTreeMap<&ObjectName, &str> = known
            .iter()
            .map(|one| (&one.plan.target, one.plan.rows.as_str()))
            .collect();
        let groups = self.groups(known);
        for group in groups.iter().rev() {
            let of_group = group.tables.iter().filter(|name| all.contains(name));
            let mut statements = Vec::new();
            for name in of_group {
                if let Some(rows) = rows.get(name) {
                    statements.push(format!("DELETE FROM {rows}"));
                    statements.push(record.forget(name));
                }
            }
            if statements.is_empty() {
                continue;
            }
            let [before, after] = loosened(self.target.engine(), &self.there, group)?;
            self.together(&[before, statements, after].concat()).await?;
        }
        Ok(())
    }

    /// Refuses to delete rows that others refer to which stay.
    async fn require_empty(&self, name: &ObjectName) -> Result<()> {
        let table = (self.to.table_name)(name)?;
        if self.writer.number(&(self.rules.has_rows)(&table)).await? != Some(1) {
            return Ok(());
        }
        let message = format!(
            "Rows cannot be replaced that {name} refers to, which has rows and stays as it is."
        );
        Err(Error::new(Class::Config, message)
            .with_hint(format!("Copy {name} too, or delete its rows first.")))
    }

    /// The tables that are not copied and refer to some whose rows are deleted, each with how many of
    /// its rows refer to nothing before.
    pub(super) async fn dangling(&self, known: &[Known]) -> Result<Vec<(ObjectName, u64)>> {
        let emptied = emptied(known);
        let mut dangling = Vec::new();
        for (name, table) in &self.there.tables {
            let mut keys = table.foreign_keys.values();
            let refers = keys.any(|key| emptied.contains(&key.references));
            if refers && !known.iter().any(|one| one.plan.target == *name) {
                dangling.push((name.clone(), self.orphans(name).await?));
            }
        }
        Ok(dangling)
    }
}

/// The tables whose rows are deleted and copied again.
fn emptied(known: &[Known]) -> BTreeSet<ObjectName> {
    known
        .iter()
        .filter(|one| matches!(one.decision, Decision::CopyAgain | Decision::Replace))
        .map(|one| one.plan.target.clone())
        .collect()
}

fn unfinished() -> Error {
    let message = "An earlier run with --create has not ended, and has left keys and indexes for the \
                   end.";
    Error::new(Class::Config, message).with_hint(
        "Say --create again. To do without what it has left, drop the table _underpin_copy of the \
         target.",
    )
}

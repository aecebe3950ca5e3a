//! A copy from its beginning to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use underpin_core::{Class, Deadline, Engine, Error, Result, TransactionOptions, Value, quote};
use underpin_schema::{Deferral, Hints, ObjectName, Schema, SchemaDialect};

use crate::catalog;
use crate::checksum::Checksum;
use crate::client::{Client, Endpoint};
use crate::dialect::{CopyDialect, ForeignKeyRules, TargetRules};
use crate::jobs::{self, Work, Worker};
use crate::lock::{self, Lock};
use crate::options::CopyOptions;
use crate::order::{Group, groups};
use crate::plan::{TablePlan, plans, selected, without_columns};
use crate::progress::Progress;
use crate::reading::{Reading, read};
use crate::record::Record;
use crate::report::{Bad, CopyReport, TableReport};
use crate::resume::Decision;
use crate::translate::{Side, Wanted, present, wanted, without_parts};

mod before;

/// Copies tables from one database to another.
///
/// All rows are of one snapshot of the source. Each table, or each group of tables that refer to one
/// another, is copied in one transaction, so that it is whole or empty, however the run ends. Until
/// the run ends, the target has a table `_underpin_copy` with what is finished; a further run goes on
/// from there. At the end each table of the target is read and its checksum compared.
///
/// # Errors
/// [`Class::Config`] for options that name nothing and for tables that have other rows already,
/// [`Class::Missing`] for what the target lacks, [`Class::Busy`] where another copy into the target
/// does not end, [`Class::Data`] for a row that does not fit, with table, key and column, and whatever
/// an engine refuses.
///
/// # Cancel safety
/// Dropped half-way, the tables that were finished stay, and the others are empty.
pub async fn copy(
    source: Arc<dyn Endpoint>,
    target: Arc<dyn Endpoint>,
    options: CopyOptions,
    progress: Arc<dyn Progress>,
) -> Result<CopyReport> {
    let run = Run::open(source, target, options, progress).await?;
    run.whole().await
}

/// How long the end of a connection may take.
const CLOSING: Duration = Duration::from_secs(60);

/// What one run holds.
struct Run {
    source: Arc<dyn Endpoint>,
    target: Arc<dyn Endpoint>,
    options: CopyOptions,
    progress: Arc<dyn Progress>,
    from: &'static CopyDialect,
    to: &'static CopyDialect,
    rules: &'static TargetRules,
    /// Reads in the snapshot, and holds it open for others.
    reader: Client,
    writer: Client,
    schema: Schema,
    there: Schema,
    about: BTreeMap<ObjectName, u64>,
    report: CopyReport,
    /// None where nothing is changed.
    _lock: Option<Lock>,
}

/// The plan of a table, and what is known of it.
struct Known {
    plan: TablePlan,
    decision: Decision,
    read: Option<Checksum>,
    /// The rows of the source that do not fit, where it was read.
    bad: Vec<Bad>,
}

impl Run {
    async fn open(
        source: Arc<dyn Endpoint>,
        target: Arc<dyn Endpoint>,
        options: CopyOptions,
        progress: Arc<dyn Progress>,
    ) -> Result<Run> {
        let (from, to) = (
            CopyDialect::of(source.engine())?,
            CopyDialect::of(target.engine())?,
        );
        let rules = CopyDialect::target_of(target.engine())?;
        let dialect = SchemaDialect::of(source.engine())?;
        let reader = Client::connect(&*source, &[from.session]).await?;
        let writer = Client::connect(&*target, &[to.session, rules.session]).await?;
        if source.engine() == target.engine() {
            lock::require_two(&reader, &writer, rules).await?;
        }
        let lock = match options.dry_run {
            true => None,
            false => Some(lock::acquire(&*target, &writer, rules, &*progress).await?),
        };
        reader.begin(dialect.catalog.snapshot).await?;
        let schema = catalog::read(&reader, dialect).await?;
        let about = catalog::estimates(&reader, dialect).await?;
        let there = there(&writer, target.engine()).await?;
        Ok(Run {
            from,
            to,
            rules,
            reader,
            writer,
            schema,
            there,
            about,
            report: CopyReport {
                dry_run: options.dry_run,
                ..CopyReport::default()
            },
            source,
            target,
            options,
            progress,
            _lock: lock,
        })
    }

    async fn whole(mut self) -> Result<CopyReport> {
        let tables = selected(&self.schema, &self.options)?;
        let later = match self.options.create {
            true => Some(self.wanted(&tables)?),
            false => None,
        };
        self.report
            .left
            .extend(without_columns(&self.schema, &self.options));
        if self.options.dry_run {
            let known = self.known(&tables)?;
            return Ok(self.dry(known));
        }
        let record = Record::new(self.target.engine())?;
        let notes = self.begin(&record, later.as_ref()).await?;
        let mut known = self.decide(&tables, notes, &record).await?;
        let dangling = self.dangling(&known).await?;
        self.empty(&mut known, &record).await?;
        let workers = self.workers(self.jobs(known.len())).await?;
        let mut reports = self.load(known, workers.clone()).await?;
        if let Some(later) = later {
            self.finish(&later).await?;
        }
        self.verify(&mut reports, workers).await?;
        for (table, before) in dangling {
            let after = self.orphans(&table).await?;
            if after > before {
                self.report.dangling.push((table, after - before));
            }
        }
        for (plan, _) in &reports {
            self.count(plan).await?;
        }
        record.drop(&self.writer).await?;
        self.reader.commit().await?;
        let bound = Deadline::after(Instant::now(), CLOSING);
        self.reader.close(bound).await;
        self.writer.close(bound).await;
        let mut report = self.report;
        report.tables = reports.into_iter().map(|(_, report)| report).collect();
        Ok(report)
    }

    /// The whole that the target is to have. For a look, the target is taken to have it.
    fn wanted(&mut self, tables: &BTreeSet<ObjectName>) -> Result<Schema> {
        let from = Side::new(self.source.engine(), &self.schema)?;
        let all = self.options.tables.is_empty() && self.options.exclude.is_empty();
        let engine = self.target.engine();
        let Wanted { schema, left } = wanted(from, tables, all, engine)?;
        self.report.left = left;
        if self.options.dry_run {
            let (bare, statements) = self.creation(&schema)?;
            let later = steps(engine, &present(&bare, &bare), &schema)?;
            self.report.created = [statements, later].concat();
            for (name, table) in &schema.tables {
                let there = self.there.tables.entry(name.clone());
                there.or_insert_with(|| table.clone());
            }
        }
        Ok(schema)
    }

    /// The whole but for what the rows do not need, and the statements that create it.
    fn creation(&self, whole: &Schema) -> Result<(Schema, Vec<String>)> {
        let keys_later = matches!(self.rules.foreign_keys, ForeignKeyRules::Constraints { .. });
        let bare = without_parts(whole, keys_later);
        let statements = steps(self.target.engine(), &present(&bare, &self.there), &bare)?;
        Ok((bare, statements))
    }

    /// Runs statements in one transaction, where the engine can.
    async fn together(&self, statements: &[String]) -> Result<()> {
        if statements.is_empty() {
            return Ok(());
        }
        let dialect = self.target.engine().dialect();
        let transactional = dialect.is_some_and(|dialect| dialect.transactions.ddl);
        if transactional {
            self.writer.begin(TransactionOptions::default()).await?;
        }
        for statement in statements {
            self.progress.finishing(statement);
            if let Err(error) = self.writer.batch(statement).await {
                if transactional {
                    self.writer.rollback().await?;
                }
                let context = format!("The target refuses the statement\n{statement}\n");
                return Err(error.with_context(context));
            }
        }
        match transactional {
            true => self.writer.commit().await,
            false => Ok(()),
        }
    }

    /// Creates what was left for the end: foreign keys, indexes, triggers, views.
    async fn finish(&mut self, whole: &Schema) -> Result<()> {
        let engine = self.target.engine();
        let there = there(&self.writer, engine).await?;
        let statements = steps(engine, &present(whole, &there), whole)?;
        self.together(&statements).await?;
        self.report.created.extend(statements);
        Ok(())
    }

    fn known(&self, tables: &BTreeSet<ObjectName>) -> Result<Vec<Known>> {
        let from = Side::new(self.source.engine(), &self.schema)?;
        let to = Side::new(self.target.engine(), &self.there)?;
        let plans = plans(from, to, tables, &self.options)?;
        let known = plans.into_iter().map(|plan| Known {
            plan,
            decision: Decision::Copy,
            read: None,
            bad: Vec::new(),
        });
        Ok(known.collect())
    }

    fn dry(mut self, known: Vec<Known>) -> CopyReport {
        let groups = self.groups(&known);
        let mut by_target: BTreeMap<ObjectName, TablePlan> = known
            .into_iter()
            .map(|known| (known.plan.target.clone(), known.plan))
            .collect();
        let names = groups.into_iter().flat_map(|group| group.tables);
        let plans = names.filter_map(|name| by_target.remove(&name));
        self.report.tables = plans.map(|plan| report(&plan, Decision::Copy)).collect();
        self.report
    }

    /// The tables in the order in which they are copied.
    fn groups(&self, known: &[Known]) -> Vec<Group> {
        let constraints = matches!(self.rules.foreign_keys, ForeignKeyRules::Constraints { .. });
        let mut tables = BTreeMap::new();
        for one in known {
            if let Some(table) = self.there.tables.get(&one.plan.target) {
                let mut table = table.clone();
                if !constraints {
                    table.foreign_keys.clear();
                }
                tables.insert(one.plan.target.clone(), table);
            }
        }
        groups(&tables)
    }

    /// How many tables are copied at once.
    fn jobs(&self, groups: usize) -> usize {
        match self.rules.writers && self.from.snapshot.is_some() {
            true => self.options.jobs.clamp(1, groups.max(1)),
            false => 1,
        }
    }

    async fn workers(&self, count: usize) -> Result<Vec<Worker>> {
        let mut workers = vec![Worker {
            reader: self.reader.clone(),
            writer: self.writer.clone(),
        }];
        let Some(snapshot) = self.from.snapshot.filter(|_| count > 1) else {
            return Ok(workers);
        };
        let Value::Text(name) = self.reader.value(snapshot.export).await? else {
            let message = "The source does not tell the name of its snapshot.";
            return Err(Error::new(Class::Protocol, message));
        };
        let begin = SchemaDialect::of(self.source.engine())?.catalog.snapshot;
        while workers.len() < count {
            let reader = Client::connect(&*self.source, &[self.from.session]).await?;
            reader.begin(begin).await?;
            reader.batch(&(snapshot.import)(&name)).await?;
            let session = [self.to.session, self.rules.session];
            let writer = Client::connect(&*self.target, &session).await?;
            lock::join(&writer, self.rules).await?;
            workers.push(Worker { reader, writer });
        }
        Ok(workers)
    }

    /// Copies the tables, and gives what is known of each, in their order.
    async fn load(
        &self,
        known: Vec<Known>,
        workers: Vec<Worker>,
    ) -> Result<Vec<(TablePlan, TableReport)>> {
        let groups = self.groups(&known);
        let mut by_target: BTreeMap<ObjectName, Known> = known
            .into_iter()
            .map(|one| (one.plan.target.clone(), one))
            .collect();
        let engine = self.target.engine();
        let mut works = Vec::new();
        let mut after = Vec::new();
        for group in &groups {
            let copied = |name: &&ObjectName| by_target[*name].decision.copies();
            let plans = group.tables.iter().filter(copied);
            let plans: Vec<TablePlan> = plans.map(|name| by_target[name].plan.clone()).collect();
            let about = |plan: &TablePlan| self.about.get(&plan.source).copied();
            works.push(Arc::new(Work {
                about: plans.iter().map(about).collect(),
                plans,
                loosened: loosened(engine, &self.there, group)?,
                target: engine,
                skip_bad: self.options.skip_bad,
                progress: Arc::clone(&self.progress),
            }));
            after.push(group.after.clone());
        }
        let task = |worker: Worker, at: usize| {
            let work: Arc<Work> = Arc::clone(&works[at]);
            async move {
                let done = work.run(&worker).await;
                (worker, done)
            }
        };
        let done = jobs::run(workers, &after, task).await?;
        let mut reports = Vec::new();
        for (group, loaded) in groups.iter().zip(done) {
            let mut loaded = loaded.into_iter();
            for name in &group.tables {
                let Some(known) = by_target.remove(name) else {
                    continue;
                };
                let mut report = report(&known.plan, known.decision);
                match known.decision.copies() {
                    true => {
                        if let Some(loaded) = loaded.next() {
                            (report.read, report.bad) = (Some(loaded.sum), loaded.bad);
                        }
                    }
                    // It was read on both sides, and not written.
                    false => {
                        (report.read, report.found) = (known.read, known.read);
                        report.bad = known.bad;
                    }
                }
                reports.push((known.plan, report));
            }
        }
        Ok(reports)
    }

    /// Reads what the target has now, of the tables that were copied. Where any was, those that were
    /// equal before are read again: what a trigger changed shows.
    async fn verify(
        &self,
        reports: &mut [(TablePlan, TableReport)],
        workers: Vec<Worker>,
    ) -> Result<()> {
        let copied = |at: &usize| reports[*at].1.decision.copies();
        let any = (0..reports.len()).any(|at| copied(&at));
        let copied: Vec<usize> = (0..reports.len())
            .filter(|at| copied(at) || any && reports[*at].1.decision == Decision::Equal)
            .collect();
        let task = |worker: Worker, at: usize| {
            let plan = &reports[copied[at]].0;
            self.progress.verifying(&plan.source);
            let back = read(
                worker.writer.clone(),
                plan.read_back.clone(),
                Reading::back(plan),
                None,
            );
            async move {
                let found = back.await.map(|read| read.sum);
                (worker, found)
            }
        };
        let free = vec![BTreeSet::new(); copied.len()];
        let found = jobs::run(workers, &free, task).await?;
        for (at, sum) in copied.into_iter().zip(found) {
            reports[at].1.found = Some(sum);
        }
        for (plan, report) in reports {
            report.orphans = self.orphans(&plan.target).await?;
        }
        Ok(())
    }

    /// How many rows of a table refer to nothing, where the engine has not seen to that.
    async fn orphans(&self, table: &ObjectName) -> Result<u64> {
        let ForeignKeyRules::CheckedAfter(query) = self.rules.foreign_keys else {
            return Ok(0);
        };
        let orphans = self.writer.number(&query(&table.name)).await?;
        Ok(orphans
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0))
    }

    /// Makes the counters of a table go on behind the source's.
    async fn count(&self, plan: &TablePlan) -> Result<()> {
        for counted in &plan.counted {
            let last = match &counted.last {
                Some(sql) => self.reader.number(sql).await?,
                None => None,
            };
            let column = quote::identifier(&counted.column.name)?;
            let end = if counted.down { "min" } else { "max" };
            let sql = format!("SELECT {end}({column}) FROM {}", plan.into);
            let there = self.writer.number(&sql).await?;
            let number = match counted.down {
                true => last.into_iter().chain(there).min(),
                false => last
                    .into_iter()
                    .chain(there)
                    .max()
                    .filter(|number| *number > 0),
            };
            let Some(number) = number else { continue };
            let set = (self.rules.set_number)(&self.there, &plan.target, &counted.column, number)?;
            for statement in set {
                self.writer.batch(&statement).await?;
            }
        }
        Ok(())
    }
}

/// The schema that the target has now.
async fn there(writer: &Client, engine: Engine) -> Result<Schema> {
    let dialect = SchemaDialect::of(engine)?;
    writer.begin(dialect.catalog.snapshot).await?;
    let schema = catalog::read(writer, dialect).await?;
    writer.commit().await?;
    Ok(schema)
}

/// What a table has come to before anything is known.
fn report(plan: &TablePlan, decision: Decision) -> TableReport {
    TableReport {
        source: plan.source.clone(),
        target: plan.target.clone(),
        decision,
        read: None,
        found: None,
        bad: Vec::new(),
        orphans: 0,
        notes: plan.notes.clone(),
    }
}

/// The statements that lead from one schema to another which has more.
fn steps(engine: Engine, from: &Schema, to: &Schema) -> Result<Vec<String>> {
    let dialect = SchemaDialect::of(engine)?;
    let differs = (dialect.diff)(from, to, &Hints::default());
    if differs.changes.is_empty() {
        return Ok(Vec::new());
    }
    let plan = (dialect.plan)(from, to, &differs)?;
    plan.check(true)?;
    let settings = plan.settings.iter().cloned();
    Ok(settings.chain(plan.up().map(str::to_owned)).collect())
}

/// The statements before and after rows that come into tables which refer to one another: foreign
/// keys are deferred, and those that cannot be are dropped and created again.
fn loosened(engine: Engine, there: &Schema, group: &Group) -> Result<[Vec<String>; 2]> {
    let ForeignKeyRules::Constraints { defer } = CopyDialect::target_of(engine)?.foreign_keys
    else {
        return Ok([Vec::new(), Vec::new()]);
    };
    if !group.circular {
        return Ok([Vec::new(), Vec::new()]);
    }
    let mut without = there.clone();
    for name in &group.tables {
        if let Some(table) = without.tables.get_mut(name) {
            table.foreign_keys.retain(|_, key| {
                key.deferral != Deferral::NotDeferrable || !group.tables.contains(&key.references)
            });
        }
    }
    let mut before = vec![defer.to_owned()];
    before.extend(steps(engine, there, &without)?);
    Ok([before, steps(engine, &without, there)?])
}

use std::time::{Duration, Instant};

use underpin_config::Ahead;
use underpin_core::{Effect, Error, Result};

use crate::dialect::MigrationDialect;
use crate::failure::{followed, listed};
use crate::graph::Graph;
use crate::history::History;
use crate::history_table::HistoryTable;
use crate::host::{Direction, Host};
use crate::lock;
use crate::plan::{Mode, Plan, plan_down, plan_up};
use crate::progress::Progress;
use crate::repair::{Repair, repair};
use crate::revision::RevisionId;
use crate::run::{Run, RunOptions};
use crate::stamp::{StampChange, stamp};
use crate::target::Target;
use crate::together::RunStep;
use crate::transaction::Transaction;
use crate::{stepwise, together};

/// Brings the database at the other end of a [`Host`] where it is to be. Of several at
/// once, in whatever process, one runs, and the others wait and then do what is left.
pub struct Runner<'a> {
    host: &'a dyn Host,
    graph: &'a Graph,
    options: RunOptions,
    progress: &'a dyn Progress,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which way it went.
    pub direction: Direction,
    /// The revisions that it ran, in order.
    pub revisions: Vec<RevisionId>,
    /// How long it took, with the wait for other runs.
    pub took: Duration,
}

/// Reads the history of the database. Nothing is changed: one that has no history, has an
/// empty one.
///
/// # Errors
/// The error of reading; `Class::Data` for a history that Underpin has not written.
///
/// # Cancel safety
/// Safe.
pub async fn read_history(host: &dyn Host) -> Result<History> {
    HistoryTable::find(host).await?.read(host).await
}

impl<'a> Runner<'a> {
    /// A runner of these revisions.
    pub fn new(
        host: &'a dyn Host,
        graph: &'a Graph,
        options: RunOptions,
        progress: &'a dyn Progress,
    ) -> Self {
        Runner {
            host,
            graph,
            options,
            progress,
        }
    }

    /// Goes to the target, by [`plan_up`] or [`plan_down`].
    ///
    /// # Errors
    /// As planning has them, and then nothing was run. A statement that fails is named
    /// with its file and line, and the message says what stands.
    ///
    /// # Cancel safety
    /// Dropped half-way, what is committed stands, and the next run goes on with it. The
    /// lock is freed with the host's connection.
    pub async fn go(&self, direction: Direction, target: &Target, mode: Mode) -> Result<Report> {
        let started = Instant::now();
        let report = |revisions| Report {
            direction,
            revisions,
            took: started.elapsed(),
        };
        let mut queue = lock::Queue::new(self.host, self.options.wait).await?;
        let lock = loop {
            // Who finds nothing left to do need not wait for the others who wait. What is
            // wrong may be so only while another run is half-way.
            let history = read_history(self.host).await?;
            if let Ok(plan) = self.plan(direction, &history, target, mode)
                && plan.is_empty()
            {
                return Ok(report(Vec::new()));
            }
            if let Some(lock) = queue.try_take(self.host).await? {
                break lock;
            }
            queue.wait(self.host, self.progress).await?;
        };
        let done = match self.begin(&lock).await {
            Ok((mut run, history)) => match self.plan(direction, &history, target, mode) {
                Ok(plan) => carry_out(&mut run, &plan).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        lock.release(self.host).await;
        done.map(report)
    }

    /// Writes into the history that the target, and all that it stands on, is applied, and
    /// nothing else; runs nothing.
    ///
    /// # Errors
    /// For a target that is none here, and where the history cannot be written.
    ///
    /// # Cancel safety
    /// All of it is written or nothing.
    pub async fn stamp(&self, target: &Target) -> Result<Vec<StampChange>> {
        let lock = lock::acquire(self.host, self.options.wait, self.progress).await?;
        let done = match self.begin(&lock).await {
            Ok((run, history)) => self.stamp_locked(&run, &history, target).await,
            Err(error) => Err(error),
        };
        lock.release(self.host).await;
        done
    }

    /// Accepts the revisions as they are now: their checksums take the place of those in
    /// the history. Gives what it accepted.
    ///
    /// # Errors
    /// Where the history cannot be read or written.
    ///
    /// # Cancel safety
    /// All of it is written or nothing.
    pub async fn repair(&self) -> Result<Vec<Repair>> {
        let lock = lock::acquire(self.host, self.options.wait, self.progress).await?;
        let done = match self.begin(&lock).await {
            Ok((run, history)) => self.repair_locked(&run, &history).await,
            Err(error) => Err(error),
        };
        lock.release(self.host).await;
        done
    }

    fn plan(
        &self,
        direction: Direction,
        history: &History,
        target: &Target,
        mode: Mode,
    ) -> Result<Plan> {
        let engine = self.host.engine();
        let known;
        let history = match direction {
            Direction::Up if self.options.ahead == Ahead::Ignore => {
                let ahead;
                (known, ahead) = history.known_to(self.graph);
                if !ahead.is_empty() {
                    self.progress.note(&format!(
                        "The database has revisions that this program does not know, and they are \
                         left as they are: {}.",
                        listed(&ahead)
                    ));
                }
                &known
            }
            _ => history,
        };
        match direction {
            Direction::Up => plan_up(self.graph, history, target, engine, mode),
            Direction::Down => plan_down(self.graph, history, target, engine, mode),
        }
    }

    /// What there is to know once the lock is held.
    async fn begin<'r>(&'r self, lock: &'r lock::Lock) -> Result<(Run<'r>, History)> {
        let table = HistoryTable::find(self.host).await?;
        let mut run = Run {
            host: self.host,
            graph: self.graph,
            progress: self.progress,
            options: self.options,
            dialect: MigrationDialect::of(self.host.engine())?,
            table,
            lock,
            settings: Vec::new(),
        };
        run.prepare_session().await?;
        let history = run.table.read(self.host).await?;
        Ok((run, history))
    }

    async fn stamp_locked(
        &self,
        run: &Run<'_>,
        history: &History,
        target: &Target,
    ) -> Result<Vec<StampChange>> {
        let changes = stamp(self.graph, history, target)?;
        if changes.is_empty() {
            return Ok(changes);
        }
        let transaction = Transaction::begin(self.host).await?;
        let written = async {
            run.table.make(self.host).await?;
            for change in &changes {
                self.write(run, change).await?;
            }
            Ok(())
        };
        end(transaction, written.await, self.host).await?;
        Ok(changes)
    }

    async fn write(&self, run: &Run<'_>, change: &StampChange) -> Result<()> {
        match change {
            StampChange::Remove { id } => run.table.remove(self.host, id).await,
            StampChange::Add { id, .. } | StampChange::Finish { id, .. } => {
                match self.graph.get(id) {
                    Some(revision) => run.table.put(self.host, revision, Duration::ZERO).await,
                    None => Ok(()),
                }
            }
        }
    }

    async fn repair_locked(&self, run: &Run<'_>, history: &History) -> Result<Vec<Repair>> {
        let repairs = repair(self.graph, history, self.host.engine())?;
        if repairs.is_empty() {
            return Ok(repairs);
        }
        let transaction = Transaction::begin(self.host).await?;
        let written = async {
            for repair in &repairs {
                run.table
                    .set_checksum(self.host, &repair.id, repair.now)
                    .await?;
            }
            Ok(())
        };
        end(transaction, written.await, self.host).await?;
        Ok(repairs)
    }
}

async fn end(transaction: Transaction, written: Result<()>, host: &dyn Host) -> Result<()> {
    match written {
        Ok(()) => transaction.commit(host).await,
        Err(error) => {
            transaction.rollback(host).await;
            Err(error.with_effect(Effect::RolledBack))
        }
    }
}

async fn carry_out(run: &mut Run<'_>, plan: &Plan) -> Result<Vec<RevisionId>> {
    let mut stand: Vec<RevisionId> = Vec::with_capacity(plan.len());
    let graph = run.graph;
    for (index, group) in plan.groups.iter().enumerate() {
        if index > 0 {
            // A revision does not see what those before it have set, however many run at once.
            run.renew_session().await?;
        }
        let places: Vec<RunStep<'_>> = group
            .steps
            .clone()
            .filter_map(|index| {
                let step = &plan.steps[index];
                Some(RunStep {
                    step,
                    revision: graph.get(&step.id)?,
                    number: index + 1,
                    of: plan.len(),
                })
            })
            .collect();
        let done = match (group.transactional, &places[..]) {
            (false, &[place]) => stepwise::run(run, place).await,
            (_, places) => together::run(run, places).await,
        };
        if let Err(error) = done {
            return Err(said_to_stand(error, &stand, group.transactional));
        }
        stand.extend(places.iter().map(|place| place.step.id.clone()));
    }
    Ok(stand)
}

/// Says what the run has done before the group that failed.
fn said_to_stand(error: Error, stand: &[RevisionId], transactional: bool) -> Error {
    let sentence = match (stand, transactional) {
        ([], true) if error.effect() == Effect::Unknown => return error,
        ([], true) => "No statement of this run took effect.".to_owned(),
        ([], false) => return error,
        (stand, _) => format!(
            "These revisions of this run remain applied: {}.",
            listed(stand)
        ),
    };
    followed(error, &sentence)
}

//! Work on several connections at once, in an order.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use tokio::task::JoinSet;
use underpin_core::{Class, Engine, Error, Result, TransactionOptions};

use crate::client::Client;
use crate::dialect::CopyDialect;
use crate::loading::{Loaded, load};
use crate::plan::TablePlan;
use crate::progress::Progress;
use crate::record::Record;

/// What a job works with: a connection to each side.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) reader: Client,
    pub(crate) writer: Client,
}

/// Does every piece of work once, on a worker that is free, each after those that `after` names by
/// their places. The results are in the order of the work.
pub(crate) async fn run<W, T, F>(
    mut workers: Vec<W>,
    after: &[BTreeSet<usize>],
    task: impl Fn(W, usize) -> F,
) -> Result<Vec<T>>
where
    W: Send + 'static,
    T: Send + 'static,
    F: Future<Output = (W, Result<T>)> + Send + 'static,
{
    let mut waiting: BTreeSet<usize> = (0..after.len()).collect();
    let mut done: Vec<Option<T>> = after.iter().map(|_| None).collect();
    let mut running = JoinSet::new();
    loop {
        let ready = |at: &usize| after[*at].iter().all(|before| done[*before].is_some());
        while let Some(at) = waiting.iter().copied().find(|at| ready(at)) {
            let Some(worker) = workers.pop() else { break };
            waiting.remove(&at);
            let work = task(worker, at);
            running.spawn(async move { (at, work.await) });
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let (at, (worker, result)) = ended.map_err(|error| {
            let message = "A part of the work ended before it was done.";
            Error::new(Class::Closed, message).with_source(error)
        })?;
        // Where it failed, the rest ends with the set.
        done[at] = Some(result?);
        workers.push(worker);
    }
    Ok(done.into_iter().flatten().collect())
}

/// Tables that are copied in one transaction.
pub(crate) struct Work {
    pub(crate) plans: Vec<TablePlan>,
    /// About how many rows each has.
    pub(crate) about: Vec<Option<u64>>,
    /// The statements before and after the rows.
    pub(crate) loosened: [Vec<String>; 2],
    pub(crate) target: Engine,
    pub(crate) skip_bad: bool,
    pub(crate) progress: Arc<dyn Progress>,
}

impl Work {
    /// Copies the tables, all or none.
    pub(crate) async fn run(&self, worker: &Worker) -> Result<Vec<Loaded>> {
        if self.plans.is_empty() {
            return Ok(Vec::new());
        }
        worker.writer.begin(TransactionOptions::default()).await?;
        let loaded = match self.within(worker).await {
            Ok(loaded) => loaded,
            Err(error) => {
                // The error is what the caller has to know; a lost connection rolls back too.
                let _ = worker.writer.rollback().await;
                return Err(error);
            }
        };
        worker.writer.commit().await.map_err(|error| {
            let names: Vec<String> = self
                .plans
                .iter()
                .map(|plan| plan.source.to_string())
                .collect();
            error.with_context(format!("{} cannot be copied.", names.join(", ")))
        })?;
        for (plan, loaded) in self.plans.iter().zip(&loaded) {
            self.progress.done(&plan.source, loaded.sum.rows);
        }
        Ok(loaded)
    }

    async fn within(&self, worker: &Worker) -> Result<Vec<Loaded>> {
        let record = Record::new(self.target)?;
        let [before, after] = &self.loosened;
        for statement in before {
            worker.writer.batch(statement).await?;
        }
        self.require_empty(worker).await?;
        let mut all = Vec::new();
        for (plan, about) in self.plans.iter().zip(&self.about) {
            self.progress.begun(&plan.source, *about);
            let loaded = load(
                &worker.reader,
                &worker.writer,
                plan,
                self.target,
                self.skip_bad,
                &*self.progress,
            );
            all.push(loaded.await?);
        }
        for statement in after {
            worker.writer.batch(statement).await?;
        }
        for (plan, loaded) in self.plans.iter().zip(&all) {
            worker.writer.batch(&record.forget(&plan.target)).await?;
            record
                .note(&worker.writer, &plan.target, loaded.sum)
                .await?;
        }
        Ok(all)
    }
}

impl Work {
    /// Refuses rows that somebody else has written since the decision to copy.
    async fn require_empty(&self, worker: &Worker) -> Result<()> {
        let rules = CopyDialect::target_of(self.target)?;
        for plan in &self.plans {
            let has_rows = (rules.has_rows)(&plan.rows);
            if worker.writer.number(&has_rows).await? == Some(1) {
                let message = format!(
                    "Another program has written rows into {} of the target, which was empty; it \
                     was not copied.",
                    plan.target
                );
                return Err(Error::new(Class::Busy, message)
                    .with_hint("Keep others from writing to the target, and copy again."));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn work_waits_for_what_comes_before() {
        let after = [
            BTreeSet::from([2]),
            BTreeSet::new(),
            BTreeSet::from([1, 3]),
            BTreeSet::new(),
        ];
        let order = Arc::new(Mutex::new(Vec::new()));
        let task = |worker: u8, at: usize| {
            let order = Arc::clone(&order);
            async move {
                tokio::task::yield_now().await;
                order.lock().unwrap().push(at);
                (worker, Ok(at * 10))
            }
        };
        let done = block_on(run(vec![1, 2, 3], &after, task)).unwrap();
        assert_eq!(done, [0, 10, 20, 30]);
        let order = order.lock().unwrap();
        assert_eq!(order.len(), 4);
        let place = |of: usize| order.iter().position(|at| *at == of).unwrap();
        assert!(place(1) < place(2) && place(3) < place(2) && place(2) < place(0));
    }

    #[test]
    fn a_failure_ends_the_rest() {
        let after = [BTreeSet::new(), BTreeSet::from([0])];
        let task = |worker: u8, at: usize| async move {
            assert_eq!(at, 0, "what waits for it is not begun");
            (worker, Err::<(), _>(Error::new(Class::Data, "No.")))
        };
        let error = block_on(run(vec![1], &after, task)).unwrap_err();
        assert_eq!(error.message(), "No.");
    }
}

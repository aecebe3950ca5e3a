use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use underpin_core::{Class, Error, Result};

use crate::pending::Pending;
use crate::session::Session;
use crate::shared::Shared;

struct Job {
    id: u64,
    protected: bool,
    work: Box<dyn FnOnce(&mut Session) + Send>,
}

/// The handle to the thread that owns a rusqlite connection. The thread ends, and closes the
/// database, when this is dropped and the last job has ended.
pub(crate) struct Worker {
    /// Declared before `ended`, whose drop waits for the thread to notice.
    jobs: Sender<Job>,
    shared: Arc<Shared>,
    ended: Ended,
}

impl Worker {
    /// Starts a thread that opens a session by `open` and then takes jobs; the second result of
    /// `open` is sent to `opened`.
    pub(crate) fn start<O: Send + 'static>(
        shared: Arc<Shared>,
        open: impl FnOnce() -> Result<(Session, O)> + Send + 'static,
        opened: oneshot::Sender<Result<O>>,
    ) -> Result<Worker> {
        let (jobs, receiver) = channel();
        let (end, ended) = oneshot::channel();
        let (over, is_over) = channel::<()>();
        thread::Builder::new()
            .name("underpin-sqlite".into())
            .spawn(move || {
                match open() {
                    Ok((session, said)) => {
                        if opened.send(Ok(said)).is_ok() {
                            serve(session, &receiver);
                        }
                    }
                    Err(error) => {
                        let _ = opened.send(Err(error));
                    }
                }
                let _ = end.send(());
                drop(over);
            })
            .map_err(|error| {
                Error::new(
                    Class::Resource,
                    format!("No thread could be started for a SQLite connection: {error}."),
                )
                .with_source(error)
            })?;
        Ok(Worker {
            jobs,
            ended: Ended {
                shared: Arc::clone(&shared),
                told: ended,
                is_over: Mutex::new(is_over),
            },
            shared,
        })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Sends a job to the thread; it runs once all earlier jobs have ended. The job is sent by the
    /// call itself, and stopped if the answer is dropped before it arrives.
    pub(crate) fn submit<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<R> + Send + 'static,
    ) -> Result<Pending<R>> {
        self.send(false, work)
    }

    /// The same for a job that is not interrupted once it runs, such as a COMMIT.
    pub(crate) fn submit_protected<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<R> + Send + 'static,
    ) -> Result<Pending<R>> {
        self.send(true, work)
    }

    fn send<R: Send + 'static>(
        &self,
        protected: bool,
        work: impl FnOnce(&mut Session) -> Result<R> + Send + 'static,
    ) -> Result<Pending<R>> {
        let (answer, receiver) = oneshot::channel();
        let work = Box::new(move |session: &mut Session| {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(session)));
            // Before the answer, so that its receiver finds the resulting state.
            session.settle();
            let _ = answer.send(outcome);
        });
        let id = self.shared.send(|id| {
            self.jobs
                .send(Job {
                    id,
                    protected,
                    work,
                })
                .is_ok()
        });
        match id {
            Some(id) => Ok(Pending::new(id, receiver, Arc::clone(&self.shared))),
            None => {
                self.shared.set_broken();
                Err(Error::new(
                    Class::Connect,
                    "The SQLite connection is lost: the thread that held it has ended.",
                ))
            }
        }
    }

    /// Lets the thread end; returns a future that completes when it has.
    pub(crate) fn end(self) -> (Arc<Shared>, Ended) {
        (self.shared, self.ended)
    }
}

/// Completes when the thread has ended and the database is closed. If it is dropped before that,
/// while the thread has nothing else to do, it waits briefly, so that a program that ends now
/// leaves its data in the file.
pub(crate) struct Ended {
    shared: Arc<Shared>,
    told: oneshot::Receiver<()>,
    is_over: Mutex<Receiver<()>>,
}

/// Maximum wait for the end of a thread that only has to close its connection.
const CLOSING: Duration = Duration::from_millis(250);

impl Future for Ended {
    /// Whether the thread reported it itself, instead of being torn down.
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        Pin::new(&mut self.told)
            .poll(context)
            .map(|told| told.is_ok())
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if self.shared.in_flight() == 0 {
            let is_over = self.is_over.get_mut();
            let is_over = is_over.unwrap_or_else(PoisonError::into_inner);
            // Nothing is ever sent: the channel is disconnected when the thread ends.
            let _ = is_over.recv_timeout(CLOSING);
        }
    }
}

fn serve(mut session: Session, jobs: &Receiver<Job>) {
    let shared = Arc::clone(session.shared());
    while let Ok(job) = jobs.recv() {
        if shared.start(job.id, job.protected) {
            (job.work)(&mut session);
        }
    }
}

//! The thread of a connection: ODBC's calls block.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout_at;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline, Effect, Error, Result, Stage};

use crate::session::Session;

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// How long past its deadline the answer to a statement is waited for, so that the driver's own limit
/// can end it.
const GRACE: Duration = Duration::from_secs(5);

/// What the thread and the callers both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    in_flight: AtomicUsize,
    is_open: AtomicBool,
    is_broken: AtomicBool,
}

/// The thread that owns a connection, as its callers hold it.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Sender<Job>,
    shared: Arc<Shared>,
}

impl Worker {
    /// Starts a thread that opens a session; how that went is sent to `opened`.
    pub(crate) fn start(
        open: impl FnOnce() -> Result<Session> + Send + 'static,
        opened: oneshot::Sender<Result<()>>,
    ) -> Result<Worker> {
        let (jobs, receiver) = channel::<Job>();
        let shared = Arc::<Shared>::default();
        let spawned = thread::Builder::new()
            .name("underpin-odbc".into())
            .spawn(move || {
                let mut session = match open() {
                    Ok(session) => session,
                    Err(error) => {
                        let _ = opened.send(Err(error));
                        return;
                    }
                };
                if opened.send(Ok(())).is_err() {
                    return;
                }
                while let Ok(job) = receiver.recv() {
                    job(&mut session);
                }
                let _ = session.rollback();
            });
        spawned.map_err(|error| {
            let what = format!("No thread could be started for an ODBC connection: {error}.");
            Error::new(Class::Resource, what).with_source(error)
        })?;
        Ok(Worker { jobs, shared })
    }

    pub(crate) fn state(&self) -> SessionState {
        let is = |flag: &AtomicBool| flag.load(Ordering::Acquire);
        match () {
            () if is(&self.shared.is_broken) => SessionState::Broken,
            () if self.in_flight() > 0 => SessionState::Busy,
            () if is(&self.shared.is_open) => SessionState::InTransaction,
            () => SessionState::Clean,
        }
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Acquire)
    }

    pub(crate) fn set_broken(&self) {
        self.shared.is_broken.store(true, Ordering::Release);
    }

    /// Sends work to the thread; what comes of it is the receiver's.
    pub(crate) fn send<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Session) -> Result<R> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<R>>> {
        let (answer, receiver) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        shared.in_flight.fetch_add(1, Ordering::AcqRel);
        let job = move |session: &mut Session| {
            let done = work(session);
            let is_lost = matches!(&done, Err(error) if error.class() == Class::Connect);
            if is_lost {
                shared.is_broken.store(true, Ordering::Release);
            }
            shared.is_open.store(session.is_open, Ordering::Release);
            // Before the answer, so that who has it finds the state it left.
            shared.in_flight.fetch_sub(1, Ordering::AcqRel);
            let _ = answer.send(done);
        };
        self.jobs.send(Box::new(job)).map_err(|_| lost())?;
        Ok(receiver)
    }

    /// Runs work on the thread. Past the deadline the driver has a while to end it by itself; then the
    /// connection is given up.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&mut Session) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let receiver = self.send(work)?;
        self.answer(deadline, receiver).await
    }

    pub(crate) async fn answer<R>(
        &self,
        deadline: Deadline,
        receiver: oneshot::Receiver<Result<R>>,
    ) -> Result<R> {
        let answer = match deadline.instant() {
            None => receiver.await,
            Some(at) => match timeout_at((at + GRACE).into(), receiver).await {
                Ok(answer) => answer,
                Err(_) => {
                    self.set_broken();
                    let stage = Stage::Statement;
                    let what = "The ODBC driver did not answer by the deadline, and the connection \
                                is given up.";
                    let error = Error::new(Class::Timeout { stage }, what);
                    return Err(error.with_effect(Effect::Unknown));
                }
            },
        };
        let done = answer.map_err(|_| {
            self.set_broken();
            lost()
        })?;
        let is_past = deadline.instant().is_some_and(|at| at <= Instant::now());
        done.map_err(|error| match error.class() {
            // A server says that it has canceled a statement whose time was over.
            Class::Canceled if is_past => {
                let stage = Stage::Statement;
                let what = format!("The deadline passed. {}", error.message());
                Error::new(Class::Timeout { stage }, what).with_effect(error.effect())
            }
            _ => error,
        })
    }
}

fn lost() -> Error {
    let what = "The ODBC connection is lost: the thread that held it has ended.";
    Error::new(Class::Connect, what).with_effect(Effect::Unknown)
}

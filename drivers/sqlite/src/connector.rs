use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;
use tokio::time::timeout_at;
use underpin_core::driver::{self, BoxFuture};
use underpin_core::{Class, Deadline, Endpoint, Error, Result, Stage};

use crate::connection::Connection;
use crate::filled::{Filling, Stop};
use crate::in_use::InUse;
use crate::open::open;
use crate::options::Options;
use crate::session::Session;
use crate::shared::Shared;
use crate::worker::Worker;

/// Opens connections of one kind to one database.
#[derive(Debug, Clone)]
pub struct Connector {
    endpoint: Endpoint,
    options: Arc<Options>,
    filling: Option<Filling>,
}

impl Connector {
    /// A connector that opens connections to `endpoint` with these options. If writers and readers
    /// are needed, create one of each, and let a writer connect first: it creates the file.
    pub fn new(endpoint: Endpoint, options: Options) -> Self {
        Connector {
            endpoint,
            options: Arc::new(options),
            filling: None,
        }
    }

    /// A connector whose connections each have a database of their own in memory, which `fill`
    /// fills when they are opened: with tables, virtual tables and functions. `endpoint` says where
    /// its contents come from, and is not opened. Give it [`Options::read_only`] where nothing may be
    /// changed afterwards.
    pub fn filled(
        endpoint: Endpoint,
        options: Options,
        fill: impl Fn(&rusqlite::Connection, &Stop) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Connector {
            endpoint,
            options: Arc::new(options),
            filling: Some(Filling::new(fill)),
        }
    }

    /// Endpoint of its connections.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Options of its connections.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn too_late(&self, started: Instant) -> Error {
        Error::new(
            Class::Timeout {
                stage: Stage::Connect,
            },
            format!(
                "The SQLite database {} could not be opened within {:.1?}.",
                self.endpoint,
                started.elapsed()
            ),
        )
        .with_hint("Another process may hold its lock, or the disk does not respond.")
    }
}

impl driver::Connector for Connector {
    type Connection = Connection;

    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(self.connect_in_time(deadline))
    }
}

impl Connector {
    async fn connect_in_time(&self, deadline: Deadline) -> Result<Connection> {
        let started = Instant::now();
        let stopping = Arc::new(Shared::new());
        let (opened, answer) = oneshot::channel();
        let worker = {
            let (endpoint, options) = (self.endpoint.clone(), Arc::clone(&self.options));
            let (filling, shared) = (self.filling.clone(), Arc::clone(&stopping));
            let open = move || {
                // Before the file is open, so that no other connection considers itself the last
                // one.
                let in_use = match filling {
                    Some(_) => None,
                    None => InUse::before(&endpoint, &options),
                };
                let (conn, identity) = open(&endpoint, &options, filling.as_ref(), &shared)?;
                shared.set_interrupt(conn.get_interrupt_handle());
                let place = endpoint.to_string().into();
                let options = (*options).clone();
                let session = Session::new(conn, in_use, place, options, identity, shared);
                Ok((session, ()))
            };
            Worker::start(Arc::clone(&stopping), open, opened)?
        };
        // Declared after the worker, so that it is dropped before it: the worker waits for its
        // thread.
        let opening = Opening(Some(stopping));
        let answer = match deadline.instant() {
            None => answer.await,
            Some(at) => match timeout_at(at.into(), answer).await {
                Ok(answer) => answer,
                Err(_) => return Err(self.too_late(started)),
            },
        };
        match answer {
            Ok(Ok(())) => {
                opening.done();
                Ok(Connection::new(
                    worker,
                    self.endpoint.clone(),
                    Arc::clone(&self.options),
                ))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::new(
                Class::Server,
                format!("The thread that should open {} ended early.", self.endpoint),
            )),
        }
    }
}

/// Stops the opening, which may wait for a lock, when its caller no longer waits.
struct Opening(Option<Arc<Shared>>);

impl Opening {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.stop_opening();
        }
    }
}

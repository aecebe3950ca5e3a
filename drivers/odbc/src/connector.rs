use std::sync::Arc;
use std::time::Instant;

use odbc_api::{ConnectionOptions, environment};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use underpin_core::driver::{self, BoxFuture};
use underpin_core::{Address, Class, Deadline, Effect, Endpoint, Error, Result, Stage};

use crate::classify::classify;
use crate::connection::Connection;
use crate::options::Options;
use crate::session::Session;
use crate::worker::Worker;

/// Opens connections to one data source.
#[derive(Debug, Clone)]
pub struct Connector {
    endpoint: Endpoint,
    options: Arc<Options>,
}

impl Connector {
    /// A connector that opens connections to `endpoint`, a data source by its name in `odbc.ini`.
    pub fn new(endpoint: Endpoint, options: Options) -> Self {
        Connector {
            endpoint,
            options: Arc::new(options),
        }
    }

    /// Where its connections lead.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn open(&self, deadline: Deadline) -> Result<Connection> {
        let Address::DataSource(name) = &self.endpoint.address else {
            let what = format!(
                "{} is not the name of a data source of ODBC.",
                self.endpoint
            );
            return Err(Error::new(Class::Config, what));
        };
        let (opened, answer) = oneshot::channel();
        let left = deadline.instant().map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            u32::try_from(left.as_secs()).unwrap_or(u32::MAX).max(1)
        });
        let (name, options) = (name.clone(), Arc::clone(&self.options));
        let place = self.endpoint.to_string();
        let worker = Worker::start(move || session(&name, place, &options, left), opened)?;
        let answer = match deadline.instant() {
            None => answer.await,
            Some(at) => timeout_at(at.into(), answer).await.map_err(|_| {
                let stage = Stage::Connect;
                let what = format!("{} did not take a connection in time.", self.endpoint);
                Error::new(Class::Timeout { stage }, what).with_effect(Effect::NotSent)
            })?,
        };
        answer.map_err(|_| {
            let what = format!("The thread that was to connect to {} ended.", self.endpoint);
            Error::new(Class::Server, what)
        })??;
        Ok(Connection::new(
            worker,
            self.endpoint.clone(),
            Arc::clone(&self.options),
        ))
    }
}

fn session(name: &str, place: String, options: &Options, seconds: Option<u32>) -> Result<Session> {
    let failed = |error| {
        let error = classify(error, &place).with_effect(Effect::NotSent);
        match error.class() {
            // Drivers say of a server that cannot be reached what comes to their mind.
            Class::Server => error.with_context("The connection could not be opened."),
            _ => error,
        }
    };
    let environment = environment().map_err(failed)?;
    let limits = ConnectionOptions {
        login_timeout_sec: seconds,
        ..ConnectionOptions::default()
    };
    let user = options.user.as_deref().unwrap_or_default();
    let password = options.password.expose();
    let conn = environment.connect(name, user, password, limits);
    let conn = conn.map_err(failed)?;
    Ok(Session {
        conn,
        place,
        is_open: false,
    })
}

impl driver::Connector for Connector {
    type Connection = Connection;

    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(self.open(deadline))
    }
}

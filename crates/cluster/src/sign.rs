use std::panic::Location;
use std::time::Duration;

use underpin_core::driver::{AnyConnector, Connector, Pooled};
use underpin_core::{Address, Class, Deadline, Result, Stage};
use underpin_pool::Pool;

use crate::call::CallOptions;
use crate::clock;
use crate::cluster::Cluster;

/// Maximum wait for a connection of the pool before the server is asked on another one.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a server showed that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// On a connection of the pool.
    Pooled,
    /// On a connection outside the pool, whose connections are all in use.
    Beside,
    /// By refusing another connection, or by being in use, in the case of a database in memory.
    Busy,
}

impl Cluster {
    /// Checks that the primary's server answers. If all connections of its pool are in use, which
    /// says nothing about the server, it is asked on a connection of its own.
    ///
    /// # Errors
    /// The error of the check; past the deadline `Class::Timeout`.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn sign_of_life(
        &self,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<Sign> {
        let now = clock::now();
        let patience = match deadline.remaining(now) {
            Some(left) => PATIENCE.min(left / 2),
            None => PATIENCE,
        };
        let wait = Deadline::after(now, patience);
        let crowded = self.primary_is_crowded();
        if !crowded {
            match self.on_primary(options, wait, place, Pool::acquire).await {
                Ok(lease) => {
                    lease.ping(deadline).await?;
                    self.first_answers(patience).await;
                    return Ok(Sign::Pooled);
                }
                Err(error) if !is_crowded(error.class()) => {
                    let out_of_time = matches!(error.class(), Class::Timeout { .. });
                    let left = deadline.remaining(clock::now());
                    if !out_of_time || left.is_some_and(|left| left.is_zero()) {
                        return Err(error);
                    }
                }
                Err(_) => {}
            }
        }
        self.beside_the_pool(deadline).await
    }

    /// Waits until each member was probed once, so that its state is known.
    async fn first_answers(&self, patience: Duration) {
        let mut news = self.watch.news();
        let answers = async { while !self.watch.all_asked() && news.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(patience, answers).await;
    }

    fn primary_is_crowded(&self) -> bool {
        let topology = self.watch.topology();
        topology.primary().is_some_and(|member| {
            let statistics = member.pool.statistics();
            let options = member.pool.options();
            let most = (options.max + options.max_overflow) as usize;
            statistics.idle == 0 && statistics.in_use >= most
        })
    }

    async fn beside_the_pool(&self, deadline: Deadline) -> Result<Sign> {
        let Some(connector) = self.connector_beside() else {
            return Ok(Sign::Busy);
        };
        let connection = match connector.connect(deadline).await {
            Ok(connection) => connection,
            // The server is up, and has no room.
            Err(error) if matches!(error.class(), Class::Resource | Class::Busy) => {
                return Ok(Sign::Busy);
            }
            Err(error) => return Err(error),
        };
        let answer = connection.ping(deadline).await;
        Box::new(connection).close(deadline).await;
        answer.map(|()| Sign::Beside)
    }

    /// The connector for a connection outside the pool; `None` if the database cannot have one.
    fn connector_beside(&self) -> Option<AnyConnector> {
        let topology = self.watch.topology();
        let member = topology.reader().or(topology.primary())?;
        let alone = member.endpoint.address == Address::Memory;
        (!alone).then(|| AnyConnector::clone(&member.pool.connector()))
    }
}

fn is_crowded(class: Class) -> bool {
    let queue = Class::Timeout {
        stage: Stage::Queue,
    };
    class == Class::Busy || class == queue
}

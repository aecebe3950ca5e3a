//! Events about the servers of a database, as they happen.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::Stream;
use tokio::sync::broadcast::{self, error::RecvError};
use underpin_core::{Endpoint, Role};

use crate::roles::{Latest, Roles};
use crate::topology::Topology;

/// An event about a database and its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A server answers that did not answer before.
    Up {
        /// The server.
        endpoint: Endpoint,
        /// Its reported role.
        role: Role,
    },
    /// A server no longer answers.
    Down {
        /// The server.
        endpoint: Endpoint,
        /// The reason.
        reason: String,
    },
    /// A server reports another role than before.
    RoleChanged {
        /// The server.
        endpoint: Endpoint,
        /// Its reported role.
        role: Role,
    },
    /// The primary does not answer, or is no longer the primary: calls wait for another one.
    FailoverBegun {
        /// The previous primary.
        from: Endpoint,
    },
    /// Calls go to a primary again.
    FailoverDone {
        /// The new primary, possibly the previous one again.
        to: Endpoint,
        /// Time since the failover began.
        took: Duration,
    },
    /// Several servers take writes on the same timeline, so that writes to any of them may be lost.
    TwoPrimaries {
        /// All these servers.
        endpoints: Vec<Endpoint>,
        /// The timeline.
        timeline: u32,
    },
    /// The list of the members changed.
    MembersChanged {
        /// The new members.
        endpoints: Vec<Endpoint>,
    },
    /// A call got no connection in time because all connections of a pool were in use.
    PoolExhausted {
        /// The server of the pool.
        endpoint: Endpoint,
    },
    /// A statement or a transaction is retried.
    Retried {
        /// The error of the previous attempt, without values of rows.
        cause: String,
    },
    /// Events were left out because their receiver fell behind.
    Missed {
        /// Number of events left out.
        count: u64,
    },
}

/// The events of a database, from now on. Ends when the database is closed.
pub struct Events(Pin<Box<dyn Stream<Item = Event> + Send>>);

impl Events {
    pub(crate) fn of(receiver: broadcast::Receiver<Event>) -> Self {
        let next = |mut receiver: broadcast::Receiver<Event>| async move {
            let event = match receiver.recv().await {
                Ok(event) => event,
                Err(RecvError::Lagged(count)) => Event::Missed { count },
                Err(RecvError::Closed) => return None,
            };
            Some((event, receiver))
        };
        Events(Box::pin(futures_util::stream::unfold(receiver, next)))
    }

    /// The next event; `None` once the database is closed.
    ///
    /// # Cancel safety
    /// Safe: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.0.as_mut().poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// The state that was reported last, so that each change is reported once.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    members: Vec<Option<Role>>,
    /// The members that wrote the same timeline.
    rivals: Vec<usize>,
    /// The primary that calls went to last.
    primary: Option<usize>,
    /// The time since which calls wait for a primary.
    failing_since: Option<Instant>,
}

impl Chronicle {
    /// The same events of other members; `kept` has the old index of each.
    pub(crate) fn of_members(self, kept: &[Option<usize>], now: Instant) -> Self {
        let place = |old: usize| kept.iter().position(|kept| *kept == Some(old));
        let role = |old: usize| self.members.get(old).copied().flatten();
        let primary = self.primary.and_then(place);
        let lost = self.primary.is_some() && primary.is_none();
        Chronicle {
            members: kept.iter().map(|old| old.and_then(role)).collect(),
            rivals: self.rivals.iter().copied().filter_map(place).collect(),
            primary,
            failing_since: self.failing_since.or(lost.then_some(now)),
        }
    }

    /// The events that follow from the current state of the members.
    pub(crate) fn news(&mut self, roles: &Roles, topology: &Topology, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        self.members.resize(topology.members().len(), None);
        let members = topology.members().iter().zip(&mut self.members);
        for ((member, before), latest) in members.zip(roles.latest()) {
            let endpoint = || member.endpoint.clone();
            let role = match latest {
                Latest::Unknown => continue,
                Latest::Failed(error) => {
                    if before.take().is_some() {
                        events.push(Event::Down {
                            endpoint: endpoint(),
                            reason: error.message().to_owned(),
                        });
                    }
                    continue;
                }
                Latest::Answered(said) => said.role,
            };
            match before.replace(role) {
                None => events.push(Event::Up {
                    endpoint: endpoint(),
                    role,
                }),
                Some(before) if before != role => events.push(Event::RoleChanged {
                    endpoint: endpoint(),
                    role,
                }),
                Some(_) => {}
            }
        }
        if self.rivals != roles.rivals() {
            self.rivals = roles.rivals().to_vec();
            let all = self.rivals.iter();
            let endpoints: Vec<_> = all
                .map(|index| topology.members()[*index].endpoint.clone())
                .collect();
            if let (Some(timeline), 2..) = (roles.newest(), endpoints.len()) {
                events.push(Event::TwoPrimaries {
                    endpoints,
                    timeline,
                });
            }
        }
        let serves = |primary: &usize| self.members[*primary] == Some(Role::Primary);
        match (roles.primary().filter(serves), self.primary) {
            (Some(primary), before) => {
                let to = topology.members()[primary].endpoint.clone();
                if before.is_some_and(|before| before != primary) && self.failing_since.is_none() {
                    let from = topology.members()[before.unwrap_or(primary)]
                        .endpoint
                        .clone();
                    events.push(Event::FailoverBegun { from });
                    self.failing_since = Some(now);
                }
                if let Some(since) = self.failing_since.take() {
                    let took = now.saturating_duration_since(since);
                    events.push(Event::FailoverDone { to, took });
                }
                self.primary = Some(primary);
            }
            (None, Some(before)) if self.failing_since.is_none() => {
                let from = topology.members()[before].endpoint.clone();
                events.push(Event::FailoverBegun { from });
                self.failing_since = Some(now);
            }
            (None, _) => {}
        }
        events
    }
}

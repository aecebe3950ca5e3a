//! What becomes of the servers of a database, told as it happens.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::Stream;
use tokio::sync::broadcast::{self, error::RecvError};
use underpin_core::{Endpoint, Role};

use crate::roles::{Latest, Roles};
use crate::topology::Topology;

/// Something that happened to a database and its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A server answers that did not before.
    Up {
        /// Which one.
        endpoint: Endpoint,
        /// What it says it is.
        role: Role,
    },
    /// A server does not answer any more.
    Down {
        /// Which one.
        endpoint: Endpoint,
        /// Why not.
        reason: String,
    },
    /// A server says that it is something else than before.
    RoleChanged {
        /// Which one.
        endpoint: Endpoint,
        /// What it says it is now.
        role: Role,
    },
    /// The primary does not answer, or is one no longer: calls wait for another one.
    FailoverBegun {
        /// The primary until then.
        from: Endpoint,
    },
    /// Calls go to a primary again.
    FailoverDone {
        /// The primary from now on, perhaps the one from before.
        to: Endpoint,
        /// The time since the failover began.
        took: Duration,
    },
    /// Several servers take writes on the same timeline, so that writes to any of them may be lost.
    TwoPrimaries {
        /// All of them.
        endpoints: Vec<Endpoint>,
        /// The timeline.
        timeline: u32,
    },
    /// The list of the members changed.
    MembersChanged {
        /// All members from now on.
        endpoints: Vec<Endpoint>,
    },
    /// A call had no connection in time, since all of a pool were in use.
    PoolExhausted {
        /// The server to which the pool leads.
        endpoint: Endpoint,
    },
    /// A statement or a transaction is tried again.
    Retried {
        /// What it failed with, without values of rows.
        cause: String,
    },
    /// So many events were left out, since their receiver fell behind.
    Missed {
        /// How many.
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

/// What was told last, so that each change is told once.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    members: Vec<Option<Role>>,
    /// The members that wrote the same timeline.
    rivals: Vec<usize>,
    /// The primary that calls went to last.
    primary: Option<usize>,
    /// Since when calls wait for a primary.
    failing_since: Option<Instant>,
}

impl Chronicle {
    /// The same of other members: for each, which of these it was.
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

    /// What is new in what is known of the members.
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

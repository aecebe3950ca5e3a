//! Reads that see at least everything that was written before a position.

use std::panic::Location;
use std::time::Duration;

use underpin_core::driver::without_positions;
use underpin_core::{Class, Deadline, Effect, Error, Position, Result, Stage};
use underpin_pool::Pool;

use crate::call::CallOptions;
use crate::clock;
use crate::cluster::{AnyLease, Cluster};
use crate::follow::PAUSE;
use crate::history::Verdict;
use crate::reads::After;

/// The pauses between checks of replicas that have not replayed a position yet.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

impl Cluster {
    /// Leases a connection to a server that has everything that was written before a position: a
    /// replica, which may need a while to catch up, or otherwise the primary.
    pub(crate) async fn lease_after(
        &self,
        after: After,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<AnyLease> {
        if !self.capabilities.positions {
            return Err(without_positions());
        }
        let position = after.position;
        if !self.watch.topology().is_watched() {
            return self.primary_after(position, options, deadline, place).await;
        }
        self.watch.start();
        let bound = Deadline::after(clock::now(), after.wait).earlier(deadline);
        let (mut pause, mut waited) = (FIRST_PAUSE, false);
        loop {
            match self.any_after(position, options, deadline, place).await? {
                Asked::Lease(lease) => return Ok(lease),
                Asked::Nobody => break,
                Asked::Behind => {}
            }
            let left = bound.remaining(clock::now()).unwrap_or_default();
            if left.is_zero() {
                break;
            }
            if !std::mem::replace(&mut waited, true) {
                self.counters.replay_awaited();
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.counters.fallback();
        self.primary_after(position, options, deadline, place).await
    }

    /// Asks the members that serve the read for one that has the position.
    async fn any_after(
        &self,
        position: Position,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<Asked> {
        let mut route = self.route(options);
        let mut asked = Asked::Nobody;
        while let Some(member) = route.next(&self.watch.topology()) {
            let given = self.ask_member(&member, options, deadline, place, Pool::acquire);
            let Some(lease) = given.await else {
                continue;
            };
            let lease = lease?;
            match self.look(&lease, position, deadline).await {
                Ok(Verdict::Reached) => return Ok(Asked::Lease(lease)),
                Ok(verdict @ (Verdict::Lost | Verdict::Elsewhere)) => {
                    return Err(verdict.error(&member.endpoint, position));
                }
                Ok(Verdict::Behind) => asked = Asked::Behind,
                Ok(Verdict::Untold) => {}
                Err(error) if error.class() == Class::Connect => self.watch.suspect(),
                Err(error) => return Err(error),
            }
        }
        Ok(asked)
    }

    /// Leases a connection to the primary, which must have the position.
    async fn primary_after(
        &self,
        position: Position,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<AnyLease> {
        let begun = clock::now();
        let deadline = self.latest(deadline, begun);
        let mut news = self.watch.news();
        let mut lost = 0;
        loop {
            news.mark_unchanged();
            let lease = self
                .on_primary(options, deadline, place, Pool::acquire)
                .await?;
            let verdict = match self.look(&lease, position, deadline).await {
                Ok(Verdict::Reached) => return Ok(lease),
                Ok(verdict) => verdict,
                // The connection was dead; another one is opened.
                Err(error) if error.class() == Class::Connect && lost < 10 => {
                    lost += 1;
                    self.watch.note(&error, &lease);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if verdict != Verdict::Behind {
                return Err(verdict.error(lease.endpoint(), position));
            }
            let left = deadline.remaining(clock::now()).unwrap_or_default();
            if left.is_zero() {
                return Err(too_late(&lease, position, begun.elapsed()));
            }
            // A primary that another one has replaced, or a single replica.
            drop(lease);
            self.watch.suspect();
            let _ = tokio::time::timeout(PAUSE.min(left), news.changed()).await;
        }
    }

    /// Whether the server of this session has the position: judged by its earlier observation if
    /// that is enough, otherwise by a new one.
    async fn look(
        &self,
        lease: &AnyLease,
        position: Position,
        deadline: Deadline,
    ) -> Result<Verdict> {
        if let Some(said) = lease.observed()
            && self.watch.judge(&said, position) == Verdict::Reached
        {
            return Ok(Verdict::Reached);
        }
        let said = lease.observe(deadline).await?;
        Ok(self.watch.judge(&said, position))
    }
}

/// The result of asking the members that serve a read.
enum Asked {
    Lease(AnyLease),
    /// Some have not replayed the position yet.
    Behind,
    /// There is no member to wait for.
    Nobody,
}

#[cold]
fn too_late(lease: &AnyLease, position: Position, waited: Duration) -> Error {
    let why = Verdict::Behind.error(lease.endpoint(), position);
    Error::new(
        Class::Timeout {
            stage: Stage::Queue,
        },
        format!("{} Waited for {waited:.0?}.", why.message()),
    )
    .with_effect(Effect::NotSent)
    .with_hint("Check the lag of the server, or read with a longer deadline.")
}

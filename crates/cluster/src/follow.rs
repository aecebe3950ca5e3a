use std::future::Future;
use std::panic::Location;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use underpin_core::driver::{AnyConnector, Connection};
use underpin_core::retry::{Decision, Operation};
use underpin_core::{Class, Deadline, Error, Result, Role, Stage};
use underpin_pool::{AcquireOptions, Grant, Pool};

use crate::call::CallOptions;
use crate::cluster::{AnyLease, Cluster};

/// What a pool gives: a connection, alone or beside others.
pub(crate) trait Given: Send {
    fn role(&self) -> Role;
}

impl Given for AnyLease {
    fn role(&self) -> Role {
        Connection::role(&***self)
    }
}

impl Given for Grant<AnyConnector> {
    fn role(&self) -> Role {
        match self {
            Grant::Lane(seat) => Connection::role(&***seat),
            Grant::Lease(lease) => Given::role(lease),
        }
    }
}

/// How long a server that turned out to be no primary is left alone, unless there is news.
const PAUSE: Duration = Duration::from_millis(50);

impl Cluster {
    /// Asks for a connection to read, or one of the primary.
    pub(crate) async fn ask_for<T, F>(
        &self,
        reads: bool,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
        ask: fn(&Pool<AnyConnector>, AcquireOptions) -> F,
    ) -> Result<T>
    where
        T: Given,
        F: Future<Output = Result<T>> + Send,
    {
        if reads
            && self.watch.topology().is_watched()
            && let Some(given) = Box::pin(self.on_any(options, deadline, place, ask)).await
        {
            return given;
        }
        self.on_primary(options, deadline, place, ask).await
    }

    /// Asks the members whose servers answer, in turns, beginning with another one each time.
    /// `None` where none of them has a connection: the primary is the last to be asked, and its
    /// error is the one to show.
    async fn on_any<T, F>(
        &self,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
        ask: fn(&Pool<AnyConnector>, AcquireOptions) -> F,
    ) -> Option<Result<T>>
    where
        T: Given,
        F: Future<Output = Result<T>> + Send,
    {
        self.watch.start();
        let turn = self.reads.fetch_add(1, Ordering::Relaxed);
        let answering = self.watch.topology().answering().len();
        for next in 0..answering {
            let wait = {
                let topology = self.watch.topology();
                let mut members = topology.answering();
                let count = members.len().max(1);
                let member = members.nth((turn + next) % count)?;
                // One that cannot be reached is not waited for.
                let options = CallOptions {
                    retries: Some(0),
                    ..options
                };
                ask(&member.pool, options.acquire(deadline, place))
            };
            match wait.await {
                Err(error) if matches!(error.class(), Class::Connect | Class::Closed) => {
                    self.watch.suspect();
                }
                result => return Some(result),
            }
        }
        None
    }

    /// Asks the primary's pool for a connection. While there is no primary, the call waits for
    /// one; when another member becomes the primary, it goes on waiting there.
    pub(crate) async fn on_primary<T, F>(
        &self,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
        ask: fn(&Pool<AnyConnector>, AcquireOptions) -> F,
    ) -> Result<T>
    where
        T: Given,
        F: Future<Output = Result<T>> + Send,
    {
        let wait = {
            let topology = self.watch.topology();
            let fixed = topology.primary().filter(|member| member.role.is_some());
            fixed.map(|member| ask(&member.pool, options.acquire(deadline, place)))
        };
        if let Some(wait) = wait {
            match wait.await {
                // The member left the topology, and not the database.
                Err(error) if error.class() == Class::Closed && !self.watch.is_closed() => {}
                result => return result,
            }
        }
        Box::pin(self.follow(options, deadline, place, ask)).await
    }

    async fn follow<T, F>(
        &self,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
        ask: fn(&Pool<AnyConnector>, AcquireOptions) -> F,
    ) -> Result<T>
    where
        T: Given,
        F: Future<Output = Result<T>> + Send,
    {
        self.watch.start();
        let begun = Instant::now();
        let deadline = self.latest(deadline, begun);
        let policy = self.policy(options);
        let mut news = self.watch.news();
        let (mut attempt, mut moved) = (0, false);
        loop {
            if self.watch.is_closed() {
                return Err(Error::new(Class::Closed, "The database is closed."));
            }
            news.mark_unchanged();
            let (member, wait) = {
                let topology = self.watch.topology();
                let member = topology.primary().cloned();
                let wanted = AcquireOptions {
                    // Who waited elsewhere before keeps the place in the order of arrival.
                    arrived: moved.then_some(begun),
                    ..options.acquire(deadline, place)
                };
                let wait = member.as_ref().map(|member| ask(&member.pool, wanted));
                (member, wait)
            };
            moved = true;
            let (Some(member), Some(wait)) = (member, wait) else {
                let left = deadline.remaining(Instant::now());
                if left.is_some_and(|left| left.is_zero()) {
                    return Err(self.no_primary(begun));
                }
                let Some(error) = self.watch.nobody() else {
                    // The first answers are on their way.
                    let left = left.unwrap_or(Duration::MAX);
                    let _ = tokio::time::timeout(left, news.changed()).await;
                    continue;
                };
                let random = fastrand::f64();
                match policy.decide(attempt, &error, Operation::Connect, left, random) {
                    Decision::Retry { after } => {
                        attempt += 1;
                        let found = self.primary_is(&mut news, None);
                        let _ = tokio::time::timeout(after, found).await;
                    }
                    Decision::GiveUp(_) => return Err(error),
                }
                continue;
            };
            let given = tokio::select! {
                biased;
                given = wait => given,
                () = self.primary_is(&mut news, Some(member.id)) => continue,
            };
            match given {
                Ok(given) if given.role() == Role::Primary => return Ok(given),
                Ok(replica) => {
                    drop(replica);
                    member.pool.invalidate();
                    self.watch.suspect();
                    let _ = tokio::time::timeout(PAUSE, news.changed()).await;
                }
                Err(error) if error.class() == Class::Closed => {
                    let _ = tokio::time::timeout(PAUSE, news.changed()).await;
                }
                Err(error) => {
                    if error.class() == Class::Connect {
                        self.watch.suspect();
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Waits until the primary is another one than this.
    async fn primary_is(&self, news: &mut watch::Receiver<u64>, not: Option<u64>) {
        loop {
            let is = self.watch.topology().primary().map(|member| member.id);
            if is != not || self.watch.is_closed() || news.changed().await.is_err() {
                return;
            }
        }
    }

    /// The end of a wait: the caller's deadline, or that of the pools.
    fn latest(&self, deadline: Deadline, begun: Instant) -> Deadline {
        let topology = self.watch.topology();
        let timeout = topology.members()[0].pool.options().acquire_timeout;
        match deadline.remaining(begun) {
            Some(left) if left < timeout => deadline,
            _ => Deadline::after(begun, timeout),
        }
    }

    #[cold]
    fn no_primary(&self, begun: Instant) -> Error {
        let waited = begun.elapsed();
        let why = match self.watch.nobody() {
            Some(error) => error.message().to_owned(),
            None => "The servers have not answered yet.".to_owned(),
        };
        Error::new(
            Class::Timeout {
                stage: Stage::Connect,
            },
            format!("No primary was found within {waited:.0?}. {why}"),
        )
        .with_hint("Check that one of the servers is a primary and can be reached.")
    }
}

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use underpin_core::driver::{AnyConnector, Connection};
use underpin_core::retry::{Decision, Operation};
use underpin_core::{Class, Deadline, Error, Result, Role, Stage};
use underpin_pool::{AcquireOptions, Grant, Pool};

use crate::call::CallOptions;
use crate::clock;
use crate::cluster::{AnyLease, Cluster};
use crate::event::Event;
use crate::member::Member;
use crate::reads::order;
use crate::topology::Topology;

/// What a pool grants: a connection, exclusively or beside other callers.
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

/// The output of a future, if it is ready without a wait.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let first = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
    match first {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The members that a read may go to.
pub(crate) enum Route {
    /// All members that serve, in turn.
    Turns { turn: usize, asked: usize },
    /// These members.
    Listed(std::vec::IntoIter<Arc<Member>>),
}

impl Route {
    /// The next member to ask.
    pub(crate) fn next(&mut self, topology: &Topology) -> Option<Arc<Member>> {
        match self {
            Route::Turns { turn, asked } => {
                let mut members = topology.serving();
                let count = members.len();
                if *asked >= count {
                    return None;
                }
                let index = (*turn + *asked) % count;
                *asked += 1;
                members.nth(index).cloned()
            }
            Route::Listed(members) => members.next(),
        }
    }
}

/// Time for which a server that turned out not to be the primary is left alone, unless there is
/// news.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

impl Cluster {
    /// Asks for a connection for reading, or for one to the primary.
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
        let given = self.on_primary(options, deadline, place, ask).await;
        given.inspect_err(|error| self.note_exhausted(error))
    }

    /// Reports a call that got no connection because the primary's connections were all in use.
    fn note_exhausted(&self, error: &Error) {
        let queue = Stage::Queue;
        if !matches!(error.class(), Class::Timeout { stage } if stage == queue)
            && error.class() != Class::Busy
        {
            return;
        }
        let topology = self.watch.topology();
        if let Some(member) = topology.primary() {
            let endpoint = member.endpoint.clone();
            self.watch.tell(Event::PoolExhausted { endpoint });
        }
    }

    /// Asks the members that serve the read, beginning with another one each time. `None` if no
    /// member has a connection: the primary is the last to be asked, and its error is the one to
    /// report.
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
        let mut route = self.route(options);
        while let Some(member) = route.next(&self.watch.topology()) {
            let given = self.ask_member(&member, options, deadline, place, ask);
            if let Some(given) = given.await {
                return Some(given);
            }
        }
        None
    }

    /// Asks one member for a connection for reading. `None` if it cannot be reached, and is set
    /// aside.
    pub(crate) async fn ask_member<T, F>(
        &self,
        member: &Member,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
        ask: fn(&Pool<AnyConnector>, AcquireOptions) -> F,
    ) -> Option<Result<T>>
    where
        F: Future<Output = Result<T>> + Send,
    {
        // A member that cannot be reached is not waited for.
        let options = CallOptions {
            retries: Some(0),
            ..options
        };
        let mut wait = pin!(ask(&member.pool, options.acquire(deadline, place)));
        let given = match at_once(wait.as_mut()).await {
            Some(given) => given,
            None => {
                let mut news = self.watch.news();
                tokio::select! {
                    biased;
                    given = wait => given,
                    // The statement was not sent, so another member can be asked.
                    () = self.stops_serving(&mut news, member.id) => return None,
                }
            }
        };
        // A server that refuses connections is of no use either, while others accept them.
        let failed = |class| matches!(class, Class::Connect | Class::Closed | Class::Resource);
        match given {
            Err(error) if failed(error.class()) => {
                self.watch.failed(member.id);
                None
            }
            result => Some(result),
        }
    }

    /// The members that a read may go to, in the order in which they are asked.
    pub(crate) fn route(&self, options: CallOptions) -> Route {
        let turn = self.reads.fetch_add(1, Ordering::Relaxed);
        if options.reads_anywhere() {
            return Route::Turns { turn, asked: 0 };
        }
        let topology = self.watch.topology();
        let busy = |index: usize| {
            let statistics = topology.members()[index].pool.statistics();
            statistics.in_use + statistics.seated + statistics.waiting
        };
        let now = clock::now();
        let order = order(
            topology.standings(),
            options.from,
            options.max_lag,
            turn,
            now,
            busy,
        );
        let members = order
            .iter()
            .map(|index| Arc::clone(&topology.members()[*index]));
        Route::Listed(members.collect::<Vec<_>>().into_iter())
    }

    /// Asks the primary's pool for a connection. While there is no primary, the call waits for one;
    /// if another member becomes the primary, the call continues to wait there.
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
        let (is_fixed, wait) = {
            let topology = self.watch.topology();
            let member = topology.primary();
            let is_fixed = member.is_some_and(|member| member.role.is_some());
            let wait = member.map(|member| ask(&member.pool, options.acquire(deadline, place)));
            (is_fixed, wait)
        };
        let mut arrived = None;
        match wait {
            Some(wait) if is_fixed => match wait.await {
                // The member left the topology, but not the database.
                Err(error) if error.class() == Class::Closed && !self.watch.is_closed() => {}
                result => return result,
            },
            // Most callers get a connection immediately, and do not have to follow the primary.
            Some(wait) => match at_once(pin!(wait)).await {
                Some(Ok(given)) if given.role() == Role::Primary => return Ok(given),
                Some(Err(error)) if !matches!(error.class(), Class::Connect | Class::Closed) => {
                    return Err(error);
                }
                _ => arrived = Some(self.arrivals.next()),
            },
            None => {}
        }
        Box::pin(self.follow(arrived, options, deadline, place, ask)).await
    }

    async fn follow<T, F>(
        &self,
        arrived: Option<Instant>,
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
        let begun = arrived.unwrap_or_else(|| self.arrivals.next());
        let deadline = self.latest(deadline, begun);
        let policy = self.policy(options);
        let mut news = self.watch.news();
        let (mut attempt, mut moved) = (0, arrived.is_some());
        loop {
            if self.watch.is_closed() {
                return Err(Error::new(Class::Closed, "The database is closed."));
            }
            news.mark_unchanged();
            let (member, wait) = {
                let topology = self.watch.topology();
                let member = topology.primary().cloned();
                let wanted = AcquireOptions {
                    // A caller that waited elsewhere before keeps its place in the order of
                    // arrival.
                    arrived: moved.then_some(begun),
                    ..options.acquire(deadline, place)
                };
                let wait = member.as_ref().map(|member| ask(&member.pool, wanted));
                (member, wait)
            };
            moved = true;
            let (Some(member), Some(wait)) = (member, wait) else {
                let left = deadline.remaining(clock::now());
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
                        // A primary that came and went does not count as a failed attempt.
                        let found = self.primary_is(&mut news, None);
                        let is_found = tokio::time::timeout(after, found).await.is_ok();
                        attempt += u32::from(!is_found);
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

    /// Waits until a member no longer serves reads.
    async fn stops_serving(&self, news: &mut watch::Receiver<u64>, id: u64) {
        while self.watch.topology().is_serving(id) && news.changed().await.is_ok() {}
    }

    /// Waits until the primary is a different member from this one.
    async fn primary_is(&self, news: &mut watch::Receiver<u64>, not: Option<u64>) {
        loop {
            let is = self.watch.topology().primary().map(|member| member.id);
            if is != not || self.watch.is_closed() || news.changed().await.is_err() {
                return;
            }
        }
    }

    /// The end of a wait: the caller's deadline, or the pools'.
    pub(crate) fn latest(&self, deadline: Deadline, begun: Instant) -> Deadline {
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

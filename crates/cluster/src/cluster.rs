use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use futures_util::future::join_all;
use underpin_core::driver::{AnyConnection, AnyConnector, Capabilities};
use underpin_core::retry::RetryPolicy;
use underpin_core::{Class, Deadline, Error, Result, Role, TwoPrimaries};
use underpin_pool::{Bounds, Lease, Pool};

use crate::budget::RetryBudget;
use crate::call::CallOptions;
use crate::change::{Change, alone_is_primary};
use crate::clock::{self, Arrivals};
use crate::connect::connect_to_primary;
use crate::counters::Counters;
use crate::discovery::Discovery;
use crate::event::{Event, Events};
use crate::member::{MemberState, NewMember};
use crate::routes::Routes;
use crate::statement_speed::StatementSpeeds;
use crate::topology::Topology;
use crate::watch::Watch;

/// A connection of any engine, leased from a member's pool.
pub type AnyLease = Lease<AnyConnector>;

/// The members of one database, and the choice of the member that serves a call. Writes and
/// unmarked statements go to the primary. Reads go to the members that only ever read, if there are
/// any, and otherwise in turn to all whose servers answer.
pub struct Cluster {
    pub(crate) watch: Arc<Watch>,
    /// Counts reads, so that members take turns.
    pub(crate) reads: AtomicUsize,
    pub(crate) arrivals: Arrivals,
    pub(crate) capabilities: Capabilities,
    pub(crate) shares: fn(&str) -> bool,
    pub(crate) pipelining: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) speeds: StatementSpeeds,
    pub(crate) routes: Routes,
    pub(crate) counters: Arc<Counters>,
    pub(crate) budget: RetryBudget,
}

/// How a cluster runs calls.
#[derive(Debug, Clone, Copy)]
pub struct ClusterOptions {
    /// Capabilities of the engine.
    pub capabilities: Capabilities,
    /// Whether the text of a statement shows that it may run in a lane: it only reads, waits for no
    /// lock, leaves the session unchanged, and may safely run twice.
    pub shares: fn(&str) -> bool,
    /// Whether statements share connections, if the engine supports that.
    pub pipelining: bool,
    /// Number of retries of calls, and the waits before them.
    pub retry: RetryPolicy,
    /// Behavior when two servers write the same timeline.
    pub two_primaries: TwoPrimaries,
    /// Whether nothing is opened before the first call.
    pub lazy: bool,
}

impl Cluster {
    /// Opens the members' pools. Servers are asked in the background for roles that are not fixed;
    /// a single member takes all calls. With a discovery, these are the members until it returns a
    /// list, and a single member is asked for its role too.
    ///
    /// # Errors
    /// `Class::Config` if no member can be a primary, if options contradict each other, or outside
    /// a Tokio runtime.
    pub fn open(
        members: Vec<NewMember>,
        options: ClusterOptions,
        discovery: Option<Arc<dyn Discovery>>,
    ) -> Result<Self> {
        let members = alone_is_primary(members, discovery.is_some());
        if members.iter().all(|new| new.role == Some(Role::Replica)) {
            return Err(Error::new(
                Class::Config,
                "No member of the database takes writes.",
            ));
        }
        let alarm = Arc::default();
        let numbered = (0..).zip(members);
        let members: Result<Vec<_>> = numbered
            .map(|(id, mut new)| {
                new.options.lazy |= options.lazy;
                new.open(id, &alarm).map(Arc::new)
            })
            .collect();
        let members = members?;
        let cluster = Cluster {
            reads: AtomicUsize::new(0),
            arrivals: Arrivals::new(),
            watch: Watch::new(
                Topology::new(members),
                alarm,
                options.capabilities,
                options.two_primaries,
                discovery,
            ),
            capabilities: options.capabilities,
            shares: options.shares,
            pipelining: options.pipelining && options.capabilities.pipelining,
            retry: options.retry,
            speeds: StatementSpeeds::default(),
            routes: Routes::default(),
            counters: Arc::new(Counters::default()),
            budget: RetryBudget::new(clock::now()),
        };
        if !options.lazy {
            cluster.watch.start();
        }
        Ok(cluster)
    }

    /// The current members and their roles.
    pub fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.watch.topology())
    }

    /// The pools of the members, that of the primary first.
    pub fn pools(&self) -> Vec<Pool<AnyConnector>> {
        let topology = self.watch.topology();
        let primary = topology.primary().map(|member| member.id);
        let mut members: Vec<_> = topology.members().iter().collect();
        members.sort_by_key(|member| Some(member.id) != primary);
        members.iter().map(|member| member.pool.clone()).collect()
    }

    /// Capabilities of the engine.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Totals of the calls.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The pool of the readers, if the engine has members that only ever read.
    pub(crate) fn readers(&self) -> Option<Pool<AnyConnector>> {
        let topology = self.watch.topology();
        topology.reader().map(|member| member.pool.clone())
    }

    /// Leases a connection for as long as the caller needs it.
    ///
    /// # Errors
    /// As for [`Pool::acquire`].
    ///
    /// # Cancel safety
    /// Safe: the caller leaves the queue, and a connection on its way goes to the next caller.
    pub async fn lease(
        &self,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<AnyLease> {
        if let Some(after) = options.after {
            return Box::pin(self.lease_after(after, options, deadline, place)).await;
        }
        let reads = options.read || options.transaction.read_only;
        match self.readers().filter(|_| reads) {
            Some(readers) => readers.acquire(options.acquire(deadline, place)).await,
            None => {
                self.ask_for(reads, options, deadline, place, Pool::acquire)
                    .await
            }
        }
    }

    /// Opens a connection to the primary outside the pools.
    ///
    /// # Errors
    /// The failure of each member, without retries.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connections that it has opened are closed.
    pub async fn connect(&self, deadline: Deadline) -> Result<AnyConnection> {
        let connectors: Vec<AnyConnector> = {
            let topology = self.watch.topology();
            let primary = topology.primary().map(|member| member.id);
            let mut members: Vec<_> = topology.members().iter().collect();
            members.sort_by_key(|member| Some(member.id) != primary);
            let writing = members
                .iter()
                .filter(|member| member.role != Some(Role::Replica));
            writing
                .map(|member| AnyConnector::clone(&member.pool.connector()))
                .collect()
        };
        connect_to_primary(&connectors, deadline).await
    }

    /// Waits until the database is closed, or its last handle is dropped.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut news = self.watch.news();
        let watch = Arc::downgrade(&self.watch);
        async move {
            while watch.upgrade().is_some_and(|watch| !watch.is_closed())
                && news.changed().await.is_ok()
            {}
        }
    }

    /// The state of each member. Costs no round trip.
    pub fn members(&self) -> Vec<MemberState> {
        self.watch.members(clock::now())
    }

    /// The events of the servers from now on, if there are several servers.
    pub fn events(&self) -> Events {
        self.watch.subscribe()
    }

    /// Takes a retry out of the database's budget, counts it and reports it. `false` if the budget
    /// is used up: a fifth of the calls, or ten per second.
    pub fn may_retry(&self, cause: &str) -> bool {
        let granted = self.budget.withdraw(clock::now());
        match granted {
            true => {
                self.counters.retry();
                let cause = cause.to_owned();
                self.watch.tell(Event::Retried { cause });
            }
            false => tracing::warn!("the budget for retries is used up"),
        }
        granted
    }

    /// Returns an observer for errors on leases that the caller holds.
    pub fn observer(&self) -> Observer {
        Observer(Some(Arc::clone(&self.watch)))
    }

    /// Changes the bounds of the pools: of the readers, if there are any, and otherwise of each
    /// member.
    ///
    /// # Errors
    /// `Class::Config` if the bounds contradict each other; nothing changes then.
    pub fn resize(&self, bounds: Bounds) -> Result<()> {
        let topology = self.watch.topology();
        if let Some(readers) = topology.reader() {
            return readers.resize(bounds, true);
        }
        let primary = topology.primary().map(|member| member.id);
        let members = topology.members().iter();
        let mut members = members.map(|member| member.resize(bounds, Some(member.id) == primary));
        // If one pool refuses the bounds, the first one does.
        members.try_for_each(|resized| resized)
    }

    /// Continues with other members. A member with the same endpoint as an old one keeps that one's
    /// pool. The new members are tried first, by opening one connection. The pools of members that
    /// are gone are closed as soon as their connections are returned.
    ///
    /// # Errors
    /// `Class::Unsupported` if an open database cannot be changed so, otherwise the error of
    /// connecting, without retries. Nothing has changed then.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has changed.
    pub async fn reconfigure(
        &self,
        new: Vec<NewMember>,
        discovery: Option<Arc<dyn Discovery>>,
        deadline: Deadline,
    ) -> Result<()> {
        let new = alone_is_primary(new, discovery.is_some());
        let old = self.topology();
        let change = Change::between(old.members(), new)?;
        change.try_to_connect(&old, deadline).await?;
        // Compared once more there: a discovery may have changed the members meanwhile.
        self.watch.reconfigure(change.wanted(), discovery)
    }

    /// Closes all pools. The error names the connections that are still held after the deadline.
    ///
    /// # Errors
    /// `Class::Timeout` names the holders of connections, with their lines of code.
    ///
    /// # Cancel safety
    /// If the future is dropped, the pools are closed anyway, without the report.
    pub async fn close(&self, deadline: Deadline) -> Result<()> {
        self.watch.close();
        let pools = self.pools();
        let all = join_all(pools.iter().map(|pool| pool.close(deadline))).await;
        all.into_iter().collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.watch.stop();
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("topology", &self.topology())
            .finish_non_exhaustive()
    }
}

/// Observes the errors of statements on leases that callers hold, since an error may mean that
/// roles have changed.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Watch>>);

impl Observer {
    /// Observes an error on this lease. If a write was refused as read-only because the server is
    /// no longer the primary, connections become stale.
    pub fn note(&self, error: &Error, lease: &AnyLease) {
        if let Some(watch) = &self.0 {
            watch.note(error, lease);
        }
    }
}

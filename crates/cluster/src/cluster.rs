use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use futures_util::future::join_all;
use underpin_core::driver::{AnyConnection, AnyConnector, Capabilities};
use underpin_core::retry::RetryPolicy;
use underpin_core::{Class, Deadline, Error, Result, Role, TwoPrimaries};
use underpin_pool::{Bounds, Lease, Pool};

use crate::budget::RetryBudget;
use crate::call::CallOptions;
use crate::change::{Change, alone_is_primary};
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

/// The members of one database, and which of them serves which call. Writes and unmarked
/// statements go to the primary. Reads go to the members that only ever read, where there are
/// any, else to all whose servers answer, in turns.
pub struct Cluster {
    pub(crate) watch: Arc<Watch>,
    /// Counts reads, so that members take turns.
    pub(crate) reads: AtomicUsize,
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
    /// What the engine can do.
    pub capabilities: Capabilities,
    /// Whether a statement may run in a lane, as far as its text tells: it only reads,
    /// waits for no lock, leaves the session as it is, and does no harm when it is asked
    /// twice.
    pub shares: fn(&str) -> bool,
    /// Whether statements share connections, where the engine can do that.
    pub pipelining: bool,
    /// How often and after which waits calls are tried again.
    pub retry: RetryPolicy,
    /// What is done where two servers write the same timeline.
    pub two_primaries: TwoPrimaries,
    /// Whether nothing is opened before the first call.
    pub lazy: bool,
}

impl Cluster {
    /// Opens the members' pools. The roles of members that have none yet are asked of their
    /// servers in the background; a member that is alone takes all calls. With a discovery, the members
    /// are those that are known before it answers, and one that is alone is asked for its role too.
    ///
    /// # Errors
    /// `Class::Config` where no member can be a primary, for options that contradict each other,
    /// or outside a Tokio runtime.
    pub fn open(
        members: Vec<NewMember>,
        options: ClusterOptions,
        discovery: Option<Arc<dyn Discovery>>,
    ) -> Result<Self> {
        let members = match discovery {
            Some(_) => members,
            None => alone_is_primary(members),
        };
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
            budget: RetryBudget::new(Instant::now()),
        };
        if !options.lazy {
            cluster.watch.start();
        }
        Ok(cluster)
    }

    /// The members and their roles at this moment.
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

    /// What the engine can do.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// What the calls add up to.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The pool of the readers, where the engine has members that only ever read.
    pub(crate) fn readers(&self) -> Option<Pool<AnyConnector>> {
        let topology = self.watch.topology();
        topology.reader().map(|member| member.pool.clone())
    }

    /// Leases a connection for as long as the caller wants it.
    ///
    /// # Errors
    /// As for [`Pool::acquire`].
    ///
    /// # Cancel safety
    /// Safe: the place in the queue is given up, and a connection goes to the next caller.
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

    /// Opens a connection to the primary beside the pools.
    ///
    /// # Errors
    /// What each member failed with, without retries.
    ///
    /// # Cancel safety
    /// Dropped half-way it closes what it has opened.
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

    /// Waits until the database is closed, or nobody has it any more.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut news = self.watch.news();
        let watch = Arc::downgrade(&self.watch);
        async move {
            while watch.upgrade().is_some_and(|watch| !watch.is_closed())
                && news.changed().await.is_ok()
            {}
        }
    }

    /// What is known of each member. Costs no round trip.
    pub fn members(&self) -> Vec<MemberState> {
        self.watch.members(Instant::now())
    }

    /// What becomes of the servers from now on, where there are several.
    pub fn events(&self) -> Events {
        self.watch.subscribe()
    }

    /// Takes a retry out of the budget of the database, counts it and tells of it. `false` where there
    /// have been as many as there may be: a fifth of the calls, or ten in each second.
    pub fn may_retry(&self, cause: &str) -> bool {
        let granted = self.budget.withdraw(Instant::now());
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

    /// What takes note of errors on a lease that the caller holds.
    pub fn observer(&self) -> Observer {
        Observer(Some(Arc::clone(&self.watch)))
    }

    /// Changes how many connections there may be: of the readers, where there are any, and
    /// else of each member.
    ///
    /// # Errors
    /// `Class::Config` where the bounds contradict each other; nothing changes then.
    pub fn resize(&self, bounds: Bounds) -> Result<()> {
        let topology = self.watch.topology();
        if let Some(readers) = topology.reader() {
            return readers.resize(bounds, true);
        }
        let primary = topology.primary().map(|member| member.id);
        let members = topology.members().iter();
        let mut members = members.map(|member| member.resize(bounds, Some(member.id) == primary));
        // Bounds that one pool refuses are refused by the first.
        members.try_for_each(|resized| resized)
    }

    /// Goes on with other members. One that leads where an old one led keeps that one's pool.
    /// They are tried first, by opening one connection. The pools of members that are no longer
    /// there are closed as soon as nobody uses them.
    ///
    /// # Errors
    /// `Class::Unsupported` where an open database cannot become that, else what connecting
    /// failed with, without retries. Nothing has changed then.
    ///
    /// # Cancel safety
    /// Dropped half-way, nothing has changed.
    pub async fn reconfigure(
        &self,
        new: Vec<NewMember>,
        discovery: Option<Arc<dyn Discovery>>,
        deadline: Deadline,
    ) -> Result<()> {
        let new = match discovery {
            Some(_) => new,
            None => alone_is_primary(new),
        };
        let old = self.topology();
        let change = Change::between(old.members(), new)?;
        change.try_to_connect(&old, deadline).await?;
        self.watch.reconfigure(change.wanted(), discovery)
    }

    /// Closes all pools; those still held after the deadline are named in the error.
    ///
    /// # Errors
    /// `Class::Timeout` names who still held a connection, and from where in the code.
    ///
    /// # Cancel safety
    /// Dropped half-way, the pools are closed all the same, without the report.
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

/// Takes note of what statements failed with on leases that callers hold, since it may mean that
/// roles have changed.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Watch>>);

impl Observer {
    /// Takes note of an error on this lease. Connections are stale where a write was refused as
    /// read-only because the server is no longer the primary.
    pub fn note(&self, error: &Error, lease: &AnyLease) {
        if let Some(watch) = &self.0 {
            watch.note(error, lease);
        }
    }
}

use std::panic::Location;
use std::sync::Arc;

use futures_util::future::join_all;
use underpin_core::driver::{AnyConnector, Capabilities};
use underpin_core::retry::RetryPolicy;
use underpin_core::{Class, Deadline, Error, Result, Role};
use underpin_pool::{Bounds, Lease, Pool};

use crate::call::CallOptions;
use crate::counters::Counters;
use crate::member::{Member, NewMember};
use crate::routes::Routes;
use crate::statement_speed::StatementSpeeds;

/// A connection of any engine, leased from a member's pool.
pub type AnyLease = Lease<AnyConnector>;

/// The members of one database, and which of them serves which call: writes and unmarked
/// statements go to the primary; reads go to the replicas, where there are any.
pub struct Cluster {
    members: Vec<Member>,
    pub(crate) capabilities: Capabilities,
    pub(crate) shares: fn(&str) -> bool,
    pub(crate) pipelining: bool,
    pub(crate) retry: RetryPolicy,
    pub(crate) speeds: StatementSpeeds,
    pub(crate) routes: Routes,
    pub(crate) counters: Arc<Counters>,
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
}

impl Cluster {
    /// Opens the members' pools. The first primary among them takes the writes.
    ///
    /// # Errors
    /// `Class::Config` where no member is a primary, for options that contradict each other, or
    /// outside a Tokio runtime.
    pub fn open(mut members: Vec<NewMember>, options: ClusterOptions) -> Result<Self> {
        members.sort_by_key(|member| member.role != Role::Primary);
        if members
            .first()
            .is_none_or(|first| first.role != Role::Primary)
        {
            return Err(Error::new(
                Class::Config,
                "No member of the database takes writes.",
            ));
        }
        let members: Result<Vec<Member>> = members.into_iter().map(NewMember::open).collect();
        Ok(Cluster {
            members: members?,
            capabilities: options.capabilities,
            shares: options.shares,
            pipelining: options.pipelining && options.capabilities.pipelining,
            retry: options.retry,
            speeds: StatementSpeeds::default(),
            routes: Routes::default(),
            counters: Arc::new(Counters::default()),
        })
    }

    /// The members; the primary is the first.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The pools of the members, in the same order.
    pub fn pools(&self) -> impl Iterator<Item = &Pool<AnyConnector>> {
        self.members.iter().map(|member| &member.pool)
    }

    /// What the engine can do.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// What the calls add up to.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    pub(crate) fn primary(&self) -> &Pool<AnyConnector> {
        &self.members[0].pool
    }

    /// The first of the replicas, where there are any.
    pub(crate) fn readers(&self) -> Option<&Pool<AnyConnector>> {
        let mut members = self.members.iter();
        let replica = members.find(|member| member.role == Role::Replica);
        replica.map(|member| &member.pool)
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
        let reads = options.read || options.transaction.read_only;
        let pool = if reads { self.readers() } else { None };
        acquire(pool.unwrap_or(self.primary()), options, deadline, place).await
    }

    /// Changes how many connections there may be: of the readers, where there are any, and
    /// else of the primary.
    ///
    /// # Errors
    /// `Class::Config` where the bounds contradict each other; nothing changes then.
    pub fn resize(&self, bounds: Bounds) -> Result<()> {
        self.readers().unwrap_or(self.primary()).resize(bounds)
    }

    /// Closes all pools; those still held after the deadline are named in the error.
    ///
    /// # Errors
    /// `Class::Timeout` names who still held a connection, and from where in the code.
    ///
    /// # Cancel safety
    /// Dropped half-way, the pools are closed all the same, without the report.
    pub async fn close(&self, deadline: Deadline) -> Result<()> {
        let all = join_all(self.pools().map(|pool| pool.close(deadline))).await;
        all.into_iter().collect()
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

/// Leases a connection of this pool.
pub(crate) async fn acquire(
    pool: &Pool<AnyConnector>,
    options: CallOptions,
    deadline: Deadline,
    place: &'static Location<'static>,
) -> Result<AnyLease> {
    pool.acquire(options.acquire(deadline, place)).await
}

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use underpin_core::driver::{AbortHandle, AnyConnection, AnyConnector};
use underpin_core::{Endpoint, Result, Role};
use underpin_pool::{Bounds, Hooks, Pool, PoolOptions, Statistics};

use crate::alarm::Alarm;

/// An endpoint of a database, with the pool of its connections.
#[derive(Debug)]
pub struct Member {
    /// Number of the member, which no other member of its database ever has.
    pub id: u64,
    /// Endpoint of its connections. Two members may share an endpoint, as the writer and the
    /// readers of a file do.
    pub endpoint: Endpoint,
    /// Its role, if the role never changes; `None` if the server is asked for it.
    pub role: Option<Role>,
    /// Its connections; the pool's name contains the endpoint.
    pub pool: Pool<AnyConnector>,
    /// Bounds of its pool while the member takes calls.
    bounds: Mutex<Bounds>,
    /// Handles that end its connections, if roles may change.
    open: Arc<Mutex<Vec<AbortHandle>>>,
    alarm: Arc<Alarm>,
    /// Opens the connections for probes, whose failures raise no alarm.
    prober: Mutex<AnyConnector>,
}

/// The state of a member at one point in time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MemberState {
    /// Endpoint of its connections.
    pub endpoint: Endpoint,
    /// Role that its server reported in the latest probe; `None` if the server did not answer or
    /// was not probed yet.
    pub role: Option<Role>,
    /// Reason why the latest probe was not answered.
    pub error: Option<String>,
    /// Time that the answer to the latest probe took. Also `None` for a member that is not probed:
    /// a single member, and one whose role never changes.
    pub latency: Option<Duration>,
    /// Time for which it has been in this state.
    pub lasting: Option<Duration>,
    /// Bytes of the primary's history that it has not replayed, up to the primary's last known
    /// position. `None` if that is not known.
    pub lag: Option<u64>,
    /// Age of the latest change that it has replayed; zero if it is not behind.
    pub lag_time: Option<Duration>,
    /// Whether reads avoid it for a while because it failed.
    pub set_aside: bool,
    /// Numbers of its pool.
    pub pool: Statistics,
}

/// A member without a pool.
pub struct NewMember {
    /// Endpoint of its connections.
    pub endpoint: Endpoint,
    /// Its role, if the role never changes; `None` if the server is asked for it. A single member
    /// takes all calls, whatever its role.
    pub role: Option<Role>,
    /// Opens its connections.
    pub connector: AnyConnector,
    /// Opens the connections on which its server is asked for its role, if they differ from the
    /// pool's.
    pub prober: Option<AnyConnector>,
    /// Options of its pool; the name contains the endpoint.
    pub options: PoolOptions,
    /// Callbacks at certain points in the life of a connection.
    pub hooks: Hooks<AnyConnection>,
}

impl NewMember {
    /// A member without callbacks, whose server is asked for its role.
    pub fn new(endpoint: Endpoint, connector: AnyConnector, options: PoolOptions) -> Self {
        NewMember {
            endpoint,
            role: None,
            connector,
            prober: None,
            options,
            hooks: Hooks::new(),
        }
    }

    /// The same member with a role that never changes.
    #[must_use]
    pub fn with_role(self, role: Role) -> Self {
        NewMember {
            role: Some(role),
            ..self
        }
    }

    /// Opens the pool. Connections are established in the background, or with the first call if the
    /// options say so. A member whose role is not known opens none until it takes calls.
    ///
    /// # Errors
    /// `Class::Config` if options contradict each other, or outside a Tokio runtime.
    pub(crate) fn open(mut self, id: u64, alarm: &Arc<Alarm>) -> Result<Member> {
        self.options.check()?;
        let bounds = self.options.bounds();
        if self.role.is_none() {
            self.options.min = 0;
        }
        let open = Arc::default();
        let prober = Mutex::new(self.prober.unwrap_or_else(|| self.connector.clone()));
        let connector = match self.role {
            Some(_) => self.connector,
            None => noting(self.connector, &open, alarm),
        };
        Ok(Member {
            id,
            endpoint: self.endpoint,
            role: self.role,
            pool: Pool::open_with(connector, self.options, self.hooks)?,
            bounds: Mutex::new(bounds),
            open,
            alarm: Arc::clone(alarm),
            prober,
        })
    }
}

type Handles = Mutex<Vec<AbortHandle>>;

fn handles(open: &Handles) -> MutexGuard<'_, Vec<AbortHandle>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connector whose connections can be ended from outside, and whose failures raise the alarm.
fn noting(connector: AnyConnector, open: &Arc<Handles>, alarm: &Arc<Alarm>) -> AnyConnector {
    let (open, alarm) = (Arc::clone(open), Arc::clone(alarm));
    connector.noting(move |connected: &Result<AnyConnection>| match connected {
        Ok(connection) => {
            if let Some(handle) = connection.abort_handle() {
                let mut open = handles(&open);
                open.retain(|other| !other.is_over());
                open.push(handle);
            }
        }
        Err(error) => alarm.connecting_failed(error),
    })
}

impl Member {
    fn bounds(&self) -> Bounds {
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn prober(&self) -> AnyConnector {
        let prober = self.prober.lock();
        prober.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the bounds of its pool.
    pub(crate) fn resize(&self, bounds: Bounds, takes_calls: bool) -> Result<()> {
        let min = if takes_calls { bounds.min } else { 0 };
        self.pool.resize(Bounds { min, ..bounds })?;
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner) = bounds;
        Ok(())
    }

    /// Fills the pool to its minimum, since the member takes calls from now on.
    pub(crate) fn fill(&self) {
        // Bounds that were accepted once are accepted again.
        let _ = self.pool.resize(self.bounds());
    }

    /// The same member with another endpoint.
    pub(crate) fn at(&self, endpoint: Endpoint) -> Self {
        Member {
            id: self.id,
            endpoint,
            role: self.role,
            pool: self.pool.clone(),
            bounds: Mutex::new(self.bounds()),
            open: Arc::clone(&self.open),
            alarm: Arc::clone(&self.alarm),
            prober: Mutex::new(self.prober()),
        }
    }

    /// Replaces the connector of the pool.
    pub(crate) fn replace(&self, connector: AnyConnector, prober: Option<AnyConnector>) {
        let prober = prober.unwrap_or_else(|| connector.clone());
        *self.prober.lock().unwrap_or_else(PoisonError::into_inner) = prober;
        self.pool.replace(match self.role {
            Some(_) => connector,
            None => noting(connector, &self.open, &self.alarm),
        });
    }

    /// Ends all connections immediately, including those that callers hold: calls in progress fail,
    /// and each error says what is known of the effect.
    pub(crate) fn cut(&self) {
        let open = std::mem::take(&mut *handles(&self.open));
        for connection in open {
            connection.abort();
        }
    }

    /// Retires the pool's connections: idle ones now, leased ones when they are returned.
    pub(crate) fn empty(&self) {
        let _ = self.pool.resize(Bounds {
            min: 0,
            ..self.bounds()
        });
        self.pool.invalidate();
    }
}

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use underpin_core::driver::{AbortHandle, AnyConnection, AnyConnector};
use underpin_core::{Endpoint, Result, Role};
use underpin_pool::{Bounds, Hooks, Pool, PoolOptions, Statistics};

use crate::alarm::Alarm;

/// An endpoint of a database, with the pool of its connections.
#[derive(Debug)]
pub struct Member {
    /// The number of the member among those of its database, which no other ever has.
    pub id: u64,
    /// Where its connections lead. Two members may share an endpoint, as the writer and the
    /// readers of a file do.
    pub endpoint: Endpoint,
    /// Its role, where that never changes; `None` where the server says what it is.
    pub role: Option<Role>,
    /// Its connections; the pool's name says where they lead.
    pub pool: Pool<AnyConnector>,
    /// How many connections its pool is to have while the member takes calls.
    bounds: Mutex<Bounds>,
    /// What ends its connections, where roles may change.
    open: Arc<Mutex<Vec<AbortHandle>>>,
    alarm: Arc<Alarm>,
    /// What opens the connections on which it is probed: their failures raise no alarm.
    prober: Mutex<AnyConnector>,
}

/// What is known of a member at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MemberState {
    /// Where its connections lead.
    pub endpoint: Endpoint,
    /// What its server says it is, as of the latest probe; `None` where that had no answer or where
    /// there was none yet.
    pub role: Option<Role>,
    /// Why the latest probe had no answer.
    pub error: Option<String>,
    /// How long the answer to the latest probe took. `None` too for a member that is not probed:
    /// one that is alone, and one whose role never changes.
    pub latency: Option<Duration>,
    /// For how long it has been so.
    pub lasting: Option<Duration>,
    /// How many bytes of the primary's history it has not replayed, up to the primary's last known
    /// position. `None` where that is not known.
    pub lag: Option<u64>,
    /// The age of the latest change that it has replayed; zero where it is not behind.
    pub lag_time: Option<Duration>,
    /// Whether reads leave it out for a while, because it failed.
    pub set_aside: bool,
    /// Its pool in numbers.
    pub pool: Statistics,
}

/// A member that has no pool yet.
pub struct NewMember {
    /// Where its connections lead.
    pub endpoint: Endpoint,
    /// Its role, where that never changes; `None` where the server says what it is. A member that
    /// is alone takes all calls, whatever it is.
    pub role: Option<Role>,
    /// Opens its connections.
    pub connector: AnyConnector,
    /// Opens the connections on which its server is asked for its role, where they differ from the
    /// pool's.
    pub prober: Option<AnyConnector>,
    /// How its pool behaves; the name says where its connections lead.
    pub options: PoolOptions,
    /// Callbacks at the turns of a connection's life.
    pub hooks: Hooks<AnyConnection>,
}

impl NewMember {
    /// A member without callbacks, whose server says which role it has.
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

    /// The same member in a role that never changes.
    #[must_use]
    pub fn with_role(self, role: Role) -> Self {
        NewMember {
            role: Some(role),
            ..self
        }
    }

    /// Opens the pool. Connections are established in the background, or not before the
    /// first call where the options say so. A member whose role is not known keeps none open
    /// until it takes calls.
    ///
    /// # Errors
    /// `Class::Config` for options that contradict each other, or outside a Tokio runtime.
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

    /// Changes how many connections its pool is to have.
    pub(crate) fn resize(&self, bounds: Bounds, takes_calls: bool) -> Result<()> {
        let min = if takes_calls { bounds.min } else { 0 };
        self.pool.resize(Bounds { min, ..bounds })?;
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner) = bounds;
        Ok(())
    }

    /// Fills the pool to its minimum, since calls come from now on.
    pub(crate) fn fill(&self) {
        // Bounds that were taken once are taken again.
        let _ = self.pool.resize(self.bounds());
    }

    /// The same member, which leads elsewhere from now on.
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

    /// Has the pool's connections lead where this connector leads.
    pub(crate) fn replace(&self, connector: AnyConnector, prober: Option<AnyConnector>) {
        let prober = prober.unwrap_or_else(|| connector.clone());
        *self.prober.lock().unwrap_or_else(PoisonError::into_inner) = prober;
        self.pool.replace(match self.role {
            Some(_) => connector,
            None => noting(connector, &self.open, &self.alarm),
        });
    }

    /// Ends all connections at once, those that callers hold too: calls under way fail, each with
    /// what is known of its effect.
    pub(crate) fn cut(&self) {
        let open = std::mem::take(&mut *handles(&self.open));
        for connection in open {
            connection.abort();
        }
    }

    /// Gives up the pool's connections: idle ones now, leased ones when they are returned.
    pub(crate) fn empty(&self) {
        let _ = self.pool.resize(Bounds {
            min: 0,
            ..self.bounds()
        });
        self.pool.invalidate();
    }
}

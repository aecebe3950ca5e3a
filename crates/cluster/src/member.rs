use underpin_core::driver::{AnyConnection, AnyConnector};
use underpin_core::{Result, Role};
use underpin_pool::{Hooks, Pool, PoolOptions};

/// An endpoint of a database in one role, with the pool of its connections.
#[derive(Debug)]
pub struct Member {
    /// What it is used for.
    pub role: Role,
    /// Its connections; the pool's name says where they lead.
    pub pool: Pool<AnyConnector>,
}

/// A member that has no pool yet.
pub struct NewMember {
    /// What it is used for.
    pub role: Role,
    /// Opens its connections.
    pub connector: AnyConnector,
    /// How its pool behaves; the name says where its connections lead.
    pub options: PoolOptions,
    /// Callbacks at the turns of a connection's life.
    pub hooks: Hooks<AnyConnection>,
}

impl NewMember {
    /// A member without callbacks.
    pub fn new(role: Role, connector: AnyConnector, options: PoolOptions) -> Self {
        NewMember {
            role,
            connector,
            options,
            hooks: Hooks::new(),
        }
    }

    /// Opens the pool. Connections are established in the background, or not before the
    /// first call where the options say so.
    ///
    /// # Errors
    /// `Class::Config` for options that contradict each other, or outside a Tokio runtime.
    pub(crate) fn open(self) -> Result<Member> {
        Ok(Member {
            role: self.role,
            pool: Pool::open_with(self.connector, self.options, self.hooks)?,
        })
    }
}

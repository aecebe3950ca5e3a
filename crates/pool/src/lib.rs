//! The connection pool: all connections of one endpoint, and the callers waiting for one.
//!
//! The module `state` makes the decisions, without I/O, clock or randomness; [`Pool`] and its
//! background tasks carry them out. A caller holds a connection as a [`Lease`]. Dropping the lease
//! returns the connection to the pool, whatever state the caller left it in.
//!
//! ```
//! # use underpin_core::driver::Connector;
//! # use underpin_core::{Deadline, Result};
//! use underpin_pool::{AcquireOptions, Pool, PoolOptions};
//!
//! # async fn example<C: Connector>(connector: C) -> Result<()> {
//! let pool = Pool::open(connector, PoolOptions { max: 8, ..PoolOptions::new("db1:5432/shop") })?;
//! let connection = pool.acquire(AcquireOptions::new()).await?;
//! drop(connection);
//! pool.close(Deadline::NONE).await
//! # }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod acquire;
mod background;
mod checkout;
mod clock;
mod explanation;
mod failure;
mod fast;
mod histogram;
mod hooks;
mod inner;
mod lane;
mod lease;
mod locked;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics_disabled.rs"]
mod metrics;
mod name;
mod options;
mod pool;
mod release;
mod source;
mod state;
mod statistics;
mod timestamp;
mod work;

pub use acquire::AcquireOptions;
pub use histogram::Histogram;
pub use hooks::{HookFuture, Hooks};
pub use lane::{Grant, Seat};
pub use lease::Lease;
pub use options::{Bounds, PoolOptions, Shedding};
pub use pool::Pool;
pub use statistics::Statistics;
pub use underpin_core::{HealthCheck, Recycling};

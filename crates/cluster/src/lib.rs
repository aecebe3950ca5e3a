//! The members of one database, and which of them serves a call.
//!
//! A [`Cluster`] holds [`Member`]s: each has an endpoint, a role and a pool of its own, and
//! two may share an endpoint, as the writer and the readers of a SQLite file do. It runs an
//! [`Operation`] on a connection of the right member, alone or beside other callers'
//! statements, and again where that is safe. It knows connections only as
//! [`dyn Connection`](underpin_core::driver::Connection), so that it is compiled once,
//! whatever engines there are.

mod call;
mod cluster;
mod counters;
mod member;
mod operation;
mod routes;
mod run;
mod statement_speed;

pub use call::CallOptions;
pub use cluster::{AnyLease, Cluster, ClusterOptions};
pub use counters::Counters;
pub use member::{Member, NewMember};
pub use operation::{Answer, Operation, Running};
pub use run::{is_unsent, mark_stale_if_read_only};

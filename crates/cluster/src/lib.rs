//! The members of one database, and the choice of the member that serves a call.
//!
//! A [`Cluster`] holds [`Member`]s. Each has an endpoint, a role and a pool of its own. Two members
//! may share an endpoint, as the writer and the readers of a SQLite file do. If roles may change,
//! servers are asked for their role, and calls follow the primary. A cluster runs an [`Operation`]
//! on a connection of the right member, alone or beside other callers' statements, and retries it
//! if that is safe. It knows connections only as [`dyn
//! Connection`](underpin_core::driver::Connection), so that it is compiled once for any set of
//! engines.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod after;
mod alarm;
mod aside;
mod budget;
mod call;
mod change;
mod clock;
mod cluster;
mod connect;
mod counters;
mod discovery;
mod event;
mod follow;
mod history;
mod member;
mod operation;
mod reads;
mod roles;
mod routes;
mod run;
mod sign;
mod statement_speed;
mod topology;
mod watch;

pub use call::CallOptions;
pub use cluster::{AnyLease, Cluster, ClusterOptions, Observer};
pub use connect::connect_to_primary;
pub use counters::Counters;
pub use discovery::Discovery;
pub use event::{Event, Events};
pub use member::{Member, MemberState, NewMember};
pub use operation::{Answer, Operation, Running};
pub use reads::{After, MaxLag};
pub use run::is_unsent;
pub use sign::Sign;
pub use topology::Topology;

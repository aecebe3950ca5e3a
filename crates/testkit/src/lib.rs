//! Real servers for tests of programs that use a database.
//!
//! A test that talks to an imitation of a server proves that the imitation was understood.
//! This crate starts real ones, gives each test a database of its own, and breaks things in the
//! ways in which they break in production: the server is killed, hangs, restarts, shows an
//! expired certificate; the network cuts a connection between a COMMIT and its answer.
//!
//! | noun | what it is |
//! |---|---|
//! | [`Postgres`] | a PostgreSQL server, shared by a test run or private to one test |
//! | [`TestDatabase`] | an empty database of one test, dropped with the value |
//! | [`Patroni`] | three PostgreSQL servers that decide among themselves who leads |
//! | [`PgBouncer`] | a real PgBouncer before a PostgreSQL server, in transaction mode |
//! | [`Proxy`] | a network between client and server that can fail, at a chosen point of the protocol |
//! | [`NotADatabase`] | a port on which something else listens; [`closed_port`] is one with nothing |
//! | [`Place`] | a database of one test on each engine in turn |
//! | [`SqliteFile`] | a place for a SQLite database that can be damaged, locked or too small |
//!
//! Everything here is synchronous where it can be and may be called from an asynchronous test;
//! what runs in the background runs on threads of its own, so that a test may pause Tokio's
//! clock. Nothing that is started outlives the process that started it, not even when that
//! process is killed. Unix only.
//!
//! ```no_run
//! use underpin_testkit::{Postgres, or_skip};
//!
//! # async fn example() {
//! let server = or_skip!(Postgres::shared());
//! let database = server.database("accounts");
//! let client = database.client().await;
//! client.batch_execute("CREATE TABLE account (id int)").await.unwrap();
//! # }
//! ```
//!
//! # Environment
//!
//! | variable | meaning |
//! |---|---|
//! | `UNDERPIN_TEST_POSTGRES_URL` | the shared server, already running; else each process starts its own |
//! | `UNDERPIN_TEST_POSTGRES_SOCKET_DIR` | where that server has its Unix socket, where known |
//! | `UNDERPIN_TEST_POSTGRES_CA` | the certificate that signed that server's, where known |
//! | `UNDERPIN_TEST_POSTGRES_BIN` | the directory of `initdb` and `postgres`; else the newest one found |
//! | `UNDERPIN_TEST_OLDER_POSTGRES_BIN` | the same of an older minor version, for what was made there and is read by the newer one |
//! | `UNDERPIN_TEST_PG_DUMP` | the program `pg_dump` for servers that come without one or with an older one |
//! | `UNDERPIN_TEST_PGBOUNCER` | the program `pgbouncer`; else the one found |
//! | `UNDERPIN_TEST_PATRONI`, `UNDERPIN_TEST_ETCD` | the programs `patroni` and `etcd` |
//! | `UNDERPIN_TEST_SKIPS` | a file that gets one line for each skipped test |
//! | `UNDERPIN_TEST_SECRETS` | a file that gets each password used, one a line |
//! | `CI` | when `true`, an unavailable server is a failure, not a skip |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod attendant;
pub mod driver_suite;
mod not_a_database;
mod patroni;
mod pgbouncer;
mod place;
mod port;
pub mod postgres;
pub mod proxy;
pub mod secrets;
pub mod skip;
mod sqlite_file;
mod unavailable;
mod watched;

pub use not_a_database::NotADatabase;
pub use patroni::Patroni;
pub use pgbouncer::{PgBouncer, PgBouncerBuilder};
pub use place::Place;
pub use port::closed_port;
pub use postgres::{Postgres, PostgresBuilder, ServerCertificate, TestDatabase};
pub use proxy::{CutPoint, Proxy};
pub use sqlite_file::SqliteFile;
pub use unavailable::Unavailable;
pub use watched::{Watch, Watched};

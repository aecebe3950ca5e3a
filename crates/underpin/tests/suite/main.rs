//! Underpin against real servers, real files and real faults.

mod basics;
mod cancel;
mod chaos;
mod complaints;
mod concurrent;
mod deadlock;
mod effect;
mod faults;
mod health;
mod house;
mod lanes;
mod migrate;
mod migrate_failure;
mod migrate_locks;
mod models;
mod operating;
mod pgbouncer;
mod place;
mod readme;
mod retry;
mod schema_sql;
mod scratch;
mod secrets;
mod standing;
mod transaction;
mod types;

//! Underpin against real servers, real files and real faults.

mod basics;
mod cancel;
mod concurrent;
mod effect;
mod faults;
mod health;
mod house;
mod migrate;
mod migrate_failure;
mod migrate_locks;
mod models;
mod place;
mod readme;
mod retry;
mod secrets;
mod transaction;
mod types;

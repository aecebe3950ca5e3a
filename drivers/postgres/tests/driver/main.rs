//! The driver against real servers.

mod client;
mod copying;
mod counts;
mod deadlines;
mod effects;
mod lanes;
mod login;
mod opening;
mod place;
mod reading;
mod sessions;
mod spoiled;
mod statements;
mod states;
mod streaming;
mod suite;
mod transactions;
mod types;

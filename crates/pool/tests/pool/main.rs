//! The pool with a connector that fails, hangs, is slow and closes, in simulated time.

mod cache;
mod cancelling;
mod closing;
mod complaints;
mod connecting;
mod crowd;
mod explaining;
mod fake;
mod hooks;
mod lanes;
mod leasing;
mod operating;
mod recycling;
mod replacing;
mod simulation;
mod validating;

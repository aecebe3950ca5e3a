//! The pool with a connector that fails, hangs, is slow, or is closed, in simulated time.

mod cache;
mod canceling;
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

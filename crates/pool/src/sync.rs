//! What threads share in [`standby`](crate::standby), in one place, so that the test that tries
//! all orders of what they do can put its own in theirs.

pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) use crossbeam_utils::atomic::AtomicCell;

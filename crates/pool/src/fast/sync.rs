//! What threads share in [`standby`](crate::fast::cache), in one place, so that the test that tries
//! all orders of what they do can put its own in theirs.

use std::cell::Cell;
pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) use crossbeam_utils::atomic::AtomicCell;

thread_local! {
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// The berth that this thread has filled last.
#[inline]
pub(crate) fn last_slot() -> usize {
    LAST.get()
}

/// This thread has filled this berth.
#[inline]
pub(crate) fn note_slot(at: usize) {
    LAST.set(at);
}

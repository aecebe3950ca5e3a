//! The shared primitives of the [cache](crate::fast::cache) and the
//! [mailboxes](crate::fast::mailbox), in one place, so that the test that tries all orders can
//! replace them.

use std::cell::Cell;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, OnceLock, PoisonError};

pub(crate) use crossbeam_utils::atomic::AtomicCell;

/// Number of entries of a [table](crate::fast::table) that always exist: enough for a pool of the
/// usual size.
pub(crate) const FIRST: usize = 32;

thread_local! {
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// The cache slot that this thread filled last.
#[inline]
pub(crate) fn last_slot() -> usize {
    LAST.get()
}

/// Records that this thread has filled this cache slot.
#[inline]
pub(crate) fn note_slot(at: usize) {
    LAST.set(at);
}

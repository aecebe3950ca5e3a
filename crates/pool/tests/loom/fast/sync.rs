//! The primitives of `src/fast/sync.rs`, under loom.

use std::cell::Cell;
pub(crate) use std::sync::PoisonError;

pub(crate) use loom::sync::Mutex;
use loom::sync::atomic::AtomicUsize;
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Like crossbeam's: each change is one swap, which acquires and releases.
pub(crate) struct AtomicCell<T> {
    swaps: AtomicUsize,
    /// Loom does not switch threads here, so both change at once.
    value: std::sync::Mutex<T>,
}

impl<T> AtomicCell<T> {
    pub(crate) fn new(value: T) -> Self {
        AtomicCell {
            swaps: AtomicUsize::new(0),
            value: std::sync::Mutex::new(value),
        }
    }

    pub(crate) fn store(&self, value: T) {
        drop(self.swap(value));
    }

    fn swap(&self, value: T) -> T {
        self.swaps.fetch_add(1, Ordering::AcqRel);
        std::mem::replace(&mut *self.value.lock().unwrap(), value)
    }
}

impl<T: Default> AtomicCell<T> {
    pub(crate) fn take(&self) -> T {
        self.swap(T::default())
    }
}

/// Like the standard library's: a thread that finds it initialized sees everything that the
/// initializer did before, and only one thread at a time initializes it.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    made: AtomicBool,
    making: loom::sync::Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        OnceLock {
            made: AtomicBool::new(false),
            making: loom::sync::Mutex::new(()),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        match self.made.load(Ordering::Acquire) {
            true => self.value.get(),
            false => None,
        }
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if !self.made.load(Ordering::Acquire) {
            let _making = self.making.lock().unwrap();
            self.value.get_or_init(make);
            self.made.store(true, Ordering::Release);
        }
        self.value.get().unwrap()
    }
}

/// Few, since loom tracks each of them.
pub(crate) const FIRST: usize = 2;

loom::thread_local! {
    static LAST: Cell<usize> = Cell::new(0);
}

pub(crate) fn last_slot() -> usize {
    LAST.with(Cell::get)
}

pub(crate) fn note_slot(at: usize) {
    LAST.with(|last| last.set(at));
}

use std::sync::atomic::{AtomicUsize, Ordering};

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Work that goes on in the background after its caller has gone away: a statement that is canceled
/// on the server, a connection that is closed. A program that is about to end waits until there is
/// no more of it.
///
/// ```
/// use underpin_core::driver::Lingering;
///
/// let before = Lingering::count();
/// let work = Lingering::begin();
/// assert_eq!(Lingering::count(), before + 1);
/// drop(work);
/// assert_eq!(Lingering::count(), before);
/// ```
#[derive(Debug)]
pub struct Lingering(());

impl Lingering {
    /// Counts a piece of work until the value is dropped.
    #[must_use]
    pub fn begin() -> Self {
        COUNT.fetch_add(1, Ordering::AcqRel);
        Lingering(())
    }

    /// How many pieces of such work there are in this process.
    pub fn count() -> usize {
        COUNT.load(Ordering::Acquire)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::AcqRel);
    }
}

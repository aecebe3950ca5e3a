use std::sync::atomic::{AtomicUsize, Ordering};

/// The calls that are under way on a session, and whether the only one of them is being
/// cancelled: a request to cancel names the session, so no other statement may begin that it
/// could meet. One number holds both, so that a call begins either before or after the
/// request, and never beside it.
#[derive(Debug, Default)]
pub(crate) struct Calls(AtomicUsize);

const CANCELLING: usize = 1 << (usize::BITS - 1);

impl Calls {
    /// How many calls there are.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire) & !CANCELLING
    }

    /// Begins a call, and gives how many there were before. `None` where one is being
    /// cancelled.
    pub(crate) fn begin(&self) -> Option<usize> {
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        if before & CANCELLING == 0 {
            return Some(before);
        }
        self.end();
        None
    }

    /// Ends a call.
    pub(crate) fn end(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    /// Keeps others from beginning, where the caller's is the only call.
    pub(crate) fn cancel(&self) -> Option<Cancelling<'_>> {
        self.0
            .compare_exchange(1, 1 | CANCELLING, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
            .then_some(Cancelling(self))
    }
}

/// While it is there, no call begins.
pub(crate) struct Cancelling<'a>(&'a Calls);

impl Drop for Cancelling<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_and(!CANCELLING, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn only_the_only_call_is_cancelled_and_none_begins_meanwhile() {
        let calls = Calls::default();
        assert!(calls.cancel().is_none(), "there is none");
        assert_eq!(calls.begin(), Some(0));
        assert_eq!(calls.begin(), Some(1));
        assert!(calls.cancel().is_none(), "there are two");
        calls.end();
        let cancelling = calls.cancel().expect("there is one");
        assert_eq!(calls.begin(), None);
        assert_eq!(calls.count(), 1);
        drop(cancelling);
        assert_eq!(calls.begin(), Some(1));
    }

    #[test]
    fn no_call_is_under_way_beside_a_cancelled_one() {
        let calls = Calls::default();
        let alone = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        if calls.begin().is_none() {
                            continue;
                        }
                        assert!(!alone.load(Ordering::SeqCst), "it met a request to cancel");
                        if let Some(cancelling) = calls.cancel() {
                            alone.store(true, Ordering::SeqCst);
                            std::hint::spin_loop();
                            alone.store(false, Ordering::SeqCst);
                            drop(cancelling);
                        }
                        calls.end();
                    }
                });
            }
        });
        assert_eq!(calls.count(), 0);
    }
}

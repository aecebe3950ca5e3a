use std::sync::atomic::{AtomicUsize, Ordering};

/// The calls in progress on a session, and whether the only one of them is being canceled. A
/// request to cancel names the session, so no other statement may begin that the request could
/// meet. One number holds both, so that a call begins either before or after the request, and never
/// beside it.
#[derive(Debug, Default)]
pub(crate) struct Calls(AtomicUsize);

const CANCELING: usize = 1 << (usize::BITS - 1);

impl Calls {
    /// Number of calls in progress.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire) & !CANCELING
    }

    /// Begins a call, and returns the previous number of calls. `None` if a call is being canceled.
    pub(crate) fn begin(&self) -> Option<usize> {
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        if before & CANCELING == 0 {
            return Some(before);
        }
        self.end();
        None
    }

    /// Ends a call.
    pub(crate) fn end(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }

    /// Keeps other calls from beginning, if the caller's is the only call.
    pub(crate) fn cancel(&self) -> Option<Canceling<'_>> {
        self.0
            .compare_exchange(1, 1 | CANCELING, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
            .then_some(Canceling(self))
    }
}

/// While this exists, no call begins.
pub(crate) struct Canceling<'a>(&'a Calls);

impl Drop for Canceling<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_and(!CANCELING, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn a_single_call_is_canceled_and_none_begins_meanwhile() {
        let calls = Calls::default();
        assert!(calls.cancel().is_none(), "there is none");
        assert_eq!(calls.begin(), Some(0));
        assert_eq!(calls.begin(), Some(1));
        assert!(calls.cancel().is_none(), "there are two");
        calls.end();
        let canceling = calls.cancel().expect("there is one");
        assert_eq!(calls.begin(), None);
        assert_eq!(calls.count(), 1);
        drop(canceling);
        assert_eq!(calls.begin(), Some(1));
    }

    #[test]
    fn no_call_is_in_progress_beside_a_canceled_one() {
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
                        if let Some(canceling) = calls.cancel() {
                            alone.store(true, Ordering::SeqCst);
                            std::hint::spin_loop();
                            alone.store(false, Ordering::SeqCst);
                            drop(canceling);
                        }
                        calls.end();
                    }
                });
            }
        });
        assert_eq!(calls.count(), 0);
    }
}

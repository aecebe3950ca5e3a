use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use underpin_core::{Class, Error};

/// Raised by any sign that roles may have changed, and observed by the prober.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    raised: AtomicBool,
    changed: Notify,
}

impl Alarm {
    /// Requests a probe of all members now.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Raises the alarm if a connection could not be opened because of the server or the network.
    pub(crate) fn connecting_failed(&self, error: &Error) {
        if matches!(error.class(), Class::Connect | Class::Timeout { .. }) {
            self.raise();
        }
    }

    /// Whether the alarm was raised since the last call.
    pub(crate) fn take(&self) -> bool {
        self.raised.swap(false, Ordering::AcqRel)
    }

    /// Waits until the alarm is raised.
    pub(crate) async fn raised(&self) {
        self.changed.notified().await;
    }
}

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use underpin_core::{Class, Error};

/// Raised by whatever may mean that roles have changed, and looked at by who probes.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    raised: AtomicBool,
    changed: Notify,
}

impl Alarm {
    /// Has all members probed at once.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Raises it where a connection could not be opened because of the server or the network.
    pub(crate) fn connecting_failed(&self, error: &Error) {
        if matches!(error.class(), Class::Connect | Class::Timeout { .. }) {
            self.raise();
        }
    }

    /// Whether it was raised since it was asked last.
    pub(crate) fn take(&self) -> bool {
        self.raised.swap(false, Ordering::AcqRel)
    }

    /// Waits until somebody raises it.
    pub(crate) async fn raised(&self) {
        self.changed.notified().await;
    }
}

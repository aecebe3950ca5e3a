use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// The replaceable connector of the pool.
#[derive(Debug)]
pub(crate) struct Source<C>(Mutex<Opener<C>>);

/// A connector while the pool uses it.
#[derive(Debug)]
pub(crate) struct Opener<C> {
    connector: Arc<C>,
    /// Becomes true when attempts to connect must end. They also end when this is dropped: with the
    /// pool, or when another connector takes its place.
    cancel: watch::Sender<bool>,
}

impl<C> Source<C> {
    pub(crate) fn new(connector: C) -> Self {
        Source(Mutex::new(Opener::new(connector)))
    }

    /// The current connector, and the signal that it has been replaced.
    pub(crate) fn current(&self) -> (Arc<C>, watch::Receiver<bool>) {
        let opener = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&opener.connector), opener.cancel.subscribe())
    }

    /// Ends all attempts to connect.
    pub(crate) fn cancel(&self) {
        let opener = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        opener.cancel.send_replace(true);
    }

    /// Replaces the connector. Attempts by the old one end when the returned value is dropped.
    pub(crate) fn replace(&self, connector: C) -> Opener<C> {
        let mut opener = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut opener, Opener::new(connector))
    }
}

impl<C> Opener<C> {
    fn new(connector: C) -> Self {
        Opener {
            connector: Arc::new(connector),
            cancel: watch::Sender::new(false),
        }
    }
}

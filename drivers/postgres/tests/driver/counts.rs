use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::net::TcpStream;
use underpin_core::Endpoint;
use underpin_postgres::{Dial, Dialing, Stream};
use underpin_testkit::{Watch, Watched};

/// A dialer that counts the traffic over its streams.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Number of times that the client wrote after the server had.
    pub(crate) turns: Arc<AtomicUsize>,
    /// The bytes that came in.
    pub(crate) received: Arc<AtomicUsize>,
    heard: Arc<AtomicBool>,
}

impl Dial for Counts {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect(endpoint.to_string()).await?;
            Ok(Box::new(Watched::new(stream, self.clone())) as Box<dyn Stream>)
        })
    }
}

impl Watch for Counts {
    fn wrote(&self, _: &[u8]) {
        if self.heard.swap(false, Ordering::SeqCst) {
            self.turns.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn read(&self, count: usize) {
        self.received.fetch_add(count, Ordering::SeqCst);
        self.heard.store(true, Ordering::SeqCst);
    }
}

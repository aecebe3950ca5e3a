use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpStream;
use underpin_core::Endpoint;
use underpin_postgres::{Dial, Dialing, Stream};
use underpin_testkit::{Watch, Watched};

/// A dialer whose streams can make the server refuse the next BEGIN.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spoiled(Arc<AtomicBool>);

impl Spoiled {
    pub(crate) fn spoil_next_begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Dial for Spoiled {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect(endpoint.to_string()).await?;
            Ok(Box::new(Watched::new(stream, self.clone())) as Box<dyn Stream>)
        })
    }
}

impl Watch for Spoiled {
    fn replace<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let begins = |at: &usize| bytes[*at..].starts_with(b"BEGIN");
        let begins: Vec<usize> = (0..bytes.len()).filter(begins).collect();
        if begins.is_empty() || !self.0.swap(false, Ordering::SeqCst) {
            return Cow::Borrowed(bytes);
        }
        let mut spoiled = bytes.to_vec();
        for at in begins {
            spoiled[at..at + 5].copy_from_slice(b"BEGAN");
        }
        Cow::Owned(spoiled)
    }
}

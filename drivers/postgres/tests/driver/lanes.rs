//! Statements of many callers on one connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use underpin_core::driver::{Call, ConnectionExt as _, Connector as _};
use underpin_core::{Endpoint, Value};
use underpin_postgres::{Connection, Connector, Dial, Dialing, Stream};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{endpoint, options, soon};

/// Opens streams that count their writes.
#[derive(Debug, Clone)]
struct Counting {
    to: Endpoint,
    writes: Arc<AtomicU64>,
}

struct Counted(TcpStream, Arc<AtomicU64>);

impl Dial for Counting {
    fn dial<'a>(&'a self, _: &'a Endpoint) -> Dialing<'a> {
        Box::pin(async {
            let stream = TcpStream::connect(self.to.to_string()).await?;
            let counted = Counted(stream, Arc::clone(&self.writes));
            Ok(Box::new(counted) as Box<dyn Stream>)
        })
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

async fn ask(connection: &Connection, n: u64) {
    let params = [Value::I64(n as i64)];
    let call = Call {
        sql: "SELECT $1::int8",
        params: &params,
        deadline: soon(),
        shared: true,
    };
    let rows = connection.query::<i64>(call, 2).await.unwrap();
    assert_eq!(rows, [n as i64]);
}

#[tokio::test]
async fn callers_that_were_answered_together_ask_again_in_one_write() {
    const TASKS: u64 = 8;
    const EACH: u64 = 200;
    let server = or_skip!(Postgres::shared());
    let database = server.database("lane_writes");
    let counting = Counting {
        to: endpoint(server),
        writes: Arc::default(),
    };
    let connector = Connector::new([endpoint(server)], options(server, &database)).unwrap();
    let connector = connector.with_dialer(counting.clone());
    let connection = Arc::new(connector.connect(soon()).await.unwrap());
    ask(&connection, 0).await;
    let writes = || counting.writes.load(Ordering::Relaxed);
    // The statement of a single caller is written immediately, each time.
    let before = writes();
    for n in 0..EACH {
        ask(&connection, n).await;
    }
    assert_eq!(writes() - before, EACH);

    let before = writes();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let connection = Arc::clone(&connection);
        tasks.spawn(async move {
            for n in 0..EACH {
                ask(&connection, task * EACH + n).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let seen = writes() - before;
    // The server may answer some of them first, so that they are separated for a while.
    let most = TASKS * EACH / 4;
    assert!(
        seen <= most,
        "{seen} writes for {} statements",
        TASKS * EACH
    );
}

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_postgres::NoTls;
use tokio_postgres::config::Host;

use super::{SELECT, SLEEP, Statements};
use crate::server::Server;

/// Sockets to the server, over which the bytes of a statement go and those of its answer come,
/// and nobody looks at more of them than tells where the answer ends. No client can do less.
#[derive(Clone)]
pub(crate) struct Raw(Arc<[Mutex<TcpStream>]>);

impl Raw {
    pub(crate) async fn open(server: &Server, sockets: usize) -> Self {
        let mut open = Vec::new();
        for _ in 0..sockets {
            let mut stream = logged_in(server).await;
            for (name, text) in [("select", SELECT), ("sleep", SLEEP)] {
                let parse = [name.as_bytes(), b"\0", text.as_bytes(), b"\0\0\0"].concat();
                ask(
                    &mut stream,
                    &[message(b'P', &parse), message(b'S', b"")].concat(),
                )
                .await;
            }
            open.push(Mutex::new(stream));
        }
        Raw(open.into())
    }

    async fn run(&self, task: usize, bind: &[u8]) -> Vec<u8> {
        let request = [
            message(b'B', bind),
            message(b'E', &[0; 5]),
            message(b'S', b""),
        ];
        let mut stream = self.0[task % self.0.len()].lock().await;
        ask(&mut stream, &request.concat()).await
    }
}

impl Statements for Raw {
    async fn select(&self, task: usize, n: i64) -> i64 {
        let head = b"\0select\0\0\x01\0\x01\0\x01\0\0\0\x08";
        let bind = [&head[..], &n.to_be_bytes(), &[0, 1, 0, 1]].concat();
        let answer = self.run(task, &bind).await;
        // Behind BindComplete come the row's header, its one column and that one's length.
        let at = 5 + 5 + 2 + 4;
        i64::from_be_bytes(answer[at..at + 8].try_into().unwrap())
    }

    async fn sleep(&self, task: usize) {
        self.run(task, b"\0sleep\0\0\0\0\0\0\x01\0\x01").await;
    }
}

/// A socket on which the driver has logged in.
async fn logged_in(server: &Server) -> TcpStream {
    let config = server.driver_config();
    let Host::Tcp(host) = &config.get_hosts()[0] else {
        panic!("the benchmark's server is on TCP");
    };
    let address = (host.as_str(), config.get_ports()[0]);
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let ours = stream.into_std().unwrap();
    let lent = TcpStream::from_std(ours.try_clone().unwrap()).unwrap();
    let both = config.connect_raw(lent, NoTls).await.unwrap();
    // Dropped, the driver would say goodbye.
    std::mem::forget(both);
    TcpStream::from_std(ours).unwrap()
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

/// Sends a request, and reads until the server is ready again.
async fn ask(stream: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    const READY: &[u8] = b"Z\0\0\0\x05";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::with_capacity(256);
    while answer.len() < 6 || !answer[..answer.len() - 1].ends_with(READY) {
        let count = stream.read_buf(&mut answer).await.unwrap();
        assert!(count > 0, "the server has hung up");
    }
    answer
}

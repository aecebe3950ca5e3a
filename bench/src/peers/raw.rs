use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_postgres::NoTls;
use tokio_postgres::config::Host;

use super::{LIST, Lists, ROWS, SELECT, SLEEP, Statements, Transactions};
use crate::load::{Load, Sample};
use crate::race::Contender;
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
            for (name, text) in [
                ("select", SELECT),
                ("sleep", SLEEP),
                ("list", LIST),
                ("begin", "BEGIN"),
            ] {
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
        let request = [runs(bind), message(b'S', b"")];
        let mut stream = self.0[task % self.0.len()].lock().await;
        ask(&mut stream, &request.concat()).await
    }
}

/// A contender that sends the bytes of a lane over one socket, each round as many statements as
/// there are tasks, and discards the answers. Sixteen statements share a Sync.
pub(crate) async fn lane(server: &Server) -> Contender {
    let stream = Raw::open(server, 1).await;
    Contender::by("1 raw socket, bytes of a lane", move |load| {
        rounds(stream.clone(), load)
    })
}

async fn rounds(raw: Raw, load: Load) -> Sample {
    const JOINED: usize = 16;
    let mut request = Vec::new();
    for n in 0..load.tasks {
        request.extend(runs(&select(n as i64)));
        if n % JOINED == JOINED - 1 || n + 1 == load.tasks {
            request.extend(message(b'S', b""));
        }
    }
    // Each answer is BindComplete, a row of one column of eight bytes, and CommandComplete.
    let length = load.tasks * (5 + 19 + 14) + load.tasks.div_ceil(JOINED) * 6;
    let mut stream = raw.0[0].lock().await;
    let mut answer = vec![0_u8; length];
    let (begun, mut completed) = (Instant::now(), 0);
    while begun.elapsed() < load.length {
        stream.write_all(&request).await.unwrap();
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[length - 6], b'Z');
        completed += load.tasks;
    }
    Sample {
        rate: completed as f64 / begun.elapsed().as_secs_f64(),
        waits: None,
    }
}

/// What binds [`SELECT`] to a number.
fn select(n: i64) -> Vec<u8> {
    let head = b"\0select\0\0\x01\0\x01\0\x01\0\0\0\x08";
    [&head[..], &n.to_be_bytes(), &[0, 1, 0, 1]].concat()
}

/// What binds a statement and runs it.
fn runs(bind: &[u8]) -> Vec<u8> {
    [message(b'B', bind), message(b'E', &[0; 5])].concat()
}

impl Transactions for Raw {
    async fn transaction(&self, n: i64) -> i64 {
        let begin = runs(b"\0begin\0\0\0\0\0\0\0");
        let first = [begin, runs(&select(n)), message(b'S', b"")].concat();
        let free = self.0.iter().find_map(|stream| stream.try_lock().ok());
        let mut stream = match free {
            Some(free) => free,
            None => self.0[n as usize % self.0.len()].lock().await,
        };
        let answer = ask(&mut stream, &first).await;
        ask(&mut stream, &message(b'Q', b"COMMIT\0")).await;
        // Before the row come the BindComplete and CommandComplete of BEGIN, and a BindComplete.
        let at = 5 + 11 + 5 + 5 + 2 + 4;
        i64::from_be_bytes(answer[at..at + 8].try_into().unwrap())
    }
}

impl Lists for Raw {
    async fn list(&self, task: usize, n: i64) -> usize {
        let head = b"\0list\0\0\x01\0\x01\0\x01\0\0\0\x08";
        let bind = [&head[..], &n.to_be_bytes(), &[0, 1, 0, 1]].concat();
        self.run(task, &bind).await;
        // Nobody looks at the rows.
        ROWS
    }
}

impl Statements for Raw {
    async fn select(&self, task: usize, n: i64) -> i64 {
        let answer = self.run(task, &select(n)).await;
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

//! A network between a client and a PostgreSQL server that can fail.

mod conversation;
mod cut_point;
mod frames;
mod link;
mod translation;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch};

use crate::port::{free_port, loopback};

pub use cut_point::CutPoint;

/// Small, so that a client which sends a huge message is still sending it when the link is cut.
const RECEIVE_BUFFER_BYTES: u32 = 64 * 1024;

/// How long a change may take to reach every link.
const PATIENCE: Duration = Duration::from_secs(10);

/// A TCP proxy before a PostgreSQL server that fails when told to: between connections, in the
/// middle of one, or at a chosen [`CutPoint`] of the protocol.
///
/// It forwards whole messages, and looks into them only while they are not encrypted: connect
/// with `sslmode=disable` to use cut points. It runs on a thread of its own, and the methods
/// return when what they ask for is so.
///
/// ```no_run
/// use underpin_testkit::{CutPoint, Postgres, Proxy, or_skip};
///
/// # async fn example() {
/// let server = or_skip!(Postgres::shared());
/// let proxy = Proxy::before(server);
/// let database = server.database("lost_commit");
/// let url = database.url_through(&proxy);
/// // … connect the code under test to that URL, begin a transaction, then:
/// proxy.arm(CutPoint::before_answer("COMMIT"));
/// // … commit. The server has committed, and the client never learns it.
/// proxy.cut_happened().await;
/// # }
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    network: Arc<Network>,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// What the proxy's owner and its links share.
#[derive(Debug)]
struct Network {
    state: Mutex<State>,
    flow: watch::Sender<Flow>,
    /// Links with a number below this one are to be cut.
    cut_below: watch::Sender<u64>,
    /// How many armed cuts have happened, so that waiting for one needs no polling.
    cuts: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    accepted: u64,
    open: Vec<u64>,
    armed: Option<CutPoint>,
    arms: u64,
    translates: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Forward,
    Withhold,
}

#[derive(Debug)]
enum Order {
    Refuse(std_mpsc::Sender<()>),
    Accept(std_mpsc::Sender<()>),
}

impl Proxy {
    /// Stands before a server that the testkit has started.
    ///
    /// # Panics
    ///
    /// When the machine has no free port.
    pub fn before(server: &crate::Postgres) -> Self {
        Self::to(server.host(), server.port())
    }

    /// Stands before anything that listens on TCP.
    ///
    /// # Panics
    ///
    /// When the machine has no free port.
    pub fn to(host: &str, port: u16) -> Self {
        let target = (host.to_owned(), port);
        let address = loopback(free_port());
        let network = Arc::new(Network {
            state: Mutex::default(),
            flow: watch::Sender::new(Flow::Forward),
            cut_below: watch::Sender::new(0),
            cuts: watch::Sender::new(0),
        });
        let (orders, inbox) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("A Tokio runtime for the proxy must start.");
        let thread = std::thread::spawn({
            let network = network.clone();
            move || runtime.block_on(serve(address, target, network, inbox))
        });
        let proxy = Proxy {
            address,
            network,
            orders,
            thread: Some(thread),
        };
        proxy.order(Order::Accept);
        proxy
    }

    /// Where it listens, on loopback.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> u64 {
        self.network.state().accepted
    }

    /// How many connections are open now.
    pub fn open_connections(&self) -> usize {
        self.network.state().open.len()
    }

    /// Resets all connections that are open now, on both sides. New ones are welcome.
    pub fn cut(&self) {
        let end = self.network.state().accepted;
        self.network.cut_below.send_replace(end);
        let start = Instant::now();
        while self.network.state().open.iter().any(|link| *link < end) {
            assert!(
                start.elapsed() < PATIENCE,
                "The proxy did not cut its connections within {PATIENCE:?}."
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Refuses new connections. Those that are open stay.
    pub fn refuse(&self) {
        self.order(Order::Refuse);
    }

    /// Stops forwarding and keeps every connection open: to both sides, the other has fallen
    /// silent. New connections are accepted and hear nothing either.
    pub fn black_hole(&self) {
        self.network.flow.send_replace(Flow::Withhold);
    }

    /// Accepts and forwards again. What was withheld arrives now.
    pub fn resume(&self) {
        self.network.flow.send_replace(Flow::Forward);
        self.order(Order::Accept);
    }

    /// Cuts the first connection that comes to this point, once. An earlier cut that has not
    /// happened yet is forgotten.
    pub fn arm(&self, point: CutPoint) {
        let mut state = self.network.state();
        // A cut that was replaced counts as happened, for nobody can wait for it any more.
        if state.armed.replace(point).is_some() {
            self.network.cuts.send_modify(|cuts| *cuts += 1);
        }
        state.arms += 1;
    }

    /// Forgets the cut that is armed, if it has not begun.
    pub fn disarm(&self) {
        if self.network.state().armed.take().is_some() {
            self.network.cuts.send_modify(|cuts| *cuts += 1);
        }
    }

    /// Translates what the server says to people, on the connections that come from now on: its
    /// messages, details and hints. What programs read stays as it is.
    pub fn translate(&self) {
        self.network.state().translates = true;
    }

    /// Waits until every cut that was armed so far has happened: both sides are closed and, where
    /// the server was to answer, it has answered. Has no time limit.
    ///
    /// Cancel safe.
    pub async fn cut_happened(&self) {
        let arms = self.network.state().arms;
        let mut cuts = self.network.cuts.subscribe();
        let _ = cuts.wait_for(|cuts| *cuts >= arms).await;
    }

    fn order(&self, order: fn(std_mpsc::Sender<()>) -> Order) {
        let (done, wait) = std_mpsc::channel();
        let sent = self.orders.send(order(done));
        assert!(
            sent.is_ok() && wait.recv_timeout(PATIENCE).is_ok(),
            "The proxy on {} is gone or does not answer.",
            self.address
        );
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The thread ends with its inbox, and the runtime takes the links along.
        let (orders, _) = mpsc::unbounded_channel();
        drop(std::mem::replace(&mut self.orders, orders));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(
    address: SocketAddr,
    target: (String, u16),
    network: Arc<Network>,
    mut inbox: mpsc::UnboundedReceiver<Order>,
) {
    let mut listener: Option<TcpListener> = None;
    loop {
        let accept = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Orders first, so that nobody is let in after a refusal.
            biased;
            order = inbox.recv() => match order {
                None => return,
                Some(Order::Refuse(done)) => {
                    listener = None;
                    let _ = done.send(());
                }
                Some(Order::Accept(done)) => {
                    if listener.is_none() {
                        match listen(address) {
                            Ok(new) => listener = Some(new),
                            // Dropping `done` tells the owner.
                            Err(_) => continue,
                        }
                    }
                    let _ = done.send(());
                }
            },
            accepted = accept => {
                if let Ok((client, _)) = accepted {
                    tokio::spawn(link::run(client, target.clone(), network.clone()));
                }
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(1024)
}

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::conversation::{Conversation, Step, Then};
use super::{Flow, Network};

/// Takes a link off the list when it ends, whatever ends it.
struct Registration {
    network: Arc<Network>,
    number: u64,
}

impl Registration {
    fn new(network: Arc<Network>) -> Self {
        let mut state = network.state();
        let number = state.accepted;
        state.accepted += 1;
        state.open.push(number);
        drop(state);
        Registration { network, number }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let number = self.number;
        self.network.state().open.retain(|open| *open != number);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// One side closed; the other is told so.
    Closed,
    /// The network failed, as it was told to.
    Cut { reset: bool, armed: bool },
}

/// Forwards between a client and the server until one of them leaves or the link is cut.
pub(super) async fn run(mut client: TcpStream, target: (String, u16), network: Arc<Network>) {
    // Declared first, so that it is dropped after both sockets: who counts links finds them
    // closed.
    let registration = Registration::new(network.clone());
    let mut cut_below = network.cut_below.subscribe();
    let cut = async {
        let number = registration.number;
        let _ = cut_below.wait_for(|below| number < *below).await;
    };
    let conversation = Mutex::new(Conversation::new(network.state().translates));
    let mut server = None;
    let end = tokio::select! {
        () = cut => End::Cut { reset: true, armed: false },
        end = talk(&mut client, &mut server, &target, &network, &conversation) => {
            // A side that fails has left, as far as the other can know.
            end.unwrap_or(End::Closed)
        }
    };
    if let End::Cut { reset: true, .. } = end {
        let _ = client.set_zero_linger();
    }
    if let End::Cut {
        reset: true,
        armed: false,
    } = end
        && let Some(server) = &server
    {
        let _ = server.set_zero_linger();
    }
    drop(client);
    drop(server);
    let begun = conversation
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .cut_has_begun();
    drop(registration);
    if begun || matches!(end, End::Cut { armed: true, .. }) {
        network.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn talk(
    client: &mut TcpStream,
    server: &mut Option<TcpStream>,
    (host, port): &(String, u16),
    network: &Network,
    conversation: &Mutex<Conversation>,
) -> io::Result<End> {
    flowing(&mut network.flow.subscribe()).await;
    let connected = match TcpStream::connect((host.as_str(), *port)).await {
        Ok(connected) => connected,
        Err(_) => {
            return Ok(End::Cut {
                reset: true,
                armed: false,
            });
        }
    };
    let server = server.insert(connected);
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_read, client_write) = client.split();
    let (server_read, server_write) = server.split();

    let lock = || conversation.lock().unwrap_or_else(PoisonError::into_inner);
    let up = pump(client_read, server_write, network, |bytes| {
        let mut state = network.state();
        lock().hear_client(bytes, &mut state.armed)
    });
    let down = pump(server_read, client_write, network, |bytes| {
        lock().hear_server(bytes)
    });
    tokio::select! {
        end = up => end,
        end = down => end,
    }
}

/// Forwards one direction.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    network: &Network,
    mut decide: impl FnMut(&[u8]) -> Step,
) -> io::Result<End> {
    let mut flow = network.flow.subscribe();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        flowing(&mut flow).await;
        let read = from.read(&mut buffer).await?;
        flowing(&mut flow).await;
        if read == 0 {
            return Ok(End::Closed);
        }
        let step = decide(&buffer[..read]);
        to.write_all(&step.forward).await?;
        match step.then {
            Then::GoOn => {}
            // Should the client leave now, the server is to answer all the same.
            Then::Hold => return std::future::pending().await,
            Then::Reset => {
                return Ok(End::Cut {
                    reset: true,
                    armed: true,
                });
            }
            Then::Close => {
                return Ok(End::Cut {
                    reset: false,
                    armed: true,
                });
            }
        }
    }
}

async fn flowing(flow: &mut watch::Receiver<Flow>) {
    let _ = flow.wait_for(|flow| *flow == Flow::Forward).await;
}

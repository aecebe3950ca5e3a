//! Ctrl-C and SIGTERM: the work of a command is dropped, what runs on the server is canceled, and
//! the command ends once that is done.

use std::future::Future;
use std::io::{Write, stderr};
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use underpin::driver::Lingering;
use underpin::{Class, Error, Result};

use crate::exit::Exit;

/// Time within which statements that were canceled must end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to look whether they have.
const STEP: Duration = Duration::from_millis(10);

/// Signals this close together are one: `timeout` sends its signal to the process and to its group.
const TOGETHER: Duration = Duration::from_millis(500);

/// Whether the command waits for a person's answer, and so cannot be told to end.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Runs the work of a command. At the first signal the work is dropped and its statements are
/// canceled on the server; then `rest` says what was done and what remains. A second signal ends
/// the process.
pub(crate) async fn interruptible(
    work: impl Future<Output = Result<Exit>>,
    rest: impl AsyncFnOnce() -> String,
) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    let mut work = Box::pin(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = signals.first() => drop(work),
    }
    let ended = background_ended().await;
    let rest = rest().await;
    let sentence = match ended {
        true => "Interrupted; the running statement was canceled on the server.",
        false => {
            "Interrupted; the server has not confirmed that the running statement was canceled."
        }
    };
    let _ = write!(stderr(), "{sentence}\n{rest}");
    Ok(Exit::Interrupted)
}

/// Reads the answer of a person, whom a signal does not leave waiting.
pub(crate) fn ask<T>(read: impl FnOnce() -> T) -> T {
    ASKING.store(true, Ordering::Release);
    let answer = read();
    ASKING.store(false, Ordering::Release);
    answer
}

/// Waits until what the work has left running is over, and returns whether it is.
async fn background_ended() -> bool {
    let begun = Instant::now();
    loop {
        // What was just dropped has its turn first.
        tokio::time::sleep(STEP).await;
        if Lingering::count() == 0 {
            return true;
        }
        if begun.elapsed() > PATIENCE {
            return false;
        }
    }
}

/// The signals of one command, on a thread of their own: the second one ends the process even
/// where the command is busy. The thread ends with the value.
struct Signals {
    first: oneshot::Receiver<()>,
    _stop: oneshot::Sender<()>,
}

impl Signals {
    fn listen() -> Result<Self> {
        let (tell, first) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let (begun, beginning) = std::sync::mpsc::channel();
        let failed = |error: std::io::Error| {
            Error::new(
                Class::Resource,
                format!("Ctrl-C cannot be handled: {error}."),
            )
        };
        std::thread::Builder::new()
            .name("underpin-signals".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                match runtime {
                    Ok(runtime) => runtime.block_on(watch(tell, stopped, begun)),
                    Err(error) => {
                        let _ = begun.send(Err(error));
                    }
                }
            })
            .map_err(failed)?;
        let listening = beginning.recv();
        listening
            .unwrap_or_else(|error| Err(std::io::Error::other(error)))
            .map_err(failed)?;
        Ok(Signals { first, _stop: stop })
    }

    async fn first(&mut self) {
        if (&mut self.first).await.is_err() {
            std::future::pending().await
        }
    }
}

async fn watch(
    tell: oneshot::Sender<()>,
    stopped: oneshot::Receiver<()>,
    begun: std::sync::mpsc::Sender<std::io::Result<()>>,
) {
    let signals = async {
        let mut signals = match Both::new() {
            Ok(signals) => signals,
            Err(error) => {
                let _ = begun.send(Err(error));
                return;
            }
        };
        let _ = begun.send(Ok(()));
        signals.next().await;
        if ASKING.load(Ordering::Acquire) {
            let _ = writeln!(stderr(), "\nInterrupted; nothing was done.");
            exit(Exit::Interrupted as i32);
        }
        let _ = tell.send(());
        let first = Instant::now();
        signals.next().await;
        while first.elapsed() < TOGETHER {
            signals.next().await;
        }
        exit(Exit::Interrupted as i32);
    };
    tokio::select! {
        () = signals => {}
        _ = stopped => {}
    }
}

/// The signals that ask a command to end.
#[cfg(unix)]
struct Both(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Both {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Both(
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Both;

#[cfg(not(unix))]
impl Both {
    fn new() -> std::io::Result<Self> {
        Ok(Both)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

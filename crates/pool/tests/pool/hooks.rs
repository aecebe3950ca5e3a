use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline, Error, Result, Stage};
use underpin_pool::{AcquireOptions, HookFuture, Hooks, Pool};

use crate::fake::{FakeConnection, FakeConnector, Goes, Server, assert_at_rest, options, seconds};

fn hooked(max: u32, hooks: Hooks<FakeConnection>) -> (Pool<FakeConnector>, Arc<Server>) {
    let server = Server::new();
    let connector = FakeConnector(Arc::clone(&server));
    let pool = Pool::open_with(connector, options(max), hooks).unwrap();
    (pool, server)
}

fn refused() -> Result<()> {
    Err(Error::new(
        Class::Connect,
        "The connection is from yesterday.",
    ))
}

/// A hook whose first call has this outcome, and whose other calls succeed.
fn at_first(goes: Goes) -> impl for<'a> Fn(&'a FakeConnection) -> HookFuture<'a> + Send + Sync {
    let calls = AtomicUsize::new(0);
    move |_| {
        let first = calls.fetch_add(1, SeqCst) == 0;
        Box::pin(async move { if first { goes.pass().await } else { Ok(()) } })
    }
}

/// Hooks in all four places, whose calls are recorded.
fn noting(calls: &Arc<Mutex<Vec<String>>>) -> Hooks<FakeConnection> {
    let note = |name: &'static str| {
        let calls = Arc::clone(calls);
        move |connection: &FakeConnection| {
            calls
                .lock()
                .unwrap()
                .push(format!("{name} {}", connection.id));
        }
    };
    let [first, second, third, last] = [
        "after_connect",
        "before_acquire",
        "after_release",
        "on_close",
    ]
    .map(note);
    Hooks::new()
        .after_connect(move |c| {
            first(c);
            Box::pin(async { Ok(()) })
        })
        .before_acquire(move |c| {
            second(c);
            Box::pin(async { Ok(()) })
        })
        .after_release(move |c| {
            third(c);
            Box::pin(async { Ok(()) })
        })
        .on_close(move |c| {
            last(c);
            Box::pin(async { refused() })
        })
}

#[tokio::test(start_paused = true)]
async fn each_hook_runs_at_its_turn() {
    let calls = Arc::default();
    let (pool, server) = hooked(1, noting(&calls));
    let took = |calls: &Mutex<Vec<String>>| std::mem::take(&mut *calls.lock().unwrap());
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert_eq!(took(&calls), ["after_connect 0", "before_acquire 0"]);
    drop(lease);
    seconds(1).await;
    assert_eq!(took(&calls), ["after_release 0"]);
    assert_eq!(server.resets.load(SeqCst), 0, "a clean one is not reset");

    // A reset undoes what the first hook set up.
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    lease.set(SessionState::Changed);
    drop(lease);
    seconds(1).await;
    let expected = ["before_acquire 0", "after_connect 0", "after_release 0"];
    assert_eq!(took(&calls), expected);
    assert_eq!(server.resets.load(SeqCst), 1);

    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    lease.set(SessionState::Broken);
    drop(lease);
    seconds(1).await;
    assert_eq!(took(&calls), ["before_acquire 0", "on_close 0"]);

    pool.acquire(AcquireOptions::new())
        .await
        .unwrap()
        .close()
        .await;
    assert_eq!(took(&calls)[2..], ["on_close 1"]);
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    pool.close(Deadline::NONE).await.unwrap();
    assert_eq!(took(&calls)[2..], ["after_release 2", "on_close 2"]);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn the_setup_of_after_connect_stays_without_a_reset() {
    let hooks = Hooks::new().after_connect(|c: &FakeConnection| {
        c.set(SessionState::Changed);
        Box::pin(async { Ok(()) })
    });
    let (pool, server) = hooked(1, hooks);
    for _ in 0..3 {
        drop(pool.acquire(AcquireOptions::new()).await.unwrap());
        seconds(1).await;
    }
    assert_eq!((server.opened(), server.resets.load(SeqCst)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_that_is_refused_is_a_failed_attempt() {
    let tries = AtomicUsize::new(0);
    let hooks = Hooks::new().after_connect(move |_| {
        let first = tries.fetch_add(1, SeqCst) == 0;
        Box::pin(async move { if first { refused() } else { Ok(()) } })
    });
    let (pool, server) = hooked(1, hooks);
    let start = Instant::now();
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert_eq!((lease.id, start.elapsed()), (1, Duration::from_secs(1)));
    drop(lease);
    let numbers = pool.statistics();
    assert_eq!((numbers.connection_errors_total, server.live()), (1, 1));
    assert_eq!(
        numbers.last_connection_error.as_deref(),
        Some("The hook `after_connect` refused the connection: The connection is from yesterday.")
    );
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_caller_whose_connection_is_refused_gets_another() {
    let hooks = Hooks::new().before_acquire(|c: &FakeConnection| {
        let old = c.id < 2;
        Box::pin(async move { if old { refused() } else { Ok(()) } })
    });
    let (pool, server) = hooked(2, hooks);
    let start = Instant::now();
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert_eq!((lease.id, start.elapsed()), (2, Duration::ZERO));
    drop(lease);
    seconds(1).await;
    let numbers = pool.statistics();
    assert_eq!((numbers.acquired_total, numbers.closed_total), (1, 2));
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_refuses_everything_ends_in_a_timeout_and_no_storm() {
    let hooks = Hooks::new().before_acquire(|_| Box::pin(async { refused() }));
    let (pool, server) = hooked(1, hooks);
    let start = Instant::now();
    let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    assert!(error.is_timeout());
    assert!(
        error
            .message()
            .contains("The connection is from yesterday."),
        "{error}"
    );
    assert!(server.opened() <= 302, "{} connects", server.opened());
    seconds(1).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_refused_on_its_return_is_replaced() {
    let hooks = Hooks::new().after_release(|_| Box::pin(async { refused() }));
    let (pool, server) = hooked(1, hooks);
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    seconds(1).await;
    assert_eq!(server.live(), 0);
    assert_eq!(pool.acquire(AcquireOptions::new()).await.unwrap().id, 1);
    seconds(1).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_hangs_or_panics_leaks_nothing() {
    for goes in [Goes::Nowhere, Goes::Mad] {
        for place in 0..4 {
            let hook = at_first(goes);
            let hooks = match place {
                0 => Hooks::new().after_connect(hook),
                1 => Hooks::new().before_acquire(hook),
                2 => Hooks::new().after_release(hook),
                _ => Hooks::new().on_close(hook),
            };
            let (pool, server) = hooked(1, hooks);
            for _ in 0..2 {
                let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
                if place == 3 {
                    lease.close().await;
                }
            }
            seconds(10).await;
            assert_at_rest(&pool, &server);
            let lost = if place == 3 { 2 } else { 1 };
            assert_eq!(server.opened() - server.live(), lost, "in place {place}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_has_no_more_time_than_its_caller() {
    let hooks = Hooks::new().before_acquire(|_| {
        Box::pin(async {
            sleep(Duration::from_secs(4)).await;
            Ok(())
        })
    });
    let (pool, server) = hooked(1, hooks);
    let hasty = AcquireOptions {
        timeout: Some(Duration::from_secs(2)),
        ..AcquireOptions::new()
    };
    let error = pool.acquire(hasty).await.unwrap_err();
    let stage = Stage::Validate;
    assert_eq!(error.class(), Class::Timeout { stage });
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_leaves_a_transaction_open_is_told_so() {
    let hooks = Hooks::new().after_connect(|c: &FakeConnection| {
        c.set(SessionState::InTransaction);
        Box::pin(async { Ok(()) })
    });
    let (pool, server) = hooked(1, hooks);
    let error = pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(error.class(), Class::Config);
    assert!(
        error.message().contains("left a transaction open"),
        "{error}"
    );
    assert_at_rest(&pool, &server);
}

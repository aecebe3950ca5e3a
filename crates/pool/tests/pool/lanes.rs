//! Lanes as their users see them: seats, and the effect on neighbors.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline};
use underpin_pool::{AcquireOptions, Grant, Pool, Seat};

use crate::fake::{FakeConnector, Goes, assert_at_rest, leases, pool, seconds};

async fn seat(pool: &Pool<FakeConnector>) -> Seat<FakeConnector> {
    match pool.share(AcquireOptions::new()).await.unwrap() {
        Grant::Lane(seat) => seat,
        Grant::Lease(lease) => panic!("expected a lane, not {lease:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn many_statements_share_one_connection() {
    let (pool, server) = pool(8, |options| options.min = 8);
    seconds(1).await;
    let answers = Arc::new(Notify::new());
    let mut tasks = Vec::new();
    for _ in 0..64 {
        let (pool, answers) = (pool.clone(), Arc::clone(&answers));
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                let seat = seat(&pool).await;
                seat.run(answers.notified()).await.unwrap();
                seat.answered();
            }
        }));
    }
    for _ in 0..20 {
        sleep(Duration::from_millis(1)).await;
        let now = pool.statistics();
        assert_eq!((now.lanes, now.in_use, now.idle), (1, 1, 7), "{now:?}");
        for _ in 0..64 {
            answers.notify_one();
            tokio::task::yield_now().await;
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_at_rest(&pool, &server);
    assert_eq!(server.opened(), 8);
    seconds(2).await;
    assert_eq!(pool.statistics().lanes, 0, "empty lanes are leased again");
    drop(leases(&pool, 8).await);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_statement_does_not_harm_its_neighbors() {
    let (pool, server) = pool(4, |_| {});
    let first = seat(&pool).await;
    let second = seat(&pool).await;
    let id = first.id;
    assert_eq!(second.id, id);
    let neighbor = tokio::spawn(async move {
        let answer = second.run(sleep(Duration::from_millis(30))).await;
        second.set(SessionState::Busy);
        second.answered();
        answer
    });
    let dropped = timeout(Duration::from_millis(10), first.run(pending::<()>())).await;
    assert!(dropped.is_err());
    drop(first);
    let third = seat(&pool).await;
    assert_ne!(
        third.id, id,
        "nobody joins what a statement was left behind on"
    );
    third.answered();
    assert_eq!(neighbor.await.unwrap(), Some(()), "it was answered");
    sleep(Duration::from_millis(1)).await;
    assert_eq!(server.resets.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_statement_is_sent_on_another_connection() {
    let (pool, server) = pool(4, |_| {});
    let stuck = seat(&pool).await;
    let behind = seat(&pool).await;
    let blocker = tokio::spawn(async move {
        let answer = stuck.run(pending::<()>()).await;
        drop(stuck);
        answer
    });
    assert_eq!(behind.run(pending::<()>()).await, None);
    drop(behind);
    assert_eq!(blocker.await.unwrap(), None);
    assert_eq!(pool.statistics().rescued_total, 2);
    assert_eq!(pool.statistics().lanes, 0);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_slow_statement_alone_in_its_lane_is_waited_for() {
    let (pool, server) = pool(4, |_| {});
    let alone = seat(&pool).await;
    assert_eq!(alone.run(seconds(25)).await, Some(()));
    assert_eq!(alone.answered(), Duration::from_secs(25));
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn one_connection_serves_both_in_turn() {
    let (pool, server) = pool(1, |_| {});
    let go = Arc::new(Notify::new());
    let (first, signal) = (seat(&pool).await, Arc::clone(&go));
    let caller = tokio::spawn(async move {
        first.run(signal.notified()).await.unwrap();
        first.answered();
    });
    let lease = tokio::spawn(pool.acquire(AcquireOptions::new()));
    tokio::task::yield_now().await;
    let later = tokio::spawn(pool.share(AcquireOptions::new()));
    seconds(1).await;
    assert_eq!(pool.statistics().waiting, 2, "the lane takes no more");
    go.notify_one();
    caller.await.unwrap();
    let lease = lease.await.unwrap().unwrap();
    assert!(!later.is_finished(), "who came first is served first");
    drop(lease);
    drop(later.await.unwrap().unwrap());
    sleep(Duration::from_millis(1)).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn all_connections_can_be_leased_once_no_statement_wants_a_lane() {
    let (pool, server) = pool(2, |_| {});
    seat(&pool).await.answered();
    let all = leases(&pool, 2).await;
    assert_eq!(pool.statistics().lanes, 0);
    drop(all);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_lane_whose_connection_died_is_not_joined() {
    let (pool, server) = pool(4, |_| {});
    let first = seat(&pool).await;
    let id = first.id;
    first.set(SessionState::Broken);
    let second = seat(&pool).await;
    assert_ne!(second.id, id);
    first.answered();
    second.answered();
    seconds(5).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_the_statements_in_lanes() {
    let (pool, server) = pool(4, |_| {});
    let go = Arc::new(Notify::new());
    let (caller, signal) = (seat(&pool).await, Arc::clone(&go));
    let caller = tokio::spawn(async move {
        let answer = caller.run(signal.notified()).await;
        caller.answered();
        answer
    });
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close(Deadline::NONE).await }
    });
    seconds(10).await;
    assert!(!closing.is_finished());
    let error = pool.share(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(error.class(), Class::Closed);
    go.notify_one();
    assert_eq!(caller.await.unwrap(), Some(()));
    closing.await.unwrap().unwrap();
    assert_eq!(server.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn callers_waiting_for_a_seat_can_go_away_at_any_time() {
    let (pool, server) = pool(1, |options| {
        options.acquire_timeout = Duration::from_secs(5)
    });
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    let error = pool.share(AcquireOptions::new()).await.unwrap_err();
    assert!(matches!(error.class(), Class::Timeout { .. }));
    let mut waiting: Vec<_> = (0..3)
        .map(|_| tokio::spawn(pool.share(AcquireOptions::new())))
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(pool.statistics().waiting, 3);
    drop(lease);
    // The first caller was handed the connection, and makes it a lane for the others.
    let first = waiting.remove(0).await.unwrap().unwrap();
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    drop(waiting);
    let Grant::Lane(first) = first else {
        panic!("it becomes a lane")
    };
    first.answered();
    seconds(2).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn without_a_server_a_seat_fails_like_a_lease() {
    let (pool, server) = pool(2, |_| {});
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Auth);
    let error = pool.share(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(error.class(), Class::Auth);
    assert_at_rest(&pool, &server);
}

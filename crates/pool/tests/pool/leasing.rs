use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tokio::time::Instant;
use underpin_core::Class;
use underpin_core::driver::SessionState;
use underpin_pool::AcquireOptions;

use crate::fake::{Goes, assert_at_rest, leases, pool, seconds};

#[tokio::test(start_paused = true)]
async fn no_session_is_leased_as_its_previous_holder_left_it() {
    use SessionState::{Busy, Changed, Failed, InTransaction};
    let (pool, server) = pool(1, |_| {});
    for (n, state) in [Changed, InTransaction, Failed, Busy]
        .into_iter()
        .enumerate()
    {
        let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
        lease.set(state);
        drop(lease);
        let next = pool.acquire(AcquireOptions::new()).await.unwrap();
        assert_eq!(*next.state.lock().unwrap(), SessionState::Clean);
        assert_eq!(server.resets.load(SeqCst), n + 1);
        drop(next);
    }
    assert_eq!(server.opened(), 1);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_reset_or_close_that_hangs_gives_its_permit_back() {
    let (pool, server) = pool(1, |_| {});
    *server.reset.lock().unwrap() = Goes::Nowhere;
    *server.close.lock().unwrap() = Goes::Nowhere;
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    lease.set(SessionState::Busy);
    drop(lease);
    let start = Instant::now();
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    seconds(6).await;
    assert_eq!(server.live(), 1);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_panics_in_a_task_costs_one_connection() {
    let (pool, server) = pool(1, |_| {});
    for _ in 0..3 {
        *server.reset.lock().unwrap() = Goes::Mad;
        *server.close.lock().unwrap() = Goes::Mad;
        let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
        lease.set(SessionState::Changed);
        drop(lease);
        let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
        lease.set(SessionState::Broken);
        drop(lease);
        seconds(1).await;
    }
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_replaced_for_waiters() {
    let (pool, server) = pool(1, |_| {});
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    let next = tokio::spawn(pool.acquire(AcquireOptions::new()));
    tokio::task::yield_now().await;
    *server.close.lock().unwrap() = Goes::Nowhere;
    lease.open.store(false, SeqCst);
    drop(lease);
    assert_eq!(next.await.unwrap().unwrap().id, 1);
    seconds(6).await;
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn overflow_connections_go_when_the_load_does() {
    let (pool, server) = pool(2, |o| o.max_overflow = 3);
    let all = leases(&pool, 5).await;
    let options = AcquireOptions {
        timeout: Some(Duration::from_secs(1)),
        ..AcquireOptions::new()
    };
    assert!(pool.acquire(options).await.unwrap_err().is_timeout());
    drop(all);
    seconds(1).await;
    assert_eq!(server.live(), 2);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_connection_can_leave_the_pool_for_good() {
    let (pool, server) = pool(1, |o| o.min = 1);
    let mine = pool.acquire(AcquireOptions::new()).await.unwrap().detach();
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    assert_ne!(lease.id, mine.id);
    lease.close().await;
    drop(mine);
    seconds(1).await;
    assert_eq!(server.opened(), 3);
    assert_at_rest(&pool, &server);
}

#[test]
fn a_lease_may_be_dropped_outside_and_after_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ((pool, server), held) = runtime.block_on(async {
        let (pool, server) = pool(4, |_| {});
        let held = leases(&pool, 4).await;
        ((pool, server), held)
    });
    let mut held = held.into_iter();
    let [first, second, third, fourth] = [(); 4].map(|()| held.next().unwrap());
    drop(first);
    second.set(SessionState::Changed);
    drop(second);
    runtime.block_on(async {
        while pool.statistics().idle < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    drop(runtime);
    third.set(SessionState::Changed);
    drop(third);
    drop(fourth);
    drop(pool);
    assert_eq!(server.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_takes_the_connections_and_tasks_with_it() {
    let (pool, server) = pool(5, |o| o.min = 5);
    seconds(1).await;
    let other = pool.clone();
    let lease = other.acquire(AcquireOptions::new()).await.unwrap();
    drop((pool, other));
    seconds(1).await;
    assert_eq!(server.live(), 5);
    drop(lease);
    seconds(1).await;
    assert_eq!(server.live(), 0);
    assert_eq!(
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks(),
        0
    );
}

#[tokio::test(start_paused = true)]
async fn the_numbers_add_up() {
    let (pool, server) = pool(1, |_| {});
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    let next = tokio::spawn(pool.acquire(AcquireOptions::new()));
    seconds(3).await;
    drop(lease);
    drop(next.await.unwrap().unwrap());
    let numbers = pool.statistics();
    assert_eq!((numbers.acquired_total, numbers.returned_total), (2, 2));
    assert_eq!(numbers.average_wait(), Duration::from_millis(1500));
    assert_eq!(numbers.average_use(), Duration::from_millis(1500));
    assert_eq!(numbers.wait.count(), 2);
    assert_eq!(numbers.wait.quantile(0.5), Duration::ZERO);
    let longest = numbers.use_time.quantile(1.0);
    assert!((3.0..3.4).contains(&longest.as_secs_f64()), "{longest:?}");
    assert_eq!(numbers.create.count(), 1);
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Auth);
    assert_at_rest(&pool, &server);
}

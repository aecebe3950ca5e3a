use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use underpin_core::{Class, Deadline, Stage};
use underpin_pool::AcquireOptions;

use crate::fake::{FakeConnector, Goes, Server, assert_at_rest, leases, pool, seconds};

#[tokio::test(start_paused = true)]
async fn a_new_connector_serves_the_waiters_and_the_old_connections_drain() {
    let (pool, old) = pool(2, |_| {});
    let new = Server::new();
    let mut held = leases(&pool, 2).await;
    let waiting = tokio::spawn(pool.acquire(AcquireOptions::new()));
    tokio::task::yield_now().await;
    pool.replace(FakeConnector(Arc::clone(&new)));
    pool.rename("db2:5432/shop");
    assert_eq!(old.live(), 2, "those who hold one keep it");
    held.pop();
    drop(waiting.await.unwrap().unwrap());
    assert_eq!(new.live(), 1);
    drop(held);
    seconds(1).await;
    assert_eq!(old.live(), 0);
    assert_eq!(pool.statistics().name, "db2:5432/shop");
    assert_eq!(pool.generation(), 1);
    assert_at_rest(&pool, &new);
}

#[tokio::test(start_paused = true)]
async fn attempts_on_an_abandoned_host_do_not_delay_the_new_one() {
    let (pool, old) = pool(4, |_| {});
    *old.connect.lock().unwrap() = Goes::Nowhere;
    let waiting: Vec<_> = (0..4)
        .map(|_| tokio::spawn(pool.acquire(AcquireOptions::new())))
        .collect();
    seconds(1).await;
    assert_eq!(pool.statistics().connecting, 4);
    let (new, start) = (Server::new(), Instant::now());
    pool.replace(FakeConnector(Arc::clone(&new)));
    for next in waiting {
        drop(next.await.unwrap().unwrap());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(pool.statistics().connection_errors_total, 0);
    assert_at_rest(&pool, &new);
}

#[tokio::test(start_paused = true)]
async fn a_new_password_is_tried_at_once_where_the_old_one_was_refused() {
    let (pool, old) = pool(1, |o| o.min = 1);
    *old.connect.lock().unwrap() = Goes::Wrong(Class::Auth);
    seconds(1).await;
    let new = Server::new();
    pool.replace(FakeConnector(Arc::clone(&new)));
    seconds(1).await;
    assert_eq!(new.live(), 1);
    assert_at_rest(&pool, &new);
}

#[tokio::test(start_paused = true)]
async fn a_connector_can_be_tried_before_it_is_taken() {
    let (pool, old) = pool(1, |_| {});
    let new = Server::new();
    let connector = FakeConnector(Arc::clone(&new));
    pool.try_connector(&connector, Deadline::NONE)
        .await
        .unwrap();
    assert_eq!((new.opened(), new.live(), old.opened()), (1, 0, 0));
    *new.connect.lock().unwrap() = Goes::Wrong(Class::Auth);
    let error = pool.try_connector(&connector, Deadline::NONE).await;
    assert_eq!(error.unwrap_err().class(), Class::Auth);
    *new.connect.lock().unwrap() = Goes::Nowhere;
    let soon = Deadline::after(Instant::now().into_std(), Duration::from_secs(2));
    let start = Instant::now();
    let error = pool.try_connector(&connector, soon).await.unwrap_err();
    let stage = Stage::Connect;
    assert_eq!(error.class(), Class::Timeout { stage });
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    assert_eq!(pool.generation(), 0);
    assert_at_rest(&pool, &old);
}

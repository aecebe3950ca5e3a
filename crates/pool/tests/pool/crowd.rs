use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::time::sleep;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline};
use underpin_pool::AcquireOptions;

use crate::fake::{Goes, Server, assert_at_rest, leases, pool, seconds};

fn any_trouble(random: &mut fastrand::Rng) -> Goes {
    match random.u8(..8) {
        0 => Goes::Wrong(Class::Connect),
        1 => Goes::Wrong(Class::Auth),
        2 => Goes::Nowhere,
        3 | 4 => Goes::Slowly(Duration::from_millis(random.u64(1..2000))),
        _ => Goes::Well,
    }
}

async fn make_trouble(server: Arc<Server>, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..200 {
        *server.connect.lock().unwrap() = any_trouble(&mut random);
        *server.ping.lock().unwrap() = any_trouble(&mut random);
        *server.reset.lock().unwrap() = any_trouble(&mut random);
        *server.close.lock().unwrap() = any_trouble(&mut random);
        sleep(Duration::from_millis(random.u64(1..3000))).await;
    }
    for operation in [&server.connect, &server.ping, &server.reset, &server.close] {
        *operation.lock().unwrap() = Goes::Well;
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_tasks_in_trouble_leave_the_counts_right() {
    for seed in 0..10 {
        let (pool, server) = pool(8, |o| (o.min, o.max_overflow) = (2, 2));
        let served = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..200)
            .map(|n| {
                let (pool, served) = (pool.clone(), Arc::clone(&served));
                let mut random = fastrand::Rng::with_seed(seed * 1000 + n);
                tokio::spawn(async move {
                    for _ in 0..50 {
                        let patience = Duration::from_millis(random.u64(0..20_000));
                        let acquire = pool.acquire(AcquireOptions::new());
                        let Ok(Ok(lease)) = tokio::time::timeout(patience, acquire).await else {
                            continue;
                        };
                        served.fetch_add(1, SeqCst);
                        sleep(Duration::from_millis(random.u64(0..50))).await;
                        match random.u8(..20) {
                            0 => lease.set(SessionState::Broken),
                            1 => lease.open.store(false, SeqCst),
                            2 | 3 => lease.set(SessionState::InTransaction),
                            _ => {}
                        }
                    }
                })
            })
            .collect();
        let trouble = tokio::spawn(make_trouble(Arc::clone(&server), seed));
        for task in tasks {
            task.await.unwrap();
        }
        trouble.await.unwrap();
        seconds(120).await;
        let served = served.load(SeqCst);
        assert!(served > 100, "seed {seed}: only {served} were served");
        drop(leases(&pool, 8).await);
        seconds(1).await;
        assert_at_rest(&pool, &server);
        pool.close(Deadline::NONE).await.unwrap();
        assert_eq!(server.live(), 0, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_do_not_lose_each_other() {
    let (pool, server) = pool(4, |o| o.min = 1);
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for round in 0..200 {
                    let mut acquire = Box::pin(pool.acquire(AcquireOptions::new()));
                    if (n + round) % 7 == 0 {
                        let waker = std::task::Waker::noop();
                        let mut context = std::task::Context::from_waker(waker);
                        let _ = acquire.as_mut().poll(&mut context);
                        continue;
                    }
                    let lease = acquire.await.unwrap();
                    tokio::task::yield_now().await;
                    match (n + round) % 50 {
                        0 => lease.set(SessionState::Broken),
                        1 => lease.set(SessionState::Changed),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    while pool.statistics().size != pool.statistics().idle || pool.statistics().closing > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(server.most_live.load(SeqCst) >= 2);
    assert_at_rest(&pool, &server);
}

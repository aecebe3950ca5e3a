use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use underpin_pool::{AcquireOptions, HealthCheck};

use crate::fake::{Goes, assert_at_rest, pool, seconds};

/// Polls a future a number of times, and then drops it.
struct DroppedAfter<F> {
    future: Option<Pin<Box<F>>>,
    polls: usize,
}

impl<F: Future> Future for DroppedAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.future = None;
        } else {
            self.polls -= 1;
        }
        match &mut self.future {
            None => Poll::Ready(None),
            Some(future) => match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if self.polls == 0 => {
                    self.future = None;
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_future_dropped_at_any_await_leaks_nothing() {
    const SLOW: Goes = Goes::Slowly(Duration::from_millis(20));
    let mut most = 0;
    for scene in ["cold", "queued", "checked", "dead"] {
        for polls in 0.. {
            let (pool, server) = pool(1, |o| o.health_check = HealthCheck::Always);
            *server.connect.lock().unwrap() = SLOW;
            *server.ping.lock().unwrap() = SLOW;
            if scene != "cold" {
                let held = pool.acquire(AcquireOptions::new()).await.unwrap();
                if scene == "dead" {
                    held.open.store(false, SeqCst);
                }
                if scene == "queued" {
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        drop(held);
                    });
                }
            }
            let acquire = pool.acquire(AcquireOptions::new());
            let acquired = DroppedAfter {
                future: Some(Box::pin(acquire)),
                polls,
            }
            .await;
            let done = acquired.is_some();
            drop(acquired);
            seconds(1).await;
            assert_at_rest(&pool, &server);
            assert!(pool.statistics().size <= 1);
            drop(pool.acquire(AcquireOptions::new()).await.unwrap());
            assert_at_rest(&pool, &server);
            most = most.max(polls);
            if done {
                break;
            }
        }
    }
    assert!(most >= 3, "there are more awaits than {most}");
}

#[tokio::test(start_paused = true)]
async fn dropped_acquire_gives_its_connection_to_the_next() {
    let (pool, server) = pool(1, |_| {});
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    let mut first = Box::pin(pool.acquire(AcquireOptions::new()));
    assert!(poll_once(first.as_mut()).is_pending());
    let second = tokio::spawn(pool.acquire(AcquireOptions::new()));
    tokio::task::yield_now().await;
    drop(lease);
    // The first caller has been handed the connection, and does not fetch it.
    drop(first);
    drop(second.await.unwrap().unwrap());
    assert_eq!(pool.statistics().acquired_total, 2);
    assert_at_rest(&pool, &server);
}

#[tokio::test(start_paused = true)]
async fn a_connection_made_stale_on_its_way_is_not_leased() {
    let (pool, server) = pool(1, |_| {});
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    let mut next = Box::pin(pool.acquire(AcquireOptions::new()));
    assert!(poll_once(next.as_mut()).is_pending());
    drop(lease);
    pool.invalidate();
    assert_eq!(next.await.unwrap().id, 1);
    seconds(1).await;
    assert_at_rest(&pool, &server);
}

/// Counts its wake-ups.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_goes_from_task_to_task_wakes_the_last() {
    let (pool, server) = pool(1, |_| {});
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    let mut next = Box::pin(pool.acquire(AcquireOptions::new()));
    let bells: [Arc<Bell>; 3] = Default::default();
    for bell in &bells {
        let waker = Waker::from(Arc::clone(bell));
        let polled = next.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    // The first two wakers are dropped, not kept until the wait ends.
    assert_eq!(bells.each_ref().map(Arc::strong_count), [1, 1, 2]);
    drop(lease);
    let rung = bells.each_ref().map(|bell| bell.0.load(SeqCst));
    assert_eq!(rung, [0, 0, 1]);
    assert_eq!(bells.each_ref().map(Arc::strong_count), [1, 1, 1]);
    drop(next.await.unwrap());
    assert_at_rest(&pool, &server);
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

//! The log events of the pool. Alone in its process: tracing remembers for each callsite whether a
//! subscriber listens, and tests on other threads without a subscriber race with that.

#[path = "../pool/fake.rs"]
#[expect(dead_code, reason = "the other tests use all of it")]
mod fake;

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use underpin_core::{Class, Deadline};
use underpin_pool::AcquireOptions;

use fake::{Goes, pool, seconds};

/// Stores the log, one line for each event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    fn at(&self, level: Level) -> Vec<String> {
        let all = self.0.lock().unwrap();
        all.iter()
            .filter(|(at, _)| *at == level)
            .map(|(_, line)| line.clone())
            .collect()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("underpin_pool")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0
            .lock()
            .unwrap()
            .push((*event.metadata().level(), line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_lease_held_too_long_is_reported_once_with_its_place() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (pool, _server) = pool(2, |o| o.leak_threshold = Some(Duration::from_secs(60)));
    let options = AcquireOptions::new();
    let held = pool.acquire(options).await.unwrap();
    seconds(59).await;
    assert_eq!(log.at(Level::WARN).len(), 0);
    for wait in [2, 600] {
        seconds(wait).await;
        let warnings = log.at(Level::WARN);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(&options.caller.to_string()));
        assert!(warnings[0].contains("held=60s"), "{warnings:?}");
    }
    drop(held);
    assert_eq!(pool.statistics().leaks_total, 1);
}

#[tokio::test(start_paused = true)]
async fn the_log_has_the_levels_that_are_promised() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (pool, server) = pool(2, |_| {});
    let opened = log.at(Level::INFO);
    assert_eq!(opened.len(), 1);
    for parameter in [
        "pool opened",
        "db1:5432/shop",
        "max=2",
        "acquire_timeout=30s",
    ] {
        assert!(opened[0].contains(parameter), "{opened:?}");
    }
    drop(pool.acquire(AcquireOptions::new()).await.unwrap());
    seconds(1).await;
    let lease = pool.acquire(AcquireOptions::new()).await.unwrap();
    let debug = log.at(Level::DEBUG).concat();
    for event in ["acquired", "returned", "validated"] {
        assert!(debug.contains(event), "{debug}");
    }
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Connect);
    pool.acquire(AcquireOptions::new()).await.unwrap_err();
    let waits: Vec<bool> = log
        .at(Level::WARN)
        .iter()
        .zip(["wait=1s", "wait=2s", "wait=4s"])
        .map(|(line, wait)| line.contains(wait))
        .collect();
    assert_eq!(waits, [true; 3], "{:?}", log.at(Level::WARN));
    assert_eq!(log.at(Level::WARN).len(), 3);
    let last = log.at(Level::ERROR);
    assert!(last.len() == 1 && last[0].contains("gave up"), "{last:?}");
    *server.connect.lock().unwrap() = Goes::Wrong(Class::Auth);
    pool.acquire(AcquireOptions::new()).await.unwrap_err();
    assert_eq!(
        (log.at(Level::WARN).len(), log.at(Level::ERROR).len()),
        (3, 2)
    );
    drop(lease);
    pool.close(Deadline::NONE).await.unwrap();
}

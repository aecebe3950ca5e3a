//! The pool's numbers through the facade `metrics`, under the names that OpenTelemetry's semantic
//! conventions have for the connection pools of database clients.
//!
//! A task of its own publishes the plain numbers once a second, so that a lease costs the same with
//! and without them, whatever recorder is installed and however long the recorder takes for a
//! value. In return, a recorder sees a duration as the middle of its range, at most a sixteenth
//! off, and up to a second late.

use std::sync::{Arc, Weak};
use std::time::Duration;

use metrics::{Label, Unit};
use tokio::sync::watch;
use underpin_core::driver::Connector;

use crate::histogram::Histogram;
use crate::inner::Inner;
use crate::statistics::Statistics;

/// Interval at which the numbers are published.
const INTERVAL: Duration = Duration::from_secs(1);

const COUNT: &str = "db.client.connection.count";
const IDLE_MAX: &str = "db.client.connection.idle.max";
const IDLE_MIN: &str = "db.client.connection.idle.min";
const MAX: &str = "db.client.connection.max";
const PENDING_REQUESTS: &str = "db.client.connection.pending_requests";
const TIMEOUTS: &str = "db.client.connection.timeouts";
const CREATE_TIME: &str = "db.client.connection.create_time";
const WAIT_TIME: &str = "db.client.connection.wait_time";
const USE_TIME: &str = "db.client.connection.use_time";
const POOL_NAME: &str = "db.client.connection.pool.name";
const STATE: &str = "db.client.connection.state";

/// Held by the pool; the publishing task ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Publishing(watch::Sender<()>);

impl Publishing {
    pub(crate) fn new() -> Self {
        Publishing(watch::Sender::new(()))
    }

    /// Publishes the pool's numbers until the pool is drained or dropped.
    pub(crate) fn start<C: Connector>(&self, inner: &Arc<Inner<C>>) {
        let (pool, gone) = (Arc::downgrade(inner), self.0.subscribe());
        inner.runtime.spawn(publish(pool, gone));
    }
}

async fn publish<C: Connector>(pool: Weak<Inner<C>>, mut gone: watch::Receiver<()>) {
    describe();
    let mut published = Published::default();
    loop {
        let _ = tokio::time::timeout(INTERVAL, gone.changed()).await;
        let Some(inner) = pool.upgrade() else {
            return published.clear();
        };
        published.publish(inner.statistics());
        if inner.lock().state.is_drained() {
            return;
        }
    }
}

/// The values that a recorder has got so far.
#[derive(Default)]
struct Published {
    name: String,
    create: Histogram,
    wait: Histogram,
    used: Histogram,
}

impl Published {
    fn publish(&mut self, now: Statistics) {
        if self.name != now.name {
            self.clear();
            self.name = now.name;
        }
        self.gauge(IDLE_MAX, now.bounds.max as usize);
        self.gauge(IDLE_MIN, now.bounds.min as usize);
        self.gauge(MAX, now.bounds.limit());
        self.gauges(now.idle, now.in_use, now.waiting);
        metrics::counter!(TIMEOUTS, vec![self.label()]).absolute(now.timeouts_total);
        let label = self.label();
        tell(CREATE_TIME, &label, &now.create, &mut self.create);
        tell(WAIT_TIME, &label, &now.wait, &mut self.wait);
        tell(USE_TIME, &label, &now.use_time, &mut self.used);
    }

    /// Sets the gauges to zero, so that no connection seems to remain.
    fn clear(&self) {
        if !self.name.is_empty() {
            self.gauges(0, 0, 0);
        }
    }

    fn gauges(&self, idle: usize, used: usize, waiting: usize) {
        for (state, count) in [("idle", idle), ("used", used)] {
            let labels = vec![self.label(), Label::from_static_parts(STATE, state)];
            metrics::gauge!(COUNT, labels).set(count as f64);
        }
        self.gauge(PENDING_REQUESTS, waiting);
    }

    fn gauge(&self, name: &'static str, value: usize) {
        metrics::gauge!(name, vec![self.label()]).set(value as f64);
    }

    fn label(&self) -> Label {
        Label::new(POOL_NAME, self.name.clone())
    }
}

/// Passes to a recorder what `now` has more than `before`.
fn tell(name: &'static str, label: &Label, now: &Histogram, before: &mut Histogram) {
    if now.count() == before.count() {
        return;
    }
    let recorder = metrics::histogram!(name, vec![label.clone()]);
    for (middle, count) in before.catch_up(now) {
        recorder.record_many(middle, usize::try_from(count).unwrap_or(usize::MAX));
    }
}

fn describe() {
    let gauges = [
        (COUNT, "Connections by state."),
        (
            IDLE_MAX,
            "Maximum number of connections that are kept once they are idle.",
        ),
        (
            IDLE_MIN,
            "Number of connections that are kept open, used or not.",
        ),
        (MAX, "Maximum number of open connections."),
        (PENDING_REQUESTS, "Callers waiting for a connection."),
    ];
    for (name, text) in gauges {
        metrics::describe_gauge!(name, Unit::Count, text);
    }
    let timeouts = "Callers whose wait for a connection timed out.";
    metrics::describe_counter!(TIMEOUTS, Unit::Count, timeouts);
    let histograms = [
        (CREATE_TIME, "Time taken to open a connection."),
        (WAIT_TIME, "Time waited for a connection."),
        (USE_TIME, "Time for which a connection was held."),
    ];
    for (name, text) in histograms {
        metrics::describe_histogram!(name, Unit::Seconds, text);
    }
}

//! The values that a recorder of the facade `metrics` gets. On a thread of its own, with a recorder
//! of its own.

#[path = "../pool/fake.rs"]
#[expect(dead_code, reason = "the other tests use all of it")]
mod fake;

use std::collections::BTreeMap;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use underpin_core::Deadline;
use underpin_pool::AcquireOptions;

use fake::{Goes, pool, seconds};

/// The latest values, by name and state. Histograms and counters have the difference since the last
/// call.
fn look(recorder: &Snapshotter) -> BTreeMap<String, Vec<f64>> {
    let mut found = BTreeMap::new();
    for (key, _, _, value) in recorder.snapshot().into_vec() {
        let mut name = key.key().name().to_owned();
        let mut pool = None;
        for label in key.key().labels() {
            match label.key() {
                "db.client.connection.state" => name = format!("{name} {}", label.value()),
                "db.client.connection.pool.name" => pool = Some(label.value().to_owned()),
                other => panic!("an unknown attribute: {other}"),
            }
        }
        assert_eq!(pool.as_deref(), Some("db1:5432/shop"), "of {name}");
        let values = match value {
            DebugValue::Counter(count) => vec![count as f64],
            DebugValue::Gauge(gauge) => vec![gauge.into_inner()],
            DebugValue::Histogram(all) => all.into_iter().map(|v| v.into_inner()).collect(),
        };
        found.insert(name, values);
    }
    found
}

#[test]
fn a_recorder_is_told_under_the_names_of_opentelemetry() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(scene(&snapshotter)));
}

async fn scene(recorder: &Snapshotter) {
    let (pool, server) = pool(2, |o| (o.min, o.max_overflow) = (1, 1));
    *server.connect.lock().unwrap() = Goes::Slowly(Duration::from_millis(500));
    let held = [
        pool.acquire(AcquireOptions::new()).await.unwrap(),
        pool.acquire(AcquireOptions::new()).await.unwrap(),
        pool.acquire(AcquireOptions::new()).await.unwrap(),
    ];
    let patient = tokio::spawn(pool.acquire(AcquireOptions::new()));
    let hasty = AcquireOptions {
        timeout: Some(Duration::from_secs(1)),
        ..AcquireOptions::new()
    };
    pool.acquire(hasty).await.unwrap_err();
    seconds(2).await;
    let told = look(recorder);
    for (name, value) in [
        ("count idle", 0.0),
        ("count used", 3.0),
        ("idle.max", 2.0),
        ("idle.min", 1.0),
        ("max", 3.0),
        ("pending_requests", 1.0),
        ("timeouts", 1.0),
    ] {
        let name = format!("db.client.connection.{name}");
        assert_eq!(told[&name], [value], "{name}");
    }
    assert_eq!(told["db.client.connection.create_time"].len(), 3);
    let waits = &told["db.client.connection.wait_time"];
    assert_eq!(waits.len(), 3);
    let near = |value: f64, exact: f64| (value - exact).abs() <= exact / 16.0;
    assert!(waits.iter().all(|wait| near(*wait, 0.5)), "{waits:?}");
    assert!(!told.contains_key("db.client.connection.use_time"));

    drop(held);
    drop(patient.await.unwrap().unwrap());
    seconds(2).await;
    let told = look(recorder);
    assert_eq!(told["db.client.connection.use_time"].len(), 4);
    assert_eq!(told["db.client.connection.wait_time"].len(), 1, "told once");
    assert_eq!(told["db.client.connection.count used"], [0.0]);

    pool.close(Deadline::NONE).await.unwrap();
    seconds(60).await;
    assert_eq!(look(recorder)["db.client.connection.count idle"], [0.0]);
    let tasks = tokio::runtime::Handle::current().metrics();
    assert_eq!(tasks.num_alive_tasks(), 0);
}

//! Each job is done once, however many workers there are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use example_worker::{enqueue, open, work_once};
use underpin::{Class, Database, Error};
use underpin_testkit::Place;

#[tokio::test(flavor = "multi_thread")]
async fn every_job_is_done_once() {
    for place in Place::each("every_job_is_done_once") {
        let db = open(place.url().as_str()).await.unwrap();
        enqueue(&db, (0..40).map(|n| n.to_string())).await.unwrap();
        let done = Arc::new(Mutex::new(BTreeMap::<i64, u32>::new()));
        let workers = (0..4).map(|number| {
            let (db, done) = (db.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let name = format!("worker {number}");
                loop {
                    let done = Arc::clone(&done);
                    let worked = work_once(&db, &name, |job| async move {
                        *done.lock().unwrap().entry(job.id).or_default() += 1;
                        Ok(())
                    });
                    if !worked.await.unwrap() {
                        break;
                    }
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        let done = done.lock().unwrap();
        assert_eq!(done.len(), 40);
        assert!(done.values().all(|times| *times == 1), "{done:?}");
    }
}

#[tokio::test]
async fn a_job_that_fails_waits_for_another_worker() {
    let db: Database = open("sqlite::memory:").await.unwrap();
    enqueue(&db, ["one".to_owned()]).await.unwrap();
    let refused = work_once(&db, "a", |_| async {
        Err(Error::new(
            Class::Unsupported,
            "This worker cannot do that.",
        ))
    });
    assert_eq!(refused.await.unwrap_err().class(), Class::Unsupported);
    assert!(work_once(&db, "b", |_| async { Ok(()) }).await.unwrap());
    let by: String = db
        .query_scalar("SELECT done_by FROM jobs", ())
        .await
        .unwrap();
    assert_eq!(by, "b");
}

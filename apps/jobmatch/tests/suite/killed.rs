//! An import that is killed half-way carries on, and no row is in twice.

use std::process::Stdio;
use std::time::Duration;

use jobmatch::Sample;
use jobmatch::import::ImportKind;

use crate::place::{Files, InPlace, Place, close, count, import_file, program};

#[tokio::test]
async fn a_killed_import_carries_on_and_each_good_row_is_in_once() {
    let rows: u64 = 150_000;
    let sample = Sample {
        kind: ImportKind::Jobs,
        rows,
        seed: 5,
        bad_percent: 1.0,
        users: 0,
        jobs: 0,
    };
    let files = Files::new();
    let path = files.write("jobs.csv", sample.text());
    for place in Place::each("killed") {
        let database = place.migrated().await;
        let mut import = program()
            .args(["import", "jobs"])
            .arg(&path)
            .args(["--url", &place.url()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while count(&database, "jobs").await == 0 {
            assert!(import.try_wait().unwrap().is_none(), "nothing is imported");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        import.kill().unwrap();
        import.wait().unwrap();

        let half = count(&database, "jobs").await;
        assert!(half > 0 && half < 148_500, "{half}");
        let report = import_file(&database, ImportKind::Jobs, &path)
            .await
            .unwrap();
        assert!(report.done_before > 0, "{}", place.engine());
        assert_eq!((report.rows, report.bad), (rows, 1500));
        assert_eq!(report.bad_rows.len(), 1000);
        assert_eq!(count(&database, "jobs").await, 148_500);
        // Each description has a number of its own.
        let sql = "SELECT count(DISTINCT description) FROM jobs";
        let distinct: i64 = database.query_scalar(sql, ()).await.unwrap();
        assert!(distinct > 148_480, "{distinct}");
        close(database).await;
    }
}

#[tokio::test]
async fn two_imports_of_the_same_file_at_once_put_no_row_in_twice() {
    let sample = Sample {
        kind: ImportKind::Jobs,
        rows: 40_000,
        seed: 6,
        bad_percent: 0.0,
        users: 0,
        jobs: 0,
    };
    let files = Files::new();
    let path = files.write("jobs.csv", sample.text());
    for place in Place::each("at_once") {
        let database = place.migrated().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (database, path) = (database.clone(), path.clone());
            tasks.spawn(async move { import_file(&database, ImportKind::Jobs, &path).await });
        }
        let done = tasks.join_all().await;
        assert!(done.iter().any(Result::is_ok), "{done:?}");
        assert_eq!(count(&database, "jobs").await, 40_000);
        assert_eq!(count(&database, "csv_imports").await, 1);
        close(database).await;
    }
}

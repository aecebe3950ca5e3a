use std::path::Path;

use jobmatch::Sample;
use jobmatch::import::{ImportKind, Source, import};
use underpin::Class;

use crate::place::{Files, InPlace, Place, close, count, import_file};

const NYC: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/nyc_jobs.csv"
);

fn nyc_maps() -> Vec<(String, String)> {
    [
        ("title", "Civil Service Title"),
        ("company_name", "Agency"),
        ("employment_type", "Posting Type"),
        ("industry", "Job Category"),
        ("salary_min", "Salary Range From"),
        ("salary_max", "Salary Range To"),
    ]
    .map(|(column, header)| (column.to_owned(), header.to_owned()))
    .into()
}

#[tokio::test]
async fn the_postings_of_new_york_are_in_or_explained() {
    if !Path::new(NYC).exists() {
        let name = "the_postings_of_new_york_are_in_or_explained";
        underpin_testkit::skip::report_without_input(name, Path::new(NYC));
        return;
    }
    let mut reports = Vec::new();
    for place in Place::each("nyc") {
        let database = place.migrated().await;
        let open = || Source::open(ImportKind::Jobs, Path::new(NYC), &nyc_maps()).unwrap();
        let report = import(&database, open(), |_| ()).await.unwrap();
        assert_eq!(report.rows, 3773);
        assert_eq!(report.inserted + report.bad, 3773);
        assert_eq!(report.bad_rows.len() as u64, report.bad);
        assert_eq!(count(&database, "jobs").await as u64, report.inserted);
        let again = import(&database, open(), |_| ()).await.unwrap_err();
        assert_eq!(again.class(), Class::Constraint);
        assert!(
            again
                .message()
                .contains("import 1 into jobs was completed on 2"),
            "{again}"
        );
        assert_eq!(count(&database, "jobs").await as u64, report.inserted);
        let sql = "SELECT CAST(sum(salary_max) AS double precision) FROM jobs";
        let sum: f64 = database.query_scalar(sql, ()).await.unwrap();
        let sql = "SELECT count(*) FROM jobs WHERE industry IS NULL";
        let nulls: i64 = database.query_scalar(sql, ()).await.unwrap();
        reports.push((report, sum.round(), nulls));
        close(database).await;
    }
    assert!(
        reports.iter().all(|report| report == &reports[0]),
        "{reports:?}"
    );
}

#[tokio::test]
async fn bad_rows_are_explained_and_the_good_ones_go_in() {
    let files = Files::new();
    let path = files.write(
        "jobs.csv",
        "Title,company_name,salary_min,salary_max,is_active,posted_date,employment_type,other\n\
         Good,A,1,2,true,2024-01-31,Full,x\n\
         ,A,,,,,,\n\
         NaN,A,,,,,,\n\
         Low,A,-1,2,,,,\n\
         Crossed,A,2,1,,,,\n\
         Huge,A,1e8,,,,,\n\
         Text,A,lots,,,,,\n\
         Maybe,A,,,maybe,,,\n\
         Day,A,,,,2024-02-30,,\n\
         \"Two\nlines\",A,,,,,123456789012345678901234567890123456789012345678901,\n\
         Short,A\n\
         Last,\"A, \"\"B\"\"\",NaN,10.005,NO,,NaN,\n",
    );
    for place in Place::each("bad_rows") {
        let database = place.migrated().await;
        let report = import_file(&database, ImportKind::Jobs, &path)
            .await
            .unwrap();
        let bad: Vec<(u64, &str)> = report
            .bad_rows
            .iter()
            .map(|row| (row.line, row.column.as_deref().unwrap_or("")))
            .collect();
        let expected = [
            (3, "title"),
            (4, "title"),
            (5, "salary_min"),
            (6, "salary_max"),
            (7, "salary_min"),
            (8, "salary_min"),
            (9, "is_active"),
            (10, "posted_date"),
            (11, "employment_type"),
            (13, ""),
        ];
        assert_eq!(bad, expected);
        assert_eq!((report.rows, report.inserted, report.bad), (12, 2, 10));
        type Job = (
            String,
            String,
            Option<f64>,
            f64,
            Option<bool>,
            Option<String>,
        );
        let sql = "SELECT title, company_name, CAST(salary_min AS double precision),
                          CAST(salary_max AS double precision), is_active, employment_type
                   FROM jobs ORDER BY id";
        let jobs: Vec<Job> = database.query_as(sql, ()).await.unwrap();
        let first = (
            "Good".into(),
            "A".into(),
            Some(1.0),
            2.0,
            Some(true),
            Some("Full".into()),
        );
        let last = (
            "Last".into(),
            "A, \"B\"".into(),
            None,
            10.01,
            Some(false),
            None,
        );
        assert_eq!(jobs, [first, last]);
        let sql =
            "SELECT status, total_rows, processed_rows, success_rows, error_rows, error_details
                   FROM csv_imports WHERE started_at IS NOT NULL AND completed_at IS NOT NULL";
        type Ledger = (
            String,
            i32,
            i32,
            i32,
            i32,
            underpin::Json<Vec<serde_json::Value>>,
        );
        let ledger: Ledger = database.query_one(sql, ()).await.unwrap();
        assert_eq!(
            (ledger.0.as_str(), ledger.1, ledger.2, ledger.3, ledger.4),
            ("completed", 12, 12, 2, 10)
        );
        assert_eq!(ledger.5.0.len(), 10);
        assert_eq!(ledger.5.0[2]["line"], 5);
        assert_eq!(
            ledger.5.0[2]["reason"],
            "\"-1\" is less than 0 (check_salary_min_positive)."
        );
        close(database).await;
    }
}

#[tokio::test]
async fn what_only_the_server_knows_is_found_by_halving() {
    let files = Files::new();
    let users = files.write(
        "users.csv",
        Sample {
            kind: ImportKind::Users,
            rows: 300,
            seed: 7,
            bad_percent: 0.0,
            users: 0,
            jobs: 0,
        }
        .text(),
    );
    let mut scores = String::from("user_id,job_id,total_score\n");
    for row in 0..3000 {
        let user = if row % 100 == 99 { 999 } else { row % 300 + 1 };
        // The last hundred repeat the first.
        let job = if row >= 2900 { 1 } else { row / 300 + 1 };
        scores += &format!("{user},{job},{}\n", row % 101);
    }
    let scores = files.write("scores.csv", scores);
    for place in Place::each("halving") {
        let database = place.migrated().await;
        assert_eq!(
            import_file(&database, ImportKind::Users, &users)
                .await
                .unwrap()
                .inserted,
            300
        );
        let twice = std::fs::read_to_string(&users).unwrap() + "\n";
        let twice = files.write("again.csv", twice);
        let report = import_file(&database, ImportKind::Users, &twice)
            .await
            .unwrap();
        assert_eq!((report.inserted, report.bad), (0, 300));
        let jobs = (0..10).map(|n| (format!("job {n}"), "c"));
        database
            .bulk_insert("jobs", &["title", "company_name"], jobs)
            .await
            .unwrap();
        let report = import_file(&database, ImportKind::Scores, &scores)
            .await
            .unwrap();
        // Thirty unknown users, and those of the last hundred whose score is there.
        assert_eq!(report.rows, 3000);
        assert_eq!(report.bad, 30 + 99, "{:?}", &report.bad_rows[..3]);
        assert_eq!(count(&database, "job_scores").await, 3000 - 129);
        assert_eq!(report.bad_rows[0].line, 101);
        close(database).await;
    }
}

#[tokio::test]
async fn a_sample_is_the_same_for_the_same_seed_and_as_bad_as_asked() {
    let files = Files::new();
    for kind in [ImportKind::Jobs, ImportKind::Users] {
        let sample = Sample {
            kind,
            rows: 2000,
            seed: 3,
            bad_percent: 1.5,
            users: 0,
            jobs: 0,
        };
        assert_eq!(sample.text(), sample.text());
        assert_eq!(sample.bad_rows(), 30);
        let path = files.write("sample.csv", sample.text());
        for place in Place::each("sample") {
            let database = place.migrated().await;
            let report = import_file(&database, kind, &path).await.unwrap();
            assert_eq!(
                (report.inserted, report.bad),
                (1970, 30),
                "{:?}",
                report.bad_rows
            );
            close(database).await;
        }
    }
}

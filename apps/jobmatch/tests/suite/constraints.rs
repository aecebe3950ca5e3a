//! Both engines refuse the same rows, and take the same.

use underpin::{Class, Database};

use crate::place::{InPlace, Place, close};

const GROUND: &str = "
INSERT INTO users (email, hashed_password) VALUES ('ada@example.com', 'x');
INSERT INTO jobs (title, company_name) VALUES ('Engineer', 'Northwind');
INSERT INTO job_scores (user_id, job_id, total_score) VALUES (1, 1, 50);
INSERT INTO csv_imports (filename, file_size, file_hash, import_type)
VALUES ('f.csv', 1, 'abc', 'jobs');";

/// Table, columns, values; `{n}` stands for a text of so many characters.
type Case = (&'static str, &'static str, &'static str);

const REFUSED: &[Case] = &[
    ("users", "email, hashed_password", "'ada@example.com', 'x'"),
    ("users", "email", "'a'"),
    ("users", "hashed_password", "'a'"),
    ("users", "email, hashed_password", "NULL, 'x'"),
    ("users", "email, hashed_password", "'{256}', 'x'"),
    ("users", "email, hashed_password", "'a', '{256}'"),
    (
        "users",
        "email, hashed_password, full_name",
        "'a', 'x', '{256}'",
    ),
    (
        "users",
        "email, hashed_password, is_active",
        "'a', 'x', 'maybe'",
    ),
    (
        "users",
        "email, hashed_password, is_superuser",
        "'a', 'x', '2.5'",
    ),
    (
        "users",
        "email, hashed_password, created_at",
        "'a', 'x', 'yesterdayish'",
    ),
    (
        "users",
        "email, hashed_password, updated_at",
        "'a', 'x', '2024-02-30 00:00:00'",
    ),
    ("users", "id, email, hashed_password", "1, 'a', 'x'"),
    (
        "users",
        "id, email, hashed_password",
        "2147483648, 'a', 'x'",
    ),
    ("jobs", "title", "'a'"),
    ("jobs", "company_name", "'a'"),
    ("jobs", "title, company_name", "'{256}', 'a'"),
    ("jobs", "title, company_name", "'a', '{256}'"),
    ("jobs", "title, company_name, location", "'a', 'a', '{256}'"),
    (
        "jobs",
        "title, company_name, employment_type",
        "'a', 'a', '{51}'",
    ),
    (
        "jobs",
        "title, company_name, experience_level",
        "'a', 'a', '{51}'",
    ),
    ("jobs", "title, company_name, industry", "'a', 'a', '{101}'"),
    ("jobs", "title, company_name, salary_min", "'a', 'a', -0.01"),
    (
        "jobs",
        "title, company_name, salary_min",
        "'a', 'a', -0.005",
    ),
    (
        "jobs",
        "title, company_name, salary_min",
        "'a', 'a', 100000000",
    ),
    (
        "jobs",
        "title, company_name, salary_max",
        "'a', 'a', 99999999.995",
    ),
    (
        "jobs",
        "title, company_name, salary_max",
        "'a', 'a', -100000000",
    ),
    (
        "jobs",
        "title, company_name, salary_min, salary_max",
        "'a', 'a', 2, 1.99",
    ),
    (
        "jobs",
        "title, company_name, salary_min",
        "'a', 'a', 'much'",
    ),
    (
        "jobs",
        "title, company_name, posted_date",
        "'a', 'a', '2023-02-29'",
    ),
    ("jobs", "title, company_name, is_active", "'a', 'a', 'x'"),
    ("job_scores", "user_id, job_id, total_score", "1, 1, 60"),
    ("job_scores", "user_id, job_id, total_score", "2, 1, 60"),
    ("job_scores", "user_id, job_id, total_score", "1, 2, 60"),
    ("job_scores", "user_id, job_id", "1, 1"),
    ("job_scores", "job_id, total_score", "1, 60"),
    ("job_scores", "user_id, total_score", "1, 60"),
    (
        "job_scores",
        "user_id, job_id, total_score, scoring_algorithm_version",
        "1, 1, -0.1, '2'",
    ),
    (
        "job_scores",
        "user_id, job_id, total_score, scoring_algorithm_version",
        "1, 1, 100.1, '2'",
    ),
    (
        "job_scores",
        "user_id, job_id, total_score, scoring_algorithm_version",
        "1, 1, 60, '{21}'",
    ),
    (
        "job_scores",
        "user_id, job_id, total_score, scoring_algorithm_version",
        "1, 1, 'x', '2'",
    ),
    ("matching_results", "user_id, job_id", "1, 1"),
    ("matching_results", "user_id, job_score_id", "1, 1"),
    ("matching_results", "job_id, job_score_id", "1, 1"),
    (
        "matching_results",
        "user_id, job_id, job_score_id",
        "9, 1, 1",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id",
        "1, 9, 1",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id",
        "1, 1, 9",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id, confidence_level",
        "1, 1, 1, 1.01",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id, confidence_level",
        "1, 1, 1, -0.01",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id, match_status",
        "1, 1, 1, '{21}'",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id, is_viewed",
        "1, 1, 1, 'x'",
    ),
    (
        "email_logs",
        "user_id, email_type, recipient_email, subject, body",
        "9, 'a', 'a', 'a', 'a'",
    ),
    (
        "email_logs",
        "recipient_email, subject, body",
        "'a', 'a', 'a'",
    ),
    ("email_logs", "email_type, subject, body", "'a', 'a', 'a'"),
    (
        "email_logs",
        "email_type, recipient_email, body",
        "'a', 'a', 'a'",
    ),
    (
        "email_logs",
        "email_type, recipient_email, subject",
        "'a', 'a', 'a'",
    ),
    (
        "email_logs",
        "email_type, recipient_email, subject, body",
        "'{51}', 'a', 'a', 'a'",
    ),
    (
        "email_logs",
        "email_type, recipient_email, subject, body",
        "'a', '{256}', 'a', 'a'",
    ),
    (
        "email_logs",
        "email_type, recipient_email, subject, body",
        "'a', 'a', '{256}', 'a'",
    ),
    (
        "email_logs",
        "email_type, recipient_email, subject, body, status",
        "'a', 'a', 'a', 'a', '{21}'",
    ),
    (
        "email_logs",
        "email_type, recipient_email, subject, body, sent_at",
        "'a', 'a', 'a', 'a', 'soon'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type",
        "'f', 0, 'd', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type",
        "'f', -1, 'd', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type",
        "'f', 2147483648, 'd', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type",
        "'f', 1, 'abc', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type",
        "'f', 1, '{65}', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type",
        "'{256}', 1, 'd', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type",
        "'f', 1, 'd', '{51}'",
    ),
    (
        "csv_imports",
        "file_size, file_hash, import_type",
        "1, 'd', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_hash, import_type",
        "'f', 'd', 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, import_type",
        "'f', 1, 'jobs'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash",
        "'f', 1, 'd'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type, error_details",
        "'f', 1, 'd', 'jobs', '{\"a\":'",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type, total_rows",
        "'f', 1, 'd', 'jobs', 2147483648",
    ),
];

const TAKEN: &[Case] = &[
    (
        "users",
        "email, hashed_password, full_name",
        "'{255}', '{255}', '{255}'",
    ),
    (
        "users",
        "email, hashed_password, is_active, created_at",
        "'b', 'x', NULL, NULL",
    ),
    (
        "users",
        "email, hashed_password, created_at",
        "'c', 'x', '2024-02-29 23:59:59.999999'",
    ),
    (
        "jobs",
        "title, company_name, salary_min, salary_max",
        "'a', 'a', 0, 99999999.99",
    ),
    (
        "jobs",
        "title, company_name, salary_min, salary_max",
        "'a', 'a', 5.004, 5",
    ),
    (
        "jobs",
        "title, company_name, salary_min",
        "'a', 'a', -0.004",
    ),
    (
        "jobs",
        "title, company_name, salary_min, salary_max",
        "'a', 'a', 5, NULL",
    ),
    ("jobs", "title, company_name, salary_max", "'a', 'a', -5"),
    (
        "jobs",
        "title, company_name, posted_date",
        "'a', 'a', '2024-02-29'",
    ),
    (
        "job_scores",
        "user_id, job_id, total_score, scoring_algorithm_version",
        "1, 1, 0, '2.0'",
    ),
    (
        "job_scores",
        "user_id, job_id, total_score, scoring_algorithm_version",
        "1, 1, 100, NULL",
    ),
    (
        "job_scores",
        "user_id, job_id, total_score, scoring_algorithm_version",
        "1, 1, 100, NULL",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id, confidence_level",
        "1, 1, 1, 0",
    ),
    (
        "matching_results",
        "user_id, job_id, job_score_id, confidence_level",
        "1, 1, 1, 1",
    ),
    (
        "email_logs",
        "email_type, recipient_email, subject, body",
        "'a', 'a', 'a', ''",
    ),
    (
        "csv_imports",
        "filename, file_size, file_hash, import_type, error_details",
        "'f', 2147483647, '{64}', '{50}', '[{\"line\": 1}]'",
    ),
];

fn statement((table, columns, values): &Case) -> String {
    let mut values = (*values).to_owned();
    for length in [21, 50, 51, 64, 65, 101, 255, 256] {
        // Of two bytes each: characters are counted, not bytes.
        values = values.replace(&format!("{{{length}}}"), &"é".repeat(length));
    }
    format!("INSERT INTO {table} ({columns}) VALUES ({values})")
}

async fn outcome(database: &Database, case: &Case) -> Result<(), Class> {
    let done = database.execute(&statement(case), ()).await;
    done.map(drop).map_err(|error| error.class())
}

#[tokio::test]
async fn both_engines_refuse_each_row_that_a_constraint_forbids() {
    for place in Place::each("constraints") {
        let database = place.migrated().await;
        database.batch(GROUND).await.unwrap();
        for case in REFUSED {
            let class = outcome(&database, case).await;
            assert!(
                matches!(class, Err(Class::Constraint | Class::Data)),
                "{} on {case:?}: {class:?}",
                place.engine()
            );
        }
        close(database).await;
    }
}

#[tokio::test]
async fn both_engines_take_what_no_constraint_forbids() {
    for place in Place::each("no_constraint") {
        let database = place.migrated().await;
        database.batch(GROUND).await.unwrap();
        for case in TAKEN {
            let outcome = outcome(&database, case).await;
            assert_eq!(outcome, Ok(()), "{} on {case:?}", place.engine());
        }
        close(database).await;
    }
}

#[tokio::test]
async fn salaries_are_rounded_on_both_engines() {
    for place in Place::each("rounded") {
        let database = place.migrated().await;
        let sql = "INSERT INTO jobs (title, company_name, salary_min, salary_max)
                   VALUES ('a', 'a', 10.126, 20.5)";
        database.execute(sql, ()).await.unwrap();
        let exact = "SELECT count(*) FROM jobs WHERE salary_min = 10.13 AND salary_max = 20.50";
        assert_eq!(database.query_scalar::<i64>(exact, ()).await.unwrap(), 1);
        let update = "UPDATE jobs SET salary_min = 1.111, salary_max = 2.229";
        database.execute(update, ()).await.unwrap();
        let exact = "SELECT count(*) FROM jobs WHERE salary_min = 1.11 AND salary_max = 2.23";
        assert_eq!(database.query_scalar::<i64>(exact, ()).await.unwrap(), 1);
        close(database).await;
    }
}

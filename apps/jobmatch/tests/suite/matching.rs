use jobmatch::models::EmailStatus;
use jobmatch::{MatchOptions, mark_email, queue_emails, run_matching, stats};
use underpin::{Class, Database};

use crate::place::{InPlace, Place, close, count};

/// Three users (one not active), five jobs (the fourth not active).
const GROUND: &str = "
INSERT INTO users (email, hashed_password, is_active)
VALUES ('ada', 'x', TRUE), ('grace', 'x', TRUE), ('gone', 'x', FALSE);
INSERT INTO jobs (title, company_name, is_active)
VALUES ('a', 'c', TRUE), ('b', 'c', TRUE), ('c', 'c', TRUE), ('d', 'c', FALSE), ('e', 'c', TRUE);
INSERT INTO job_scores (user_id, job_id, total_score, skill_match_score, experience_score,
                        location_score, salary_score, culture_fit_score, scoring_algorithm_version)
VALUES (1, 1, 90, 100, 60, NULL, NULL, NULL, '1.0'),
       (1, 1, 95, 100, 100, 100, 100, 100, '2.0'),
       (1, 2, 70, NULL, NULL, NULL, NULL, NULL, '1.0'),
       (1, 3, 69.9, 90, 90, 90, 90, 90, '1.0'),
       (1, 4, 99, 90, 90, 90, 90, 90, '1.0'),
       (1, 5, 80, 50, 70, 90, 70, 70, '1.0'),
       (2, 1, 75, 80, NULL, NULL, NULL, NULL, '1.0'),
       (3, 1, 99, 80, 80, 80, 80, 80, '1.0');";

type Found = (i32, i32, i32, f64, String);

async fn found(database: &Database) -> Vec<Found> {
    let sql = "SELECT user_id, job_id, job_score_id, confidence_level, recommendation_reason
               FROM matching_results ORDER BY id";
    database.query_as(sql, ()).await.unwrap()
}

#[tokio::test]
async fn the_best_scored_active_jobs_are_matched_once() {
    for place in Place::each("matching") {
        let database = place.migrated().await;
        database.batch(GROUND).await.unwrap();
        let two = MatchOptions {
            min_score: 70.0,
            top: 2,
        };
        let report = run_matching(&database, two).await.unwrap();
        assert_eq!((report.users, report.added), (2, 3));
        // 50, 70, 90, 70, 70: mean 70, deviation √160 = 12.6491; 0.7 × 0.873509.
        let matched = found(&database).await;
        let numbers: Vec<_> = matched.iter().map(|m| (m.0, m.1, m.2, m.3)).collect();
        assert_eq!(
            numbers,
            [(1, 1, 2, 1.0), (1, 5, 6, 0.6115), (2, 1, 7, 0.16)]
        );
        assert_eq!(
            matched[1].4,
            "Scored 80 of 100; strongest in location (90), weakest in skills (50)."
        );
        assert_eq!(run_matching(&database, two).await.unwrap().added, 0);
        let more = MatchOptions {
            min_score: 70.0,
            top: 40,
        };
        assert_eq!(run_matching(&database, more).await.unwrap().added, 1);
        let last = found(&database).await.pop().unwrap();
        assert_eq!((last.0, last.1, last.3), (1, 2, 0.0));
        let wrong = MatchOptions {
            min_score: 101.0,
            top: 1,
        };
        assert_eq!(
            run_matching(&database, wrong).await.unwrap_err().class(),
            Class::Config
        );
        close(database).await;
    }
}

#[tokio::test]
async fn several_runs_at_once_match_once() {
    for place in Place::each("matching_at_once") {
        let database = place.migrated().await;
        database.batch(GROUND).await.unwrap();
        let mut runs = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let database = database.clone();
            let all = MatchOptions {
                min_score: 0.0,
                top: 40,
            };
            runs.spawn(async move { run_matching(&database, all).await.unwrap().added });
        }
        assert_eq!(runs.join_all().await.iter().sum::<u64>(), 5);
        assert_eq!(count(&database, "matching_results").await, 5);
        close(database).await;
    }
}

#[tokio::test]
async fn emails_are_queued_once_listed_and_marked() {
    for place in Place::each("emails") {
        let database = place.migrated().await;
        database.batch(GROUND).await.unwrap();
        let one = MatchOptions {
            min_score: 70.0,
            top: 1,
        };
        run_matching(&database, one).await.unwrap();
        assert_eq!(queue_emails(&database).await.unwrap(), 2);
        assert_eq!(queue_emails(&database).await.unwrap(), 0);
        // SQLite's clock has milliseconds.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let more = MatchOptions {
            min_score: 70.0,
            top: 9,
        };
        run_matching(&database, more).await.unwrap();
        assert_eq!(queue_emails(&database).await.unwrap(), 1);
        let sql = "SELECT subject FROM email_logs ORDER BY id";
        let subjects: Vec<String> = database.query_as(sql, ()).await.unwrap();
        assert_eq!(
            subjects,
            [
                "1 new job for you",
                "1 new job for you",
                "2 new jobs for you"
            ]
        );

        mark_email(&database, 1, EmailStatus::Failed, Some("mailbox full"))
            .await
            .unwrap();
        mark_email(&database, 1, EmailStatus::Sent, None)
            .await
            .unwrap();
        mark_email(&database, 2, EmailStatus::Failed, Some("no such host"))
            .await
            .unwrap();
        let again = mark_email(&database, 1, EmailStatus::Failed, None)
            .await
            .unwrap_err();
        assert_eq!(again.class(), Class::Constraint);
        let missing = mark_email(&database, 99, EmailStatus::Sent, None)
            .await
            .unwrap_err();
        assert_eq!(missing.class(), Class::NotFound);

        let stats = stats(&database).await.unwrap();
        assert_eq!(
            (
                stats.users,
                stats.active_users,
                stats.jobs,
                stats.active_jobs
            ),
            (3, 2, 5, 4)
        );
        assert_eq!(
            (stats.scores, stats.matches, stats.pending_matches),
            (8, 4, 4)
        );
        assert_eq!(
            (stats.pending_emails, stats.sent_emails, stats.failed_emails),
            (1, 1, 1)
        );
        assert!((stats.average_score.unwrap() - 84.7375).abs() < 1e-9);
        assert!((stats.average_confidence.unwrap() - 0.442_875).abs() < 1e-9);

        for (arguments, text) in [
            (
                &["emails", "list", "--status", "failed"][..],
                "no such host",
            ),
            (
                &["emails", "list", "--format", "json"][..],
                "\"2 new jobs for you\"",
            ),
            (&["emails", "queue"][..], "0 e-mails queued"),
            (
                &["match", "--min-score", "70", "--top", "40"][..],
                "0 new matches for 2 active users",
            ),
            (&["stats", "--format", "csv"][..], "failed_emails,1"),
        ] {
            let output = place.command(arguments);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.contains(text), "{said}");
        }
        close(database).await;
    }
}

//! Migrations that fail: the messages, and what remains.

use std::time::Duration;

use underpin::migrate::{Direction, Mode, State};
use underpin::{Class, Effect, Engine};

use crate::migrate::{migrator, schema};
use crate::place::{InPlace, Place};

const TABLE: &str = "-- up\nCREATE TABLE t (a integer);\n-- down\nDROP TABLE t;\n";
const BROKEN: &str =
    "-- up\nCREATE TABLE u (a integer);\n\nINSERT INTO\n  missing VALUES (1);\n-- down\n";

#[tokio::test]
async fn a_failing_revision_leaves_nothing_behind() {
    for place in Place::each("failing") {
        let db = place.open().await;
        let before = schema(&db).await;
        let error = migrator(&place, &[TABLE, BROKEN])
            .mode(Mode::OneTransaction)
            .up("head")
            .await
            .unwrap_err();
        let said = error.to_string();
        // The engine's position is within the statement, which begins on line 7.
        let line = match place.engine() {
            Engine::POSTGRES => "revisions/r1.sql, line 8:",
            _ => "revisions/r1.sql, line 7:",
        };
        for part in [
            line,
            "`INSERT INTO missing VALUES (1)`",
            "missing",
            "No statement of this run took effect.",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(error.effect(), Effect::RolledBack);
        assert_eq!(schema(&db).await, before);

        let by_one = migrator(&place, &[TABLE, BROKEN]);
        let said = by_one.up("head").await.unwrap_err().to_string();
        assert!(
            said.contains("These revisions of this run remain applied: `r0`."),
            "{said}"
        );
        let history = by_one.history().await.unwrap();
        assert_eq!(
            (history.len(), history.entries()[0].state),
            (1, State::Done)
        );
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn a_failed_migration_leaks_no_lock() {
    for place in Place::each("failed_lock") {
        for _ in 0..3 {
            migrator(&place, &[TABLE, BROKEN])
                .up("head")
                .await
                .unwrap_err();
        }
        migrator(&place, &[TABLE]).up("head").await.unwrap();
        if let Place::Sqlite(file) = &place {
            let names: Vec<_> = std::fs::read_dir(file.directory())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.contains("lock"))
                .collect();
            assert_eq!(names, Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn a_no_transaction_section_goes_on_where_it_failed() {
    for place in Place::each("half_way") {
        let broken = "-- up no-transaction\nCREATE TABLE a (n integer);\nINSERT INTO later VALUES (1);\n\
            CREATE TABLE b (n integer);\n-- down\nDROP TABLE a; DROP TABLE b;\n";
        let ours = migrator(&place, &[TABLE, broken]);
        let error = ours.up("head").await.unwrap_err();
        let said = error.to_string();
        for part in [
            "revisions/r1.sql, line 6:",
            "1 of its 3 statements ran",
            "These revisions of this run remain applied: `r0`.",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let history = ours.history().await.unwrap();
        let half_way = State::Partial {
            statements_done: 1,
            direction: Direction::Up,
        };
        assert_eq!(history.entries()[1].state, half_way);
        assert!(ours.down("base").await.is_err());

        let db = place.open().await;
        db.batch("CREATE TABLE later (n integer)").await.unwrap();
        ours.up("head").await.unwrap();
        let rows: i64 = db
            .query_scalar("SELECT count(*) FROM later", ())
            .await
            .unwrap();
        assert_eq!(rows, 1);
        assert_eq!(
            ours.history().await.unwrap().entries()[1].state,
            State::Done
        );
        ours.down("-1").await.unwrap();
        assert_eq!(ours.history().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_first_statement_that_fails_outside_a_transaction_leaves_no_entry() {
    for place in Place::each("first_fails") {
        let broken = "-- up no-transaction\nINSERT INTO missing VALUES (1);\n-- down\n";
        let ours = migrator(&place, &[broken]);
        let said = ours.up("head").await.unwrap_err().to_string();
        assert!(
            said.contains("No statement of this revision took effect."),
            "{said}"
        );
        assert!(ours.history().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn sections_of_both_kinds_share_a_revision() {
    for place in Place::each("both_kinds") {
        let mixed = "-- up\nCREATE TABLE a (n integer);\nINSERT INTO a VALUES (1);\n\
            -- up no-transaction\nVACUUM;\n-- up\nINSERT INTO a VALUES (2);\nINSERT INTO missing VALUES (3);\n-- down\n";
        let ours = migrator(&place, &[mixed]);
        let said = ours.up("head").await.unwrap_err().to_string();
        assert!(said.contains("3 of its 5 statements ran"), "{said}");
        let db = place.open().await;
        let rows = "SELECT count(*) FROM a";
        assert_eq!(db.query_scalar::<i64>(rows, ()).await.unwrap(), 1);
        db.batch("CREATE TABLE missing (n integer)").await.unwrap();
        ours.up("head").await.unwrap();
        assert_eq!(db.query_scalar::<i64>(rows, ()).await.unwrap(), 2);
    }
}

#[tokio::test]
async fn an_invalid_index_is_named_and_recreated() {
    for place in Place::each("invalid_index") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let unique = "-- up no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON t (a);\n-- down\n";
        let ours = migrator(&place, &[TABLE, unique]);
        ours.up("r0").await.unwrap();
        let db = place.open().await;
        db.batch("INSERT INTO t VALUES (1), (1)").await.unwrap();
        let error = ours.up("head").await.unwrap_err();
        assert_eq!(error.class(), Class::Constraint);
        let said = error.to_string();
        assert!(
            said.contains("\"public\".\"t_a\"") && said.contains("INVALID"),
            "{said}"
        );
        db.batch("DELETE FROM t").await.unwrap();
        ours.up("head").await.unwrap();
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass";
        assert!(db.query_scalar::<bool>(valid, ()).await.unwrap());
    }
}

#[tokio::test]
async fn the_error_shows_no_password() {
    for place in Place::each("password") {
        let role =
            "-- up\nCREATE ROLE underpin_nobody WITH NONSENSE PASSWORD 'hunter2';\n-- down\n";
        let error = migrator(&place, &[role]).up("head").await.unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

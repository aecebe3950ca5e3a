//! A revision is the unit of a run: its own transaction, a session as it was at its start, and a
//! success that is the state of the database.

use std::time::Duration;

use underpin::migrate::{Direction, Mode, State};
use underpin::{Class, Effect, Engine};
use underpin_testkit::{Postgres, or_skip};

use crate::migrate::migrator;
use crate::place::{InPlace, Place};

/// Where the tables of these names are.
async fn schemas_of(place: &Place, names: &str) -> Vec<String> {
    let db = place.open().await;
    let sql = "SELECT n.nspname || '.' || c.relname FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = ANY (string_to_array($1, ' ')) ORDER BY 1";
    let found = db.query_as::<(String,)>(sql, (names,)).await.unwrap();
    db.close(Duration::from_secs(5)).await.unwrap();
    found.into_iter().map(|(name,)| name).collect()
}

#[tokio::test]
async fn a_revision_does_not_see_what_another_has_set() {
    let place = Place::Postgres(or_skip!(Postgres::shared()).database("session_apart"));
    for way in 0..3 {
        let name = format!("s{way}");
        let texts = [
            format!(
                "-- up\nCREATE SCHEMA {name};\nCREATE TEMP TABLE t_{name} (wrong int);\n\
                 SET search_path = {name};\nSET my.setting = 'x';\nSET ROLE pg_monitor;\n\
                 -- down\nSELECT 1;\n"
            ),
            format!(
                "-- up\nCREATE TABLE t_{name} (a int);\n\
                 INSERT INTO t_{name} SELECT 1 WHERE current_user = session_user AND coalesce(current_setting('my.setting', true), '') = '';\n\
                 -- down\nSELECT 1;\n"
            ),
        ];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let ours = migrator(&place, &texts);
        match way {
            0 => drop(ours.up("head").await.unwrap()),
            1 => {
                ours.up("+1").await.unwrap();
                ours.up("+1").await.unwrap();
            }
            _ => drop(
                ours.clone()
                    .mode(Mode::OneTransaction)
                    .up("head")
                    .await
                    .unwrap(),
            ),
        }
        assert_eq!(
            schemas_of(&place, &format!("t_{name}")).await,
            [format!("public.t_{name}")],
            "{way}"
        );
        let db = place.open().await;
        let rows: i64 = db
            .query_scalar(&format!("SELECT count(*) FROM public.t_{name}"), ())
            .await
            .unwrap();
        assert_eq!(rows, 1, "{way}");
        db.close(Duration::from_secs(5)).await.unwrap();
        ours.down("base").await.unwrap();
    }
}

#[tokio::test]
async fn on_sqlite_a_revision_does_not_see_what_another_has_set() {
    let place = Place::each("session_apart").remove(0);
    let texts = [
        "-- up no-transaction\nPRAGMA recursive_triggers = ON;\nCREATE TEMP TABLE t (wrong int);\n-- down\n",
        "-- up\nCREATE TABLE t (a int);\nINSERT INTO main.t SELECT recursive_triggers FROM pragma_recursive_triggers;\n-- down\n",
    ];
    let ours = migrator(&place, &texts);
    ours.up("head").await.unwrap();
    let db = place.open().await;
    let set: i64 = db.query_scalar("SELECT a FROM t", ()).await.unwrap();
    assert_eq!(set, 0);
}

#[tokio::test]
async fn a_label_that_one_revision_adds_is_there_for_the_next() {
    for place in Place::each("label_used") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let texts = [
            "-- up\nCREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE t (m mood);\n-- down\n",
            "-- up\nALTER TYPE mood ADD VALUE 'ok';\n-- down\n",
            "-- up\nINSERT INTO t VALUES ('ok');\n-- down\n",
        ];
        let ours = migrator(&place, &texts);
        let together = ours.clone().mode(Mode::OneTransaction);
        let error = together.up("head").await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("55P04"), "{error}");
        assert!(
            error.to_string().contains("without --one-transaction"),
            "{error}"
        );
        assert!(ours.history().await.unwrap().is_empty());
        assert_eq!(ours.up("head").await.unwrap().revisions.len(), 3);
    }
}

#[tokio::test]
async fn what_refuses_a_transaction_says_what_to_do() {
    for place in Place::each("refuses_transaction") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let table = "-- up\nCREATE TABLE t (a int);\nCREATE TABLE u (a int PRIMARY KEY);\n\
            ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u DEFERRABLE INITIALLY DEFERRED;\n-- down\n";
        for (broken, state, advice) in [
            (
                "CREATE INDEX CONCURRENTLY i ON t (a);",
                "25001",
                "no-transaction",
            ),
            (
                "INSERT INTO t VALUES (NULL); INSERT INTO u VALUES (1); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b int;",
                "55006",
                "SET CONSTRAINTS ALL IMMEDIATE",
            ),
        ] {
            let broken = format!("-- up\n{broken}\n-- down\n");
            let error = migrator(&place, &[table, &broken])
                .up("head")
                .await
                .unwrap_err();
            assert_eq!(error.sqlstate(), Some(state), "{error}");
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
}

#[tokio::test]
async fn a_transaction_that_a_section_leaves_open_is_no_success() {
    for place in Place::each("left_open") {
        let open = "-- up no-transaction\nCREATE TABLE a (n integer);\nBEGIN;\nCREATE TABLE b (n integer);\n\
            INSERT INTO b VALUES (1);\n-- down\n";
        let ours = migrator(&place, &[open]);
        let error = ours.up("head").await.unwrap_err();
        let said = error.to_string();
        for part in [
            "r0.sql, line 6:",
            "does not end it",
            "1 of its 4 statements ran",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let history = ours.history().await.unwrap();
        let half_way = State::Partial {
            statements_done: 1,
            direction: Direction::Up,
        };
        assert_eq!(history.entries()[0].state, half_way);
        let db = place.open().await;
        db.query_scalar::<i64>("SELECT count(*) FROM a", ())
            .await
            .unwrap();
        let gone = db
            .query_scalar::<i64>("SELECT count(*) FROM b", ())
            .await
            .unwrap_err();
        assert_eq!(gone.class(), Class::Missing, "{gone}");
        db.close(Duration::from_secs(5)).await.unwrap();

        // As it should have been, it goes on with BEGIN.
        let closed = open.replace("VALUES (1);", "VALUES (1);\nCOMMIT;");
        let ours = migrator(&place, &[&closed]);
        ours.repair().await.unwrap();
        ours.up("head").await.unwrap();
        let db = place.open().await;
        let rows: i64 = db.query_scalar("SELECT count(*) FROM b", ()).await.unwrap();
        assert_eq!(rows, 1);
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn a_failure_within_a_sections_own_transaction_undoes_that() {
    for place in Place::each("own_transaction") {
        let broken = "-- up no-transaction\nCREATE TABLE a (n integer);\nBEGIN;\nINSERT INTO a VALUES (1);\n\
            INSERT INTO later VALUES (1);\nCOMMIT;\n-- down\n";
        let ours = migrator(&place, &[broken]);
        let said = ours.up("head").await.unwrap_err().to_string();
        assert!(said.contains("1 of its 5 statements ran"), "{said}");
        let db = place.open().await;
        let count = "SELECT count(*) FROM a";
        assert_eq!(db.query_scalar::<i64>(count, ()).await.unwrap(), 0);
        db.batch("CREATE TABLE later (n integer)").await.unwrap();
        ours.up("head").await.unwrap();
        assert_eq!(db.query_scalar::<i64>(count, ()).await.unwrap(), 1);
        assert_eq!(
            ours.history().await.unwrap().entries()[0].state,
            State::Done
        );
    }
}

#[tokio::test]
async fn a_corrected_revision_goes_on_only_where_it_stopped() {
    for place in Place::each("corrected") {
        let broken = "-- up no-transaction\nCREATE TABLE a (n integer);\nINSERT INTO missing VALUES (1);\n-- down\n";
        let ours = migrator(&place, &[broken]);
        ours.up("head").await.unwrap_err();
        let inserted = broken.replace(
            "CREATE TABLE a",
            "CREATE TABLE missing (n integer);\nCREATE TABLE a",
        );
        let other = migrator(&place, &[&inserted]);
        let error = other.repair().await.unwrap_err();
        assert_eq!(error.class(), Class::Config);
        let said = error.to_string();
        for part in [
            "r0.sql, line 5:",
            "statement 1 is not the one that ran",
            "behind them",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(other.up("head").await.is_err());

        let behind = broken.replace("INSERT", "CREATE TABLE missing (n integer);\nINSERT");
        let right = migrator(&place, &[&behind]);
        assert_eq!(right.repair().await.unwrap().len(), 1);
        right.up("head").await.unwrap();
        let db = place.open().await;
        let rows: i64 = db
            .query_scalar("SELECT count(*) FROM missing", ())
            .await
            .unwrap();
        assert_eq!(rows, 1);
    }
}

#[tokio::test]
async fn what_a_section_had_set_holds_when_it_goes_on() {
    for place in Place::each("goes_on_set") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let text = "-- up no-transaction\nCREATE SCHEMA other;\nSET search_path = other;\n\
            INSERT INTO public.later VALUES (1);\nCREATE TABLE t (a int);\n-- down\n";
        let ours = migrator(&place, &[text]);
        ours.up("head").await.unwrap_err();
        let db = place.open().await;
        db.batch("CREATE TABLE later (n integer)").await.unwrap();
        ours.up("head").await.unwrap();
        assert_eq!(schemas_of(&place, "t").await, ["other.t"]);
    }
}

#[tokio::test]
async fn code_that_ends_its_transaction_is_no_success() {
    for place in Place::each("code_commits") {
        for sql in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"] {
            if place.engine() == Engine::SQLITE && sql.ends_with("BEGIN") {
                continue;
            }
            let ours = migrator(&place, &["-- up code\n-- down code\n"]);
            let ours = ours
                .code(
                    "r0",
                    move |connection| async move { connection.batch(sql).await },
                    |_| async { Ok(()) },
                )
                .unwrap();
            let error = ours.up("head").await.unwrap_err();
            assert_eq!(error.class(), Class::Unsupported, "{sql}: {error}");
            assert!(
                error.to_string().contains("ended the transaction"),
                "{sql}: {error}"
            );
            assert!(ours.history().await.unwrap().is_empty(), "{sql}");
        }
        let swallows = migrator(&place, &["-- up code\n-- down code\n"]);
        let swallows = swallows
            .code(
                "r0",
                |connection| async move {
                    let _ = connection.batch("SELECT * FROM missing").await;
                    Ok(())
                },
                |_| async { Ok(()) },
            )
            .unwrap();
        // A statement that fails does not end a transaction of SQLite.
        let ran = swallows.up("head").await;
        match place.engine() {
            Engine::POSTGRES => assert_eq!(ran.unwrap_err().effect(), Effect::RolledBack),
            _ => assert_eq!(ran.unwrap().revisions.len(), 1),
        }
    }
}

#[tokio::test]
async fn rows_of_a_copy_are_put_in() {
    for place in Place::each("copied") {
        if place.engine() != Engine::POSTGRES {
            continue;
        }
        let copy = "CREATE TABLE t (a int, b text);\nCOPY t (a, b) FROM stdin;\n1\tit's; fine\n2\t\\N\n\\.\nUPDATE t SET a = a * 10;\n";
        for way in ["-- up", "-- up no-transaction"] {
            let ours = migrator(&place, &[&format!("{way}\n{copy}-- down\nDROP TABLE t;\n")]);
            ours.up("head").await.unwrap();
            let db = place.open().await;
            let rows: Vec<(i32, Option<String>)> = db
                .query_as("SELECT a, b FROM t ORDER BY a", ())
                .await
                .unwrap();
            assert_eq!(rows, [(10, Some("it's; fine".to_owned())), (20, None)]);
            db.close(Duration::from_secs(5)).await.unwrap();
            ours.down("base").await.unwrap();
        }
        let wrong = copy.replace("2\t", "two\t");
        let error = migrator(&place, &[&format!("-- up\n{wrong}-- down\n")])
            .up("head")
            .await
            .unwrap_err();
        assert!(error.to_string().contains("line 6"), "{error}");
        assert_eq!(schemas_of(&place, "t").await, [""; 0]);
    }
}

//! Migrations that succeed, on both engines.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use underpin::migrate::{
    Direction, Mode, Progress, Revision, StampChange, State, TEMPLATE, Wait, parse,
};
use underpin::migrate::{Mark, Migrator};
use underpin::{Class, Connection, Database, Engine};

use crate::place::{InPlace, Place};

/// Revisions with these sections, each following the one before.
pub(crate) fn chain(sections: &[&str]) -> Vec<Revision> {
    let mut parent = "none".to_owned();
    let revision = |(index, text): (usize, &&str)| {
        let id = format!("r{index}");
        let file =
            format!("-- revision: {id}\n-- parents: {parent}\n-- message: number {index}\n{text}");
        parent = id.clone();
        parse(&format!("revisions/{id}.sql"), file.as_bytes()).expect("the revision is sound")
    };
    sections.iter().enumerate().map(revision).collect()
}

pub(crate) fn migrator(place: &Place, sections: &[&str]) -> Migrator {
    Migrator::new(place.url())
        .unwrap()
        .revisions(chain(sections))
        .lock_retries(2, Duration::from_millis(20))
}

/// Tables that refer to one another, an index, and a trigger if the engine has them.
const SHOP: [&str; 4] = [
    "-- up\nCREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL UNIQUE);\n\
     -- down\nDROP TABLE users;\n",
    "-- up\nCREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id), total numeric(10,2) CHECK (total >= 0));\n\
     CREATE INDEX orders_user ON orders (user_id);\n\
     -- down\nDROP TABLE orders;\n",
    "-- up postgres\nCREATE FUNCTION one() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;\n\
     -- up sqlite\nCREATE TRIGGER orders_only AFTER DELETE ON orders BEGIN SELECT 1; SELECT 2; END;\n\
     -- down postgres\nDROP FUNCTION one();\n-- down sqlite\nDROP TRIGGER orders_only;\n",
    "-- up\nINSERT INTO users VALUES (1, 'ada@example.com');\n-- down\nDELETE FROM users;\n",
];

/// The schema as the engine itself reports it, including the history's table.
pub(crate) async fn schema(db: &Database) -> Vec<String> {
    let sql = match db.engine() {
        Engine::SQLITE => {
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1"
        }
        _ => {
            "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
               FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
               FROM pg_constraint WHERE connamespace = 'public'::regnamespace
             UNION ALL SELECT 'routine ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
             ORDER BY 1"
        }
    };
    let rows = db.query(sql, ()).await.unwrap();
    rows.iter().map(|row| row.values()[0].to_string()).collect()
}

#[tokio::test]
async fn up_down_base_and_up_leave_the_same_schema() {
    for place in Place::each("up_down_up") {
        for mode in [Mode::OneTransaction, Mode::PerRevision] {
            let migrator = migrator(&place, &SHOP).mode(mode);
            let report = migrator.up("head").await.unwrap();
            assert_eq!(report.revisions.len(), 4);
            let db = place.open().await;
            let first = schema(&db).await;
            assert!(first.len() >= 7, "{first:#?}");
            assert_eq!(migrator.up("head").await.unwrap().revisions, []);
            assert_eq!(migrator.validate().await.unwrap(), []);
            assert_eq!(migrator.current().await.unwrap()[0].as_str(), "r3");

            let down = migrator.down("base").await.unwrap();
            let ids: Vec<&str> = down.revisions.iter().map(|id| id.as_str()).collect();
            assert_eq!(ids, ["r3", "r2", "r1", "r0"]);
            assert!(migrator.history().await.unwrap().is_empty());
            let bare = schema(&db).await;
            assert!(
                bare.iter().all(|line| line.contains("underpin_migrations")),
                "{bare:#?}"
            );

            migrator.up("head").await.unwrap();
            assert_eq!(schema(&db).await, first);
            migrator.down("base").await.unwrap();
            db.close(Duration::from_secs(5)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn targets_lead_where_they_say() {
    for place in Place::each("targets") {
        let migrator = migrator(&place, &SHOP);
        let ran = |report: underpin::migrate::Report| report.revisions.len();
        assert_eq!(ran(migrator.up("+1").await.unwrap()), 1);
        assert_eq!(ran(migrator.up("r2").await.unwrap()), 2);
        assert_eq!(migrator.pending().await.unwrap()[0].id.as_str(), "r3");
        assert_eq!(migrator.plan("head").await.unwrap().len(), 1);
        assert_eq!(
            migrator.plan("r0").await.unwrap().steps[0].direction,
            Direction::Down
        );
        assert_eq!(ran(migrator.down("-1").await.unwrap()), 1);
        assert_eq!(ran(migrator.down("r0").await.unwrap()), 1);
        let marks: Vec<Mark> = migrator
            .outline()
            .await
            .unwrap()
            .iter()
            .map(|e| e.mark)
            .collect();
        assert_eq!(
            marks,
            [Mark::Applied, Mark::Pending, Mark::Pending, Mark::Pending]
        );
        let error = migrator.up("r9").await.unwrap_err();
        assert_eq!(error.class(), Class::Config, "{error}");
    }
}

#[tokio::test]
async fn asking_changes_nothing() {
    for place in Place::each("asking") {
        let migrator = migrator(&place, &SHOP);
        assert_eq!(migrator.pending().await.unwrap().len(), 4);
        assert_eq!(migrator.current().await.unwrap(), []);
        assert_eq!(migrator.plan("head").await.unwrap().len(), 4);
        assert_eq!(migrator.validate().await.unwrap(), []);
        match &place {
            Place::Sqlite(file) => assert!(!file.path().exists(), "no file is made"),
            Place::Postgres(_) => {
                let db = place.open().await;
                assert_eq!(schema(&db).await, Vec::<String>::new());
            }
        }
    }
}

#[tokio::test]
async fn the_history_says_what_ran_and_when() {
    for place in Place::each("history") {
        let migrator = migrator(&place, &SHOP);
        migrator.up("head").await.unwrap();
        let history = migrator.history().await.unwrap();
        let graph = migrator.graph().unwrap();
        assert_eq!(history.len(), 4);
        for (entry, revision) in history.entries().iter().zip(graph.topological()) {
            assert_eq!(
                (&entry.id, entry.checksum),
                (&revision.id, revision.checksum)
            );
            assert_eq!(entry.message.as_deref(), Some(revision.message.as_str()));
            assert_eq!(entry.state, State::Done);
            assert_eq!(entry.version, env!("CARGO_PKG_VERSION"));
            assert!(
                entry.applied_at.to_string().starts_with("20"),
                "{}",
                entry.applied_at
            );
        }
    }
}

#[tokio::test]
async fn baseline_and_repair_exist() {
    for place in Place::each("baseline") {
        let db = place.open().await;
        db.batch("CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL UNIQUE)")
            .await
            .unwrap();
        let ours = migrator(&place, &SHOP);
        // An existing schema is adopted without running the revision.
        let stamped = ours.stamp("r0").await.unwrap();
        assert!(matches!(&stamped[..], [StampChange::Add { id, .. }] if id.as_str() == "r0"));
        assert_eq!(ours.up("head").await.unwrap().revisions.len(), 3);

        let mut changed = SHOP;
        let other = SHOP[1].replace("total >= 0", "total > 0");
        changed[1] = &other;
        let changed = migrator(&place, &changed);
        let error = changed.up("head").await.unwrap_err();
        assert_eq!(error.class(), Class::Config);
        assert!(error.to_string().contains("repair"), "{error}");
        assert!(changed.validate().await.unwrap()[0].blocks());
        let repairs = changed.repair().await.unwrap();
        assert_eq!((repairs.len(), repairs[0].id.as_str()), (1, "r1"));
        assert_ne!(repairs[0].recorded, repairs[0].now);
        assert_eq!(changed.validate().await.unwrap(), []);
        assert_eq!(changed.repair().await.unwrap(), []);
        assert_eq!(changed.stamp("base").await.unwrap().len(), 4);
        assert!(changed.history().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_revision_is_rust_code() {
    for place in Place::each("code") {
        let revisions = [SHOP[0], "-- up code\n-- down code\n"];
        let without = migrator(&place, &revisions);
        let error = without.up("head").await.unwrap_err();
        assert!(error.to_string().contains("`r1` is Rust code"), "{error}");
        let with = without
            .code(
                "r1",
                async |step| {
                    let mail = ("ada@example.com",);
                    step.execute("INSERT INTO users VALUES (1, $1)", mail)
                        .await?;
                    Ok(())
                },
                async |step| step.execute("DELETE FROM users", ()).await.map(drop),
            )
            .unwrap();
        with.up("head").await.unwrap();
        let db = place.open().await;
        let users = "SELECT count(*) FROM users";
        assert_eq!(db.query_scalar::<i64>(users, ()).await.unwrap(), 1);
        with.down("-1").await.unwrap();
        assert_eq!(db.query_scalar::<i64>(users, ()).await.unwrap(), 0);

        let failing = with
            .code(
                "r1",
                async |step| {
                    step.execute("INSERT INTO users VALUES (1, 'x')", ())
                        .await?;
                    step.execute("INSERT INTO users VALUES (1, 'x')", ())
                        .await
                        .map(drop)
                },
                async |_| Ok(()),
            )
            .unwrap();
        let error = failing.up("head").await.unwrap_err();
        assert!(error.to_string().contains("code of revision r1"), "{error}");
        assert_eq!(error.class(), Class::Constraint);
        assert_eq!(db.query_scalar::<i64>(users, ()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_database_in_memory_lends_its_connection() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    let migrator = Migrator::of(&db).revisions(chain(&SHOP));
    migrator.up("head").await.unwrap();
    assert_eq!(migrator.pending().await.unwrap(), []);
    let refused = db.execute("INSERT INTO orders VALUES (1, 99, 1)", ()).await;
    assert_eq!(refused.unwrap_err().class(), Class::Constraint);
    let error = Migrator::new("sqlite::memory:")
        .unwrap()
        .up("head")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("Migrator::of"), "{error}");
}

#[tokio::test]
async fn a_sqlite_table_that_others_refer_to_is_rebuilt() {
    let file = underpin_testkit::SqliteFile::new();
    let place = Place::Sqlite(file);
    let rebuild = "-- up sqlite\nCREATE TABLE users_new (id integer PRIMARY KEY, email text NOT NULL UNIQUE, name text);\n\
        INSERT INTO users_new SELECT id, email, NULL FROM users;\nDROP TABLE users;\n\
        ALTER TABLE users_new RENAME TO users;\n-- down\n";
    let fill =
        "-- up\nINSERT INTO users VALUES (1, 'a'); INSERT INTO orders VALUES (1, 1, 5);\n-- down\n";
    migrator(&place, &[SHOP[0], SHOP[1], fill, rebuild])
        .up("head")
        .await
        .unwrap();
    let db = place.open().await;
    let orders: i64 = db
        .query_scalar("SELECT count(*) FROM orders", ())
        .await
        .unwrap();
    assert_eq!(orders, 1);

    let orphans = "-- up\nDELETE FROM users;\n-- down\n";
    let error = migrator(&place, &[SHOP[0], SHOP[1], fill, rebuild, orphans])
        .up("head")
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Constraint);
    assert!(error.to_string().contains("\"orders\""), "{error}");
    let users: i64 = db
        .query_scalar("SELECT count(*) FROM users", ())
        .await
        .unwrap();
    assert_eq!(users, 1);
    let connection = Connection::connect(place.url()).await.unwrap();
    let guarded: i64 = connection
        .query_scalar("PRAGMA foreign_keys", ())
        .await
        .unwrap();
    assert_eq!(guarded, 1);
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Progress for Told {
    fn begun(&self, revision: &Revision, _: Direction, number: usize, of: usize) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{} {number}/{of}", revision.id));
    }

    fn done(&self, revision: &Revision, _: Direction, _: Duration) {
        self.0.lock().unwrap().push(format!("{} done", revision.id));
    }

    fn waiting(&self, wait: &Wait) {
        self.0.lock().unwrap().push(wait.what_for.to_owned());
    }
}

#[tokio::test]
async fn progress_is_told() {
    for place in Place::each("progress") {
        let told = Told::default();
        migrator(&place, &SHOP[..2])
            .progress(told.clone())
            .up("head")
            .await
            .unwrap();
        let lines = told.0.lock().unwrap().clone();
        assert_eq!(lines, ["r0 1/2", "r0 done", "r1 2/2", "r1 done"]);
    }
}

#[test]
fn the_template_has_the_places_of_a_revision() {
    for place in ["{id}", "{parents}", "{message}", "{up}", "{down}"] {
        assert!(TEMPLATE.contains(place), "{place}");
    }
}

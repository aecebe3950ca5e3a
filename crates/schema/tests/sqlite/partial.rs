//! A plan of fewer changes than there are.

use underpin::schema::{Change, Hints, diff, sqlite};
use underpin_testkit::SqliteFile;

use crate::plan::carry_out;
use crate::round_trip::{connect, read};

const BEFORE: &str = "
CREATE TABLE a (id INTEGER PRIMARY KEY);
CREATE TABLE b (id INTEGER PRIMARY KEY);
CREATE TABLE old (id INTEGER PRIMARY KEY);
";

const AFTER: &str = "
CREATE TABLE a (id INTEGER PRIMARY KEY, x INT);
CREATE TABLE b (id INTEGER PRIMARY KEY, x INT, y INT);
CREATE TABLE new (id INTEGER PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM new;
";

#[tokio::test]
async fn what_is_not_among_the_changes_stays() {
    let (place, target) = (SqliteFile::new(), SqliteFile::new());
    let (db, other) = (connect(&place).await, connect(&target).await);
    db.batch(BEFORE).await.unwrap();
    other.batch(AFTER).await.unwrap();
    let (from, to) = (read(&db).await, read(&other).await);

    let mut part = diff(&from, &to, &Hints::default());
    let all = part.changes.len();
    let kept = |change: &Change| {
        let said = change.to_string();
        !said.contains("main.b") && !said.contains("main.old") && !said.contains("main.v")
    };
    part.changes.retain(kept);
    assert_eq!((all, part.changes.len()), (6, 2));
    let plan = sqlite::plan(&from, &to, &part).unwrap();
    carry_out(&db, plan.up()).await.unwrap();
    let there = read(&db).await;
    let left = diff(&there, &to, &Hints::default());
    assert_eq!(left.changes.len(), all - part.changes.len());
    assert!(!left.changes.iter().any(kept), "{:?}", left.changes);
}

#[tokio::test]
async fn a_table_is_not_changed_in_part() {
    let (place, target) = (SqliteFile::new(), SqliteFile::new());
    let (db, other) = (connect(&place).await, connect(&target).await);
    db.batch(BEFORE).await.unwrap();
    other.batch(AFTER).await.unwrap();
    let (from, to) = (read(&db).await, read(&other).await);
    let mut part = diff(&from, &to, &Hints::default());
    part.changes
        .retain(|change| change.to_string() != "Add column main.b.y");
    let plan = sqlite::plan(&from, &to, &part).unwrap();
    assert!(plan.steps.is_empty());
    let error = plan.check(true).unwrap_err().to_string();
    assert!(
        error.contains("Of the changes of main.b only some"),
        "{error}"
    );
}

//! Times in a form of earlier versions are named, rewritten, and the same for SQLite's functions.

use underpin::sqlite::rusqlite::Connection;

use crate::place::{Held, Place};

/// A table as an earlier version has filled it: by its defaults, by given values.
const OLD: &str =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, local TEXT, note TEXT, n INTEGER);
    INSERT INTO t VALUES
        (1, '2026-11-30 07:51:27.991+00', '2026-11-30 07:51:27.991', 'a+00', 1),
        (2, '2026-11-30 07:51:27.99+00', '2026-11-30 07:51:27.99', '2026-11-30', 2),
        (3, '2026-11-30 07:51:27+00', '2026-11-30 07:51:27', NULL, 3),
        (4, '2026-11-30 07:51:27.000+00', '2026-11-30 07:51:27.12345', '07:51+00', 4),
        (5, '2026-11-30 07:51:27.123456+00', '2026-11-30 07:51:27.1', '', 5),
        (6, NULL, NULL, '2026-11-30 07:51:27.5 o''clock', 6)";

const NEW: [[Option<&str>; 2]; 6] = [
    [
        Some("2026-11-30 07:51:27.991"),
        Some("2026-11-30 07:51:27.991"),
    ],
    [
        Some("2026-11-30 07:51:27.990"),
        Some("2026-11-30 07:51:27.990"),
    ],
    [Some("2026-11-30 07:51:27"), Some("2026-11-30 07:51:27")],
    [
        Some("2026-11-30 07:51:27"),
        Some("2026-11-30 07:51:27.123450"),
    ],
    [
        Some("2026-11-30 07:51:27.123456"),
        Some("2026-11-30 07:51:27.100"),
    ],
    [None, None],
];

#[tokio::test]
async fn times_in_an_old_form_are_named_and_rewritten() {
    let place = Place::on_sqlite();
    place.batch(OLD).await;
    place.write("same.sql", OLD.split_once(';').unwrap().0);
    let validate = || place.run(&["schema", "validate", "same.sql", "--format", "csv"]);
    let said = validate();
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("old form,5 times in column t.at"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("old form,3 times in column t.local"),
        "{}",
        said.out
    );
    assert_eq!(said.out.lines().count(), 3, "{}", said.out);
    let dry = place.run(&["schema", "rewrite-times", "--dry-run", "--format", "csv"]);
    assert_eq!(dry.out, "column,old times\nt.at,5\nt.local,3\n");
    assert_eq!(validate().code, 1);
    let rewritten = place.run(&["schema", "rewrite-times", "--format", "csv"]);
    assert_eq!(rewritten.out, "column,rewritten\nt.at,5\nt.local,3\n");
    assert_eq!(validate().code, 0);
    let again = place.run(&["schema", "rewrite-times"]);
    assert_eq!(again.out, "All times are already in the current form.\n");

    let Held::Sqlite(file) = place.held() else {
        unreachable!("it is on SQLite");
    };
    let other = Connection::open(file.path()).unwrap();
    let mut found = other
        .prepare("SELECT at, local, date(at) FROM t ORDER BY id")
        .unwrap();
    let found: Vec<(Option<String>, Option<String>, Option<String>)> = found
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for ((at, local, date), [new_at, new_local]) in found.iter().zip(NEW) {
        assert_eq!((at.as_deref(), local.as_deref()), (new_at, new_local));
        assert_eq!(date.as_deref(), new_at.map(|at| &at[..10]));
    }
    let notes: String = other
        .query_row(
            "SELECT group_concat(coalesce(note, '-'), '|') FROM (SELECT note FROM t ORDER BY id)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(
        notes,
        "a+00|2026-11-30|-|07:51+00||2026-11-30 07:51:27.5 o'clock"
    );
}

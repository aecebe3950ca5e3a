//! Create, read, dump, create elsewhere, read: the same.

use underpin::Database;
use underpin::schema::{Schema, Selection, introspect, postgres};
use underpin_testkit::{Postgres, skip};

/// Gives the schema that was read, once it came back the same; none where there is no server.
pub(crate) async fn round_trip(name: &str, sql: &str) -> Option<Schema> {
    let server = match Postgres::shared() {
        Ok(server) => server,
        Err(reason) => {
            skip::report(name, reason);
            return None;
        }
    };
    let (first, second) = (server.database(name), server.database(name));
    let db = Database::connect(first.url()).await.unwrap();
    if let Err(error) = db.batch(sql).await {
        panic!("{name}: {error}\n{sql}");
    }
    let read = introspect(&db, &Selection::default()).await.unwrap();
    let statements = postgres::dump(&read).unwrap();
    let elsewhere = Database::connect(second.url()).await.unwrap();
    let lease = elsewhere.acquire().await.unwrap();
    for statement in &statements {
        if let Err(error) = lease.batch(statement).await {
            panic!(
                "{name}: {error}\n{statement}\nof\n{}",
                statements.join(";\n")
            );
        }
    }
    let again = introspect(&elsewhere, &Selection::default()).await.unwrap();
    assert_same(name, &read, &again, &statements);
    assert_eq!(postgres::dump(&again).unwrap(), statements, "{name}");
    Some(read)
}

/// As lines of JSON, so that a failure shows what differs and not two whole schemas.
fn assert_same(name: &str, left: &Schema, right: &Schema, statements: &[String]) {
    if left == right {
        return;
    }
    let [left, right] = [left, right].map(|of| serde_json::to_string_pretty(of).unwrap());
    let mut place = Vec::new();
    for (at, (l, r)) in left.lines().zip(right.lines()).enumerate() {
        if l != r {
            let from = at.saturating_sub(12);
            place = left
                .lines()
                .skip(from)
                .take(18)
                .map(|line| format!("< {line}"))
                .collect();
            place.extend(
                right
                    .lines()
                    .skip(from)
                    .take(18)
                    .map(|line| format!("> {line}")),
            );
            break;
        }
    }
    panic!(
        "{name}: what came back differs.\n{}\nafter\n{}",
        place.join("\n"),
        statements.join(";\n")
    );
}

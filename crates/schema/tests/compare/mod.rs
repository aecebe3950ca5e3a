//! Databases made by statements, and schemas held against one another.

use underpin::schema::Schema;
use underpin::{Config, Database};

/// With no more connections than are asked for.
pub(crate) async fn open(url: &str) -> Database {
    let config = Config::from_url(url).unwrap().to_builder();
    let config = config.pool_min_size(0).build().unwrap();
    Database::connect(config).await.unwrap()
}

/// Runs the statements on one connection.
pub(crate) async fn apply(db: &Database, name: &str, statements: &[String]) {
    let lease = db.acquire().await.unwrap();
    for statement in statements {
        if let Err(error) = lease.batch(statement).await {
            panic!(
                "{name}: {error}\n{statement}\nof\n{}",
                statements.join(";\n")
            );
        }
    }
}

/// As lines of JSON, so that a failure shows what differs and not two whole schemas.
pub(crate) fn assert_same(name: &str, left: &Schema, right: &Schema, statements: &[String]) {
    if left == right {
        return;
    }
    let [left, right] = [left, right].map(|of| serde_json::to_string_pretty(of).unwrap());
    let lines = || left.lines().zip(right.lines());
    let at = lines().position(|(l, r)| l != r).unwrap_or_default();
    let around = |text: &str, sign: &str| {
        let lines = text.lines().skip(at.saturating_sub(12)).take(18);
        lines
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    panic!(
        "{name}: what came back differs.\n{}\n{}\nafter\n{}",
        around(&left, "<"),
        around(&right, ">"),
        statements.join(";\n")
    );
}

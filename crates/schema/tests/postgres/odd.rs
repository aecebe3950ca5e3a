//! The odd cases, written by hand.

use underpin_testkit::{Postgres, or_skip};

use crate::round_trip::{connect, round_trip};

/// The script without what a server of this version does not know.
fn script(version: i32) -> String {
    let mut sql = include_str!("odd.sql").to_owned();
    if version < 150_000 {
        sql = sql.replace(" NULLS NOT DISTINCT", "");
        sql = sql.replace("ON DELETE SET NULL (y)", "ON DELETE SET NULL");
    }
    if version < 140_000 {
        let (text, older) = (
            "BEGIN ATOMIC SELECT count(*) FROM mv; END",
            "AS 'SELECT count(*) FROM mv'",
        );
        sql = sql.replace(text, older);
    }
    sql
}

#[tokio::test]
async fn everything_odd_comes_back() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("odd");
    let version = "SELECT current_setting('server_version_num')::int4";
    let version: i32 = connect(&place)
        .await
        .query_scalar(version, ())
        .await
        .unwrap();
    let schema = round_trip("odd", &script(version)).await.unwrap();
    assert_eq!(schema.unsupported.len(), 0);
}

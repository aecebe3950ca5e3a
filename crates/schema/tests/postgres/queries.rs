//! What it costs to read a schema.

use underpin::schema::{Selection, introspect};
use underpin_testkit::{Postgres, or_skip};

use crate::round_trip::connect;

#[tokio::test]
async fn many_tables_are_read_in_as_many_queries_as_none() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("queries");
    let db = connect(&place).await;
    let mut asked = Vec::new();
    for tables in [0, 50] {
        let sql: String = (0..tables)
            .map(|n| {
                format!(
                    "CREATE TABLE t{n} (id serial PRIMARY KEY, up int REFERENCES t{n}, CHECK (up > 0));
                     CREATE INDEX ON t{n} (up); CREATE VIEW v{n} AS SELECT id FROM t{n};"
                )
            })
            .collect();
        db.batch(&sql).await.unwrap();
        let before = db.metrics().total_queries;
        let schema = introspect(&db, &Selection::default()).await.unwrap();
        assert_eq!((schema.tables.len(), schema.views.len()), (tables, tables));
        asked.push(db.metrics().total_queries - before);
    }
    // One prepares the session.
    assert_eq!(asked, [15, 15]);
}

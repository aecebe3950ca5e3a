//! What only PostgreSQL 18 has.

use std::time::Duration;

use underpin::schema::{Selection, introspect, postgres};
use underpin_testkit::{Postgres, or_skip};

use crate::beside::{assert_same_dump, there_and_back};
use crate::round_trip::{apply, connect, round_trip};

const SQL: &str = "
CREATE TABLE up (id int PRIMARY KEY);
CREATE TABLE t (id int CONSTRAINT named NOT NULL, b int NOT NULL, c int CONSTRAINT alone NOT NULL NO INHERIT, d int, e int);
COMMENT ON CONSTRAINT named ON t IS 'why';
ALTER TABLE t ADD CONSTRAINT later NOT NULL d NOT VALID;
ALTER TABLE t ADD CONSTRAINT soft CHECK (b > 0) NOT ENFORCED;
ALTER TABLE t ADD CONSTRAINT points FOREIGN KEY (b) REFERENCES up NOT ENFORCED;
CREATE TABLE rooms (room int4range, during daterange, CONSTRAINT rooms_pkey PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE lots (lot int4range, during daterange, CONSTRAINT once UNIQUE (lot, during WITHOUT OVERLAPS));
CREATE TABLE uses (room int4range, during daterange,
  CONSTRAINT of_room FOREIGN KEY (room, PERIOD during) REFERENCES rooms (room, PERIOD during));
CREATE TABLE made (a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL, thrice int GENERATED ALWAYS AS (a * 3) STORED);
CREATE TABLE p (a int CONSTRAINT of_p NOT NULL) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE child (f int CONSTRAINT of_child NOT NULL) INHERITS (t);
CREATE TABLE above (id int CONSTRAINT of_above NOT NULL, b int NOT NULL, g int);
CREATE TABLE keyed (g int DEFAULT 3) INHERITS (above);
ALTER TABLE keyed ADD PRIMARY KEY (id);
CREATE TABLE keyed_itself (PRIMARY KEY (id)) INHERITS (above);
CREATE TABLE with_default (b int DEFAULT 5) INHERITS (above);
CREATE TABLE unchecked () INHERITS (above);
ALTER TABLE above ADD CONSTRAINT after NOT NULL g NOT VALID;
CREATE TABLE checked () INHERITS (above);
";

const CHANGES: &[&str] = &[
    "ALTER TABLE t RENAME CONSTRAINT named TO other",
    "COMMENT ON CONSTRAINT named ON t IS 'other'",
    "COMMENT ON CONSTRAINT named ON t IS NULL",
    "ALTER TABLE t VALIDATE CONSTRAINT later",
    "ALTER TABLE t ALTER id DROP NOT NULL",
    "ALTER TABLE t ADD CONSTRAINT own NOT NULL e",
    "ALTER TABLE up ADD x int; ALTER TABLE up ADD CONSTRAINT late NOT NULL x NOT VALID",
    "ALTER TABLE t DROP CONSTRAINT soft; ALTER TABLE t ADD CONSTRAINT soft CHECK (b > 0)",
    "ALTER TABLE t ALTER CONSTRAINT points ENFORCED",
    "ALTER TABLE t DROP CONSTRAINT points",
    "ALTER TABLE uses DROP CONSTRAINT of_room; ALTER TABLE lots DROP CONSTRAINT once",
    "ALTER TABLE made DROP twice; ALTER TABLE made ADD twice int GENERATED ALWAYS AS (a * 4) VIRTUAL",
];

#[tokio::test]
async fn what_18_has_is_read_and_comes_back_and_leads_there_and_back() {
    let server = or_skip!(Postgres::shared());
    let first = server.database("later");
    let db = connect(&first).await;
    let version = "SELECT current_setting('server_version_num')::int4";
    let version: i32 = db.query_scalar(version, ()).await.unwrap();
    if version < 180_000 {
        return;
    }
    let schema = round_trip("later", SQL).await.unwrap();
    let elsewhere = server.database("later");
    let other = connect(&elsewhere).await;
    apply(&other, "later", &postgres::dump(&schema).unwrap()).await;
    assert!(schema.unsupported.is_empty(), "{:?}", schema.unsupported);
    db.batch(SQL).await.unwrap();
    assert_same_dump("later", version, &first, &elsewhere);
    db.close(Duration::from_secs(5)).await.unwrap();
    let start = server.database_like("later_from", &first);
    let db = connect(&start).await;
    let was = introspect(&db, &Selection::default()).await.unwrap();
    let mut wrong = Vec::new();
    for change in CHANGES {
        let second = server.database_like("later_to", &first);
        let other = connect(&second).await;
        if let Err(error) = other.batch(change).await {
            wrong.push(format!("{change}: {error}"));
            continue;
        }
        let to = introspect(&other, &Selection::default()).await.unwrap();
        if let Err(what) = there_and_back(&db, (&was, &to)).await {
            wrong.push(format!("{change}: {what}"));
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

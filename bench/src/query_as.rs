use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use underpin::{Database, FromRow};
use uuid::Uuid;

use crate::measure::{Report, in_turns};
use crate::server::Server;

/// A row of twelve columns of mixed types.
#[derive(Debug, PartialEq, FromRow)]
struct Order {
    id: i64,
    small: i16,
    quantity: i32,
    price: Decimal,
    weight: f64,
    paid: bool,
    customer: String,
    note: Option<String>,
    ordered: NaiveDate,
    changed: DateTime<Utc>,
    token: Uuid,
    payload: Vec<u8>,
}

const TABLE: &str = "CREATE TABLE orders AS SELECT
    n::int8 AS id, (n % 1000)::int2 AS small, (n * 7)::int4 AS quantity,
    (n * 1.25)::numeric(12, 2) AS price, n / 3.0::float8 AS weight, n % 2 = 0 AS paid,
    'customer number ' || n AS customer, CASE WHEN n % 3 = 0 THEN 'note ' || n END AS note,
    date '2020-01-01' + (n % 2000)::int AS ordered,
    timestamptz '2020-01-01 00:00:00Z' + n * interval '1 second' AS changed,
    md5(n::text)::uuid AS token, decode(md5(n::text), 'hex') AS payload
    FROM generate_series(1, ROWS) AS n";

const ALL: &str = "SELECT id, small, quantity, price, weight, paid, customer, note, ordered,
    changed, token, payload FROM orders";

pub(crate) async fn postgres(server: &Server, rows: u32, report: &mut Report) {
    let ours = server.ours().await;
    let peer = server.client().await;
    peer.batch_execute(&TABLE.replace("ROWS", &rows.to_string()))
        .await
        .unwrap();
    peer.batch_execute("VACUUM ANALYZE orders").await.unwrap();
    let statement = peer.prepare(ALL).await.unwrap();
    let by_hand = || async {
        let rows = peer.query(&statement, &[]).await.unwrap();
        let orders: Vec<Order> = rows
            .iter()
            .map(|row| Order {
                id: row.get(0),
                small: row.get(1),
                quantity: row.get(2),
                price: row.get(3),
                weight: row.get(4),
                paid: row.get(5),
                customer: row.get(6),
                note: row.get(7),
                ordered: row.get(8),
                changed: row.get(9),
                token: row.get(10),
                payload: row.get(11),
            })
            .collect();
        orders
    };
    let by_name = || async { ours.query_as::<Order>(ALL, ()).await.unwrap() };
    assert_eq!(by_hand().await, by_name().await);
    let pair = in_turns(9, by_name, by_hand).await;
    let what = format!("query_as, {rows} rows × 12, PostgreSQL");
    report.add(what, "tokio-postgres, read by hand", 1, &pair, Some(0.9));
}

#[derive(Debug, PartialEq, FromRow)]
struct Stored {
    id: i64,
    small: i16,
    quantity: i32,
    price: f64,
    weight: f64,
    paid: bool,
    customer: String,
    note: Option<String>,
    ordered: String,
    changed: String,
    token: Vec<u8>,
    payload: Vec<u8>,
}

const STORED: &str = "CREATE TABLE orders AS WITH RECURSIVE numbers(n) AS
    (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ROWS)
    SELECT n AS id, n % 1000 AS small, n * 7 AS quantity, n * 1.25 AS price, n / 3.0 AS weight,
    n % 2 = 0 AS paid, 'customer number ' || n AS customer,
    CASE WHEN n % 3 = 0 THEN 'note ' || n END AS note,
    date('2020-01-01', (n % 2000) || ' days') AS ordered,
    datetime('2020-01-01', n || ' seconds') AS changed,
    randomblob(16) AS token, randomblob(16) AS payload FROM numbers";

pub(crate) async fn sqlite(rows: u32, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.db");
    let ours = Database::connect(format!("sqlite:///{}?mode=rwc", path.display()))
        .await
        .unwrap();
    ours.batch(&STORED.replace("ROWS", &rows.to_string()))
        .await
        .unwrap();
    let peer = rusqlite::Connection::open(&path).unwrap();
    let by_hand = || async {
        let mut statement = peer.prepare_cached(ALL).unwrap();
        let orders: Vec<Stored> = statement
            .query_map([], |row| {
                Ok(Stored {
                    id: row.get(0)?,
                    small: row.get(1)?,
                    quantity: row.get(2)?,
                    price: row.get(3)?,
                    weight: row.get(4)?,
                    paid: row.get(5)?,
                    customer: row.get(6)?,
                    note: row.get(7)?,
                    ordered: row.get(8)?,
                    changed: row.get(9)?,
                    token: row.get(10)?,
                    payload: row.get(11)?,
                })
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        orders
    };
    let by_name = || async { ours.query_as::<Stored>(ALL, ()).await.unwrap() };
    assert_eq!(by_hand().await, by_name().await);
    let pair = in_turns(9, by_name, by_hand).await;
    let what = format!("query_as, {rows} rows × 12, SQLite");
    report.add(what, "rusqlite, read by hand", 1, &pair, Some(0.9));
}

use underpin::Database;
use underpin::schema::{Selection, introspect};
use underpin_testkit::{Postgres, or_skip};

#[tokio::test]
async fn smoke() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("smoke");
    let db = Database::connect(place.url()).await.unwrap();
    db.batch(include_str!("odd.sql")).await.unwrap();
    let schema = introspect(&db, &Selection::default()).await.unwrap();
    println!("{}", serde_json::to_string_pretty(&schema).unwrap());
}

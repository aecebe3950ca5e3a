//! The README's examples, compiled as they stand there. They are not run: they name hosts
//! and tables that are not here; the other tests run the same calls.

#![allow(unused, reason = "examples show what can be had and use little of it")]

use std::time::Duration;

use underpin::{Database, FromRow, Result};

#[derive(FromRow)]
struct User {
    id: i32,
    email: String,
    full_name: Option<String>,
}

#[rustfmt::skip]
async fn example_1() -> Result<()> {
    use std::time::Duration;
    use underpin::{Database, FromRow};

    #[derive(FromRow)]
    struct User { id: i32, email: String, full_name: Option<String> }

    let db = Database::connect("postgres://app@db1,db2,db3/shop").await?;   // or Database::from_env()

    let users: Vec<User> =
        db.query_as("SELECT id, email, full_name FROM users WHERE is_active = $1", (true,)).await?;
    let count: i64 = db.query_scalar("SELECT count(*) FROM users", ()).await?;
    let one: Option<User> = db.query_optional("SELECT * FROM users WHERE id = $1", (7,)).await?;
    let changed: u64 = db.execute("UPDATE users SET is_active = $1 WHERE id = $2", (false, 7)).await?;

    let mut rows = db.query_stream::<User>("SELECT * FROM users", ()).await?;   // bounded memory
    while let Some(user) = rows.next().await { println!("{}", user?.email); }

    db.close(Duration::from_secs(10)).await?;   // drains, and says who still held a connection
    Ok(())
}

#[rustfmt::skip]
async fn example_2(db: Database) -> Result<()> {
    let rows = (0..1_000_000).map(|n| (n, format!("item {n}")));
    db.bulk_insert("shop.items", &["id", "name"], rows).await?;   // COPY on PostgreSQL; all or none
    Ok(())
}

#[rustfmt::skip]
async fn example_3(db: Database) -> Result<()> {
    use underpin::Isolation;

    db.transaction(async |tx| {
        tx.execute("UPDATE accounts SET balance = balance - $1 WHERE id = $2", (10, 1)).await?;
        tx.execute("UPDATE accounts SET balance = balance + $1 WHERE id = $2", (10, 2)).await
    }).await?;                                     // committed on Ok, rolled back on Err or panic

    db.isolation(Isolation::Serializable).retry()  // run again after a conflict, only where asked
        .transaction(async |tx| tx.execute("…", ()).await).await?;

    let tx = db.begin().await?;                    // or end it yourself; dropped, it rolls back
    let inner = tx.savepoint().await?;
    inner.rollback().await?;
    tx.commit().await?;
    Ok(())
}

#[rustfmt::skip]
async fn example_4(db: Database) -> Result<()> {
    use underpin::{Class, Effect};

    if let Err(error) = db.execute("INSERT INTO users (email) VALUES ($1)", ("ada@example.com",)).await {
        match (error.class(), error.effect()) {
            (Class::Constraint, _) => println!("{:?} forbids it", error.constraint()),
            (_, Effect::NotSent | Effect::RolledBack) => println!("nothing happened: {error}"),
            (_, Effect::Applied) => println!("it took hold, then something failed: {error}"),
            (_, Effect::Unknown) => println!("it may have taken hold: {error}"),
        }
    }
    Ok(())
}

#[rustfmt::skip]
async fn example_5(db: Database) -> Result<()> {
    let recent: Vec<User> = db.read().deadline(Duration::from_millis(200))
        .query_as("SELECT * FROM users ORDER BY id DESC LIMIT 10", ()).await?;
    db.idempotent().execute("UPDATE users SET seen = true WHERE id = $1", (7,)).await?;
    Ok(())
}

#[rustfmt::skip]
async fn the_pool(db: Database) -> Result<()> {
    use underpin::Bounds;

    let slow = db.exclusive().query("SELECT * FROM view_that_calls_a_function", ()).await?;
    let pool = &db.statistics()[0];               // of the pool that takes writes
    println!("{} open, {} shared, 99 % waited at most {:?}", pool.size, pool.lanes, pool.wait.quantile(0.99));

    db.pause();                                   // callers wait, within their time
    db.resize(Bounds { min: 5, max: 40, max_overflow: 0 })?;
    db.resume();
    db.reconfigure("postgres://app:new@db2/shop").await?;   // tried first, then taken; nobody fails
    Ok(())
}

#[rustfmt::skip]
async fn the_hosts(db: Database) -> Result<()> {
    use underpin::Event;

    let mut events = db.events()?;
    while let Some(event) = events.next().await {
        if let Event::FailoverDone { to, took } = event {
            println!("{to} is the primary after {took:.1?}");
        }
    }
    Ok(())
}

#[rustfmt::skip]
async fn positions_and_replicas(db: Database) -> Result<()> {
    use std::time::Duration;
    use underpin::ReadFrom;

    let (order, position) = db
        .transaction_with_position(async |tx| {
            tx.query_scalar::<i64>("INSERT INTO orders DEFAULT VALUES RETURNING id", ()).await
        })
        .await?;
    let row = db.after(position).query("SELECT * FROM orders WHERE id = $1", (order,)).await?;

    let replicas = db.read_from(ReadFrom::Replicas).max_lag_time(Duration::from_secs(5));
    Ok(())
}

#[rustfmt::skip]
async fn example_6(db: Database) -> Result<()> {
    use std::time::Duration;
    let lease = db.acquire().await?;               // given back, cleaned, when dropped
    lease.execute("SET search_path TO archive", ()).await?;
    let native = lease.postgres()?.client();       // PostgreSQL as it is: COPY, pipelines, types of your own

    let single = underpin::Connection::connect("sqlite:shop.db").await?;   // outside any pool
    Ok(())
}

#[rustfmt::skip]
async fn example_7(db: Database) -> Result<()> {
    use std::time::Duration;
    println!("{}", db.health().await);    // postgres db1:5432/shop is healthy, answered in 312.4µs
    println!("{}", db.metrics());         // connections, waits, queries, failures, retries
    Ok(())
}

#[rustfmt::skip]
async fn example_models(db: Database) -> Result<()> {
    use underpin::value::Timestamp;
    use underpin::{Field, Model, models};

    #[derive(Model)]
    #[model(table = "members")]
    struct Member {
        #[model(primary_key, identity)]
        id: i64,
        #[model(unique)]
        email: String,
        full_name: Option<String>,
        #[model(references(Member, on_delete = "set null"))]
        invited_by: Option<i64>,
        #[model(default = "now()", on_update)]
        updated_at: Timestamp,
    }

    let ada = Member::insert(&db, NewMember::new("ada@example.com")).await?;      // no id to make up
    let named = MemberChanges { full_name: "Ada".into(), invited_by: Field::Null, ..Default::default() };
    let ada = Member::update(&db, ada.id, named).await?;                          // that, and updated_at
    let guests = Member::INVITED_BY.children(&db, [&ada]).await?;                 // one query for any number
    let schema = models![Member].schema(db.engine())?;                            // as code, to compare
    Ok(())
}

#[rustfmt::skip]
async fn example_queries(db: Database) -> Result<()> {
    use underpin::{Queries, Query, queries, query};

    #[derive(FromRow)]
    struct Job { id: i64, title: String }

    static RECENT: Query<(i64, bool), Job> = query!("tests/queries/recent_jobs.sql");
    static RENAME: Query<(&str, i64)> = Query::new("rename", "UPDATE jobs SET title = $1 WHERE id = $2");
    static QUERIES: Queries = queries!["tests/queries"; RECENT, RENAME];   // and no file is forgotten

    let jobs = RECENT.all(&db, (5, true)).await?;      // also: one, optional, stream, execute; on a transaction too
    RENAME.execute(&db, ("Engineer", 7)).await?;
    QUERIES.check(&db).await?;                         // in a test, on a database that was migrated
    Ok(())
}

#[rustfmt::skip]
async fn example_migrations(db: Database) -> Result<()> {
    use underpin::migrate::{Embedded, Migrator, embed_revisions};

    static REVISIONS: &[Embedded] = embed_revisions!("tests/revisions");

    let report = Migrator::of(&db).embedded(REVISIONS)?.up("head").await?;
    println!("{} revisions applied", report.revisions.len());
    Ok(())
}

#[rustfmt::skip]
async fn example_schema_status(db: Database) -> Result<()> {
    use underpin::migrate::{Embedded, Migrator, embed_revisions};

    static REVISIONS: &[Embedded] = embed_revisions!("tests/revisions");

    use underpin::schema::{SchemaStatus, status};

    let migrator = Migrator::of(&db).embedded(REVISIONS)?;
    match status(&db, &migrator, None).await? {            // with a target, also whether it has drifted
        SchemaStatus::UpToDate => {}
        SchemaStatus::Behind { .. } => drop(migrator.up("heads").await?),
        other => eprintln!("{other}"),                     // ahead: a newer version of the program was here
    }
    Ok(())
}

#[tokio::test]
async fn a_program_of_the_readme_brings_its_database_up_to_date() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    example_schema_status(db.clone()).await.unwrap();
    let users: i64 = db
        .query_scalar("SELECT count(*) FROM users", ())
        .await
        .unwrap();
    assert_eq!(users, 0);
}

/// The example of the models, as it runs.
#[tokio::test]
async fn the_models_of_the_readme_work() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    db.batch(
        "CREATE TABLE members (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, full_name TEXT,
         invited_by INTEGER REFERENCES members (id),
         updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')))",
    )
    .await
    .unwrap();
    example_models(db.clone()).await.unwrap();
    let names: Vec<String> = db
        .query_as("SELECT full_name FROM members", ())
        .await
        .unwrap();
    assert_eq!(names, ["Ada"]);
}

#[tokio::test]
async fn the_revision_of_the_readme_is_one() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    example_migrations(db.clone()).await.unwrap();
    db.execute("INSERT INTO users (email) VALUES ('ada@example.com')", ())
        .await
        .unwrap();
    let own = include_str!("../revisions/3f9c2a1b7d40_users_and_their_index.sql");
    assert!(include_str!("../../../../README.md").contains(&format!("```sql\n{own}```")));
}

/// Every example of the README stands above, to the letter but for white space.
#[test]
fn the_examples_are_those_of_the_readme() {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The directories of the examples are among the tests here.
    let own = include_str!("readme.rs")
        .replace("\"tests/revisions\"", "\"revisions\"")
        .replace("\"tests/queries", "\"queries");
    let own = squeeze(&own);
    let readme = include_str!("../../../../README.md");
    let blocks: Vec<&str> = readme
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(blocks.len() >= 6);
    // Those are compiled by the tests of the commands.
    let of_commands = |block: &&str| block.contains("underpin_commands");
    for block in blocks.into_iter().filter(|block| !of_commands(block)) {
        assert!(own.contains(&squeeze(block)), "not compiled:\n{block}");
    }
}

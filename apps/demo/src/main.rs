//! Opens a database, fills it, reads it from many tasks at once, fails a transaction, and
//! shows what health and metrics say of it: on an embedded SQLite file, or wherever
//! `--url` points.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use underpin::{Config, Database, Engine, FromRow, Result};

#[derive(Parser)]
struct Arguments {
    /// The database, such as postgres://postgres@localhost/demo; an embedded SQLite file under
    /// target/ where none is given. The demo works in a table of its own, underpin_demo.
    #[arg(long)]
    url: Option<String>,
}

#[derive(FromRow)]
struct Shelf {
    shelf: i64,
    books: i64,
    pages: i64,
}

const BOOKS: i64 = 20_000;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let config = config(arguments.url.as_deref())?;
    println!("database   {}", config.to_url_masked());
    let db = Database::connect(config).await?;

    let begun = Instant::now();
    let stored = fill(&db).await?;
    println!("filled     {stored} books in {:.0?}", begun.elapsed());

    let begun = Instant::now();
    let found = read_at_once(&db, 50).await?;
    println!(
        "read       {found} times by 50 tasks in {:.0?}",
        begun.elapsed()
    );

    let moved: Result<u64> = db
        .transaction(async |tx| {
            let moved = tx.execute("UPDATE underpin_demo SET shelf = 0", ()).await?;
            println!("moved      {moved} books in a transaction, which then fails:");
            tx.execute(
                "INSERT INTO underpin_demo (id, shelf, pages) VALUES (1, 1, 1)",
                (),
            )
            .await
        })
        .await;
    if let Err(error) = moved {
        println!("           {error}");
        println!(
            "           class {:?}, effect {:?}",
            error.class(),
            error.effect()
        );
    }

    let shelves: Vec<Shelf> = db
        .query_as(
            "SELECT shelf, count(*) AS books, CAST(sum(pages) AS BIGINT) AS pages
             FROM underpin_demo GROUP BY shelf ORDER BY shelf LIMIT $1",
            (3,),
        )
        .await?;
    for Shelf {
        shelf,
        books,
        pages,
    } in shelves
    {
        println!("shelf {shelf:<4} {books} books of {pages} pages");
    }

    println!("health     {}", db.health().await);
    println!("metrics    {}", db.metrics());
    let engine = db.engine();
    db.close(Duration::from_secs(10)).await?;
    if engine == Engine::Sqlite {
        println!("\nNext: cargo run --release -p underpin-cli -- --url sqlite:target/demo.db \\");
        println!("          query 'SELECT * FROM underpin_demo LIMIT 5'");
        println!("      cargo run --release -- --url postgres://USER:PASSWORD@HOST/DATABASE");
    }
    Ok(())
}

fn config(url: Option<&str>) -> Result<Config> {
    match url {
        Some(url) => Config::from_url(url),
        None => {
            // Beside the program, wherever it was started from.
            let target = std::env::current_exe()
                .ok()
                .and_then(|program| Some(program.parent()?.parent()?.to_owned()))
                .unwrap_or_else(|| PathBuf::from("."));
            Config::builder()
                .engine(Engine::Sqlite)
                .database(target.join("demo.db").to_string_lossy())
                .build()
        }
    }
}

async fn fill(db: &Database) -> Result<u64> {
    db.batch(
        "CREATE TABLE IF NOT EXISTS underpin_demo
             (id BIGINT PRIMARY KEY, shelf BIGINT NOT NULL, pages INTEGER NOT NULL)",
    )
    .await?;
    db.execute("DELETE FROM underpin_demo", ()).await?;
    let books = (1..=BOOKS).map(|id| (id, id % 40, 100 + (id * 37 % 400) as i32));
    db.bulk_insert("underpin_demo", &["id", "shelf", "pages"], books)
        .await
}

/// Every task asks a hundred times; the pool decides who gets which connection when.
async fn read_at_once(db: &Database, tasks: i64) -> Result<usize> {
    let mut running = tokio::task::JoinSet::new();
    for task in 0..tasks {
        let db = db.clone();
        running.spawn(async move {
            let mut found = 0;
            for n in 0..100 {
                let sql = "SELECT pages FROM underpin_demo WHERE id = $1";
                let id = 1 + (task * 100 + n) % BOOKS;
                found += usize::from(db.query_optional::<i32>(sql, (id,)).await?.is_some());
            }
            Ok(found)
        });
    }
    running.join_all().await.into_iter().sum()
}

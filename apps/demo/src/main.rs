//! Brings up the job-matching database, on an embedded SQLite file or wherever `--url`
//! points: migrates it, imports bundled CSV files, matches, verifies every table, column,
//! constraint and index against the revisions, and says how the database and its pool are.
//! Run again, it finds everything done.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use jobmatch::import::{ImportKind, Source, import};
use jobmatch::{MatchOptions, migrate, run_matching, stats, verify};
use underpin::{Class, Config, Database, Engine, Error, Result};

#[derive(Parser)]
struct Arguments {
    /// The database, such as postgres://postgres@localhost/demo; an embedded SQLite file beside
    /// the program where none is given
    #[arg(long)]
    url: Option<String>,
}

/// The bundled files, in the order in which their rows refer to one another.
const FILES: [(ImportKind, &str); 3] = [
    (ImportKind::Users, "users.csv"),
    (ImportKind::Jobs, "jobs.csv"),
    (ImportKind::Scores, "scores.csv"),
];

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the database is as the revisions say.
async fn run(arguments: &Arguments) -> Result<bool> {
    let config = config(arguments.url.as_deref())?;
    println!("database   {}", config.to_url_masked());
    let db = Database::connect(config).await?;

    let report = migrate(&db).await?;
    match report.revisions.as_slice() {
        [] => println!("migrated   already at the head"),
        revisions => println!(
            "migrated   {} revisions in {:.0?}",
            revisions.len(),
            report.took
        ),
    }
    for (kind, file) in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("data")
            .join(file);
        import_once(&db, kind, &path).await?;
    }
    let options = MatchOptions {
        min_score: 70.0,
        top: 40,
    };
    let matched = run_matching(&db, options).await?;
    println!(
        "matched    {} users, {} new matches",
        matched.users, matched.added
    );

    let stats = stats(&db).await?;
    println!(
        "stats      {} jobs, {} users, {} scores, {} matches; {} bad rows explained",
        stats.jobs, stats.users, stats.scores, stats.matches, stats.bad_rows
    );
    let verification = verify(&db).await?;
    let sound = verification.differences.is_empty();
    if sound {
        println!(
            "verified   {} objects are as the revisions say",
            verification.objects
        );
    }
    for difference in &verification.differences {
        println!("DIFFERS    {difference}");
    }
    println!("health     {}", db.health().await);
    println!("pool       {}", db.metrics());
    let engine = db.engine();
    db.close(Duration::from_secs(10)).await?;
    say_what_next(engine);
    Ok(sound)
}

async fn import_once(db: &Database, kind: ImportKind, path: &Path) -> Result<()> {
    let name = kind.name();
    let begun = Instant::now();
    let imported = match Source::open(kind, path, &[]) {
        Ok(source) => import(db, source, |_| ()).await,
        Err(error) => Err(error),
    };
    match imported {
        Ok(report) => {
            let took = begun.elapsed();
            println!(
                "imported   {} {name} in {took:.0?}, {} bad rows",
                report.inserted, report.bad
            );
            if let Some(bad) = report.bad_rows.first() {
                println!("           such as line {}: {}", bad.line, bad.reason);
            }
            Ok(())
        }
        Err(error) if is_done_before(&error) => {
            println!("imported   {name} were imported before");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A file that was imported before is refused: here that is as it should be.
fn is_done_before(error: &Error) -> bool {
    error.class() == Class::Constraint
}

fn config(url: Option<&str>) -> Result<Config> {
    match url {
        Some(url) => {
            let config = Config::from_url(url)?;
            match config.engine() {
                Engine::SQLITE => config.to_builder().create(true).build(),
                _ => Ok(config),
            }
        }
        None => {
            // Beside the program, wherever it was started from.
            let target = std::env::current_exe()
                .ok()
                .and_then(|program| Some(program.parent()?.parent()?.to_owned()))
                .unwrap_or_else(|| PathBuf::from("."));
            Config::builder()
                .engine(Engine::SQLITE)
                .database(target.join("demo.db").to_string_lossy())
                .create(true)
                .build()
        }
    }
}

fn say_what_next(engine: Engine) {
    println!();
    if engine == Engine::SQLITE {
        println!("Next: cargo run --release -p underpin-cli -- --url sqlite:target/demo.db \\");
        println!("          query 'SELECT title, company_name, salary_max FROM jobs LIMIT 5'");
        println!("      cargo run --release -p jobmatch -- --url sqlite:target/demo.db stats");
        println!("      cargo run --release -- --url postgres://USER:PASSWORD@HOST/DATABASE");
    } else {
        println!("Next: cargo run --release -p jobmatch -- --url … migrate history");
    }
}

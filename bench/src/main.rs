//! Benchmarks of Underpin, with its default configuration, against the drivers alone, each
//! a ratio of medians in one run.
//!
//! `cargo run --release -p underpin-bench` runs all; a name or several choose among them,
//! `--quick` does a tenth of the work.

mod bulk_insert;
mod connect;
mod import;
mod measure;
mod migrate;
mod program;
mod query_as;
mod select_one;
mod server;

use clap::Parser;
use measure::Report;

#[derive(Parser)]
struct Arguments {
    /// The benchmarks to run: select-one, query-as, bulk-insert, connect, import, migrate; all where none
    /// is named
    names: Vec<String>,

    /// Do a tenth of the work: for a look, not for a figure to quote
    #[arg(long)]
    quick: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let scale: u32 = if arguments.quick { 10 } else { 1 };
    let chosen = |name: &str| {
        arguments.names.is_empty() || arguments.names.iter().any(|asked| asked == name)
    };
    let server = server::Server::start();
    let mut report = Report::default();
    if chosen("select-one") {
        select_one::run(&server, 20_000 / scale, &mut report).await;
    }
    if chosen("query-as") {
        query_as::postgres(&server, 100_000 / scale, &mut report).await;
        query_as::sqlite(100_000 / scale, &mut report).await;
    }
    if chosen("bulk-insert") {
        bulk_insert::postgres(&server, 1_000_000 / i64::from(scale), &mut report).await;
        bulk_insert::sqlite(1_000_000 / i64::from(scale), &mut report).await;
    }
    if chosen("connect") {
        connect::run(&server, 1_000 / scale, &mut report).await;
    }
    if chosen("import") {
        let rows = 1_000_000 / u64::from(scale);
        import::postgres(&server, rows, &mut report).await;
        import::sqlite(rows, &mut report).await;
        import::memory(&server, rows);
    }
    if chosen("migrate") {
        migrate::run(&server, 1_000 / scale, &mut report).await;
    }
    println!("{report}");
}

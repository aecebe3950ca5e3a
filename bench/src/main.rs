//! Benchmarks of Underpin, with its default configuration, against the drivers alone and
//! other pools, each a ratio of medians in one run.
//!
//! `cargo run --release -p underpin-bench` runs all; a name or several choose among them,
//! `pool` stands for those that begin so, `--quick` does a tenth of the work. The programs
//! of this workspace that it runs are built first, as the README says.

mod access;
mod bulk_insert;
mod compile;
mod connect;
mod copy;
mod failover;
mod import;
mod load;
mod measure;
mod migrate;
mod peers;
mod pool;
mod program;
mod query_as;
mod race;
mod schema;
mod select_one;
mod server;
mod targets;

use clap::Parser;
use measure::Report;
use pool::PoolReport;
use targets::Targets;

#[derive(Parser)]
struct Arguments {
    /// The benchmarks to run: select-one, query-as, bulk-insert, connect, import, copy, access, migrate,
    /// schema, pool-no-op, pool-select, pool-lists, pool-mixed, pool-transactions, pool-heap, pool for all of these;
    /// all where none is named; only where they are named compile and failover
    names: Vec<String>,

    /// Another checkout, for the benchmark that compiles a program
    #[arg(long)]
    before: Option<std::path::PathBuf>,

    /// Do a tenth of the work: for a look, not for a figure to quote
    #[arg(long)]
    quick: bool,
}

// Two threads everywhere, so that figures of one machine can be held against another's.
#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments = Arguments::parse();
    let scale: u32 = if arguments.quick { 10 } else { 1 };
    let chosen = |name: &str| {
        let is_meant =
            |asked: &String| asked == name || asked == "pool" && name.starts_with("pool-");
        arguments.names.is_empty() || arguments.names.iter().any(is_meant)
    };
    if arguments.names.iter().any(|name| name == "compile") {
        compile::compile(arguments.before.as_deref());
    }
    if arguments.names.iter().any(|name| name == "failover") {
        failover::run(if arguments.quick { 3 } else { 20 }).await;
    }
    if arguments
        .names
        .iter()
        .all(|name| name == "compile" || name == "failover")
        && !arguments.names.is_empty()
    {
        return;
    }
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
    if chosen("copy") {
        copy::run(&server, 1_000_000 / i64::from(scale), &mut report).await;
    }
    if chosen("access") {
        access::run(arguments.quick, &mut report).await;
    }
    if chosen("migrate") {
        migrate::run(&server, 1_000 / scale, &mut report).await;
    }
    let mut targets = Targets::default();
    if chosen("schema") {
        schema::run(&server, arguments.quick, &mut report, &mut targets).await;
    }
    let mut of_pool = PoolReport::default();
    of_pool.run(&server, arguments.quick, chosen).await;
    println!("{report}");
    println!("{targets}");
    println!("{of_pool}");
}

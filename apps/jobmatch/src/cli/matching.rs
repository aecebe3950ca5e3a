use std::io::{Write, stdout};

use clap::Args;
use jobmatch::{MatchOptions, MatchReport, run_matching};
use serde_json::json;
use underpin::Result;
use underpin_commands::{Exit, Format, GlobalOptions};

use super::{close, hint_at_migration, open, or_broken_pipe};

/// Which scores become matches. Run again, it adds only what is new. The confidence of a
/// match is mean / 100 × (1 − standard deviation / 100) × known / 5 over its component
/// scores.
#[derive(Args)]
pub(super) struct MatchArguments {
    /// The least total score, from 0 to 100
    #[arg(long, default_value_t = 70.0, value_name = "SCORE")]
    min_score: f64,

    /// How many jobs a user is recommended at most
    #[arg(long, default_value_t = 40, value_name = "JOBS")]
    top: u32,
}

pub(super) async fn run(arguments: MatchArguments, options: &GlobalOptions) -> Result<Exit> {
    let database = open(options).await?;
    let matching = MatchOptions {
        min_score: arguments.min_score,
        top: arguments.top,
    };
    let matched = run_matching(&database, matching).await;
    let closed = close(database).await;
    let report = matched.map_err(hint_at_migration)?;
    closed?;
    or_broken_pipe(print(report, options.format))?;
    Ok(Exit::Success)
}

fn print(report: MatchReport, format: Format) -> std::io::Result<()> {
    let MatchReport { users, added } = report;
    let mut out = stdout().lock();
    match format {
        Format::Table => writeln!(out, "{added} new matches for {users} active users"),
        Format::Json => writeln!(out, "{}", json!({ "users": users, "added": added })),
        Format::Csv => writeln!(out, "users,added\n{users},{added}"),
    }
}

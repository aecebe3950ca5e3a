use std::io::{BufWriter, stdout};

use clap::Args;
use jobmatch::Sample;
use jobmatch::import::ImportKind;
use underpin::Result;
use underpin_commands::Exit;

use super::or_broken_pipe;

/// What to make up. The same seed makes the same file.
#[derive(Args)]
pub(super) struct SampleArguments {
    /// What the file holds
    #[arg(value_enum, default_value_t = ImportKind::Jobs)]
    kind: ImportKind,

    /// How many rows it has, without the header
    #[arg(long, default_value_t = 2000)]
    rows: u64,

    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many of a hundred rows are bad
    #[arg(long, default_value_t = 1.0, value_name = "PERCENT")]
    bad_percent: f64,

    /// For scores: how many users there are, with the ids from 1
    #[arg(long, default_value_t = 100)]
    users: u32,

    /// For scores: how many jobs there are, with the ids from 1
    #[arg(long, default_value_t = 100)]
    jobs: u32,
}

pub(super) fn run(arguments: &SampleArguments) -> Result<Exit> {
    let sample = Sample {
        kind: arguments.kind,
        rows: arguments.rows,
        seed: arguments.seed,
        bad_percent: arguments.bad_percent.clamp(0.0, 100.0),
        users: arguments.users,
        jobs: arguments.jobs,
    };
    or_broken_pipe(sample.write(BufWriter::new(stdout().lock())))?;
    Ok(Exit::Success)
}

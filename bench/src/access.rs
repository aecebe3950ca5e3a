use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::measure::{Report, in_turns};
use crate::program;

/// How often each table of the file is read in one turn.
const TIMES: usize = 30;

fn output(command: &mut Command) -> Option<Output> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(output)
}

/// Every table of an Access file, read again and again: the command with its start, against
/// `mdb-export` with its own. `UNDERPIN_BENCH_ACCESS` names the file.
pub(crate) async fn run(quick: bool, report: &mut Report) {
    let file = std::env::var_os("UNDERPIN_BENCH_ACCESS").map_or_else(
        || {
            let own = "../drivers/access/tests/data/legacy.accdb";
            Path::new(env!("CARGO_MANIFEST_DIR")).join(own)
        },
        PathBuf::from,
    );
    let Some(tables) = output(Command::new("mdb-tables").arg("-1").arg(&file)) else {
        eprintln!("access: mdbtools is not installed");
        return;
    };
    let tables = String::from_utf8(tables.stdout).expect("names are text");
    let tables: Vec<&str> = tables.lines().filter(|name| !name.is_empty()).collect();
    let times = if quick { TIMES / 10 } else { TIMES };
    let ours = |table: &str| {
        let mut command = Command::new(program::ours("underpin"));
        let sql = format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""));
        command.arg("--url").arg(&file);
        command.args(["--format", "csv", "query", &sql]);
        command
    };
    for table in &tables {
        let counted = output(Command::new("mdb-count").arg(&file).arg(table));
        let counted = String::from_utf8(counted.expect("mdb-count counts").stdout).unwrap();
        let read = output(&mut ours(table)).expect("the file can be read; is the command built with the feature access?");
        let mut rows = csv::Reader::from_reader(&*read.stdout);
        assert_eq!(
            rows.byte_records().count().to_string(),
            counted.trim(),
            "rows of {table}"
        );
    }
    let pair = in_turns(
        3,
        || async {
            for table in tables.iter().cycle().take(times * tables.len()) {
                program::run(&mut ours(table));
            }
        },
        || async {
            for table in tables.iter().cycle().take(times * tables.len()) {
                program::run(Command::new("mdb-export").arg(&file).arg(table));
            }
        },
    )
    .await;
    let name = file.file_name().unwrap_or_default().display();
    let what = format!("access, {name}, {} tables", tables.len());
    let runs = u32::try_from(times).unwrap_or(1);
    report.add(what, "mdb-export", runs, &pair, Some(1.0));
    let peaks = tables.iter().map(|table| program::peak_memory(&mut ours(table)));
    let peak = peaks.max().unwrap_or(0);
    println!("peak memory of reading {name}: {} MB, at most 64 wanted", peak / 1_000_000);
}

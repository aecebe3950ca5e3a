use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::measure::{Report, in_turns};
use crate::program;

/// How often the file is read in one turn.
const TIMES: usize = 30;

/// What a program prints; none where it is not installed.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    Some(String::from_utf8(output.stdout).expect("it prints text"))
}

/// The whole file, copied into memory and compared.
fn ours(file: &Path) -> Command {
    let mut command = Command::new(program::ours("underpin"));
    command.args(["--format", "json", "copy"]).arg(file);
    command.args(["sqlite::memory:", "--create"]);
    command
}

/// All tables of an Access file, read again and again from a new start: `underpin copy` into memory,
/// which also writes the rows and reads them back, against `mdb-export` of each table.
/// `UNDERPIN_BENCH_ACCESS` names the file.
pub(crate) async fn run(quick: bool, report: &mut Report) {
    let own =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../drivers/access/tests/data/legacy.accdb");
    let file = std::env::var_os("UNDERPIN_BENCH_ACCESS").map_or(own, PathBuf::from);
    let Some(tables) = output(Command::new("mdb-tables").arg("-1").arg(&file)) else {
        eprintln!("access: mdbtools is not installed");
        return;
    };
    let tables: Vec<&str> = tables.lines().filter(|name| !name.is_empty()).collect();
    let copied = output(&mut ours(&file)).expect("the command is built");
    let copied: serde_json::Value = serde_json::from_str(&copied).expect("it is JSON");
    let rows: BTreeMap<&str, u64> = copied["tables"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|table| Some((table["from"].as_str()?, table["rows"].as_u64()?)))
        .collect();
    for table in &tables {
        let counted = output(Command::new("mdb-count").arg(&file).arg(table)).unwrap();
        let found = rows.get(format!("main.\"{table}\"").as_str());
        assert_eq!(
            found.map(u64::to_string).as_deref(),
            Some(counted.trim()),
            "{table}"
        );
    }
    let times = if quick { TIMES / 10 } else { TIMES };
    let pair = in_turns(
        3,
        || async {
            for _ in 0..times {
                program::run(&mut ours(&file));
            }
        },
        || async {
            for _ in 0..times {
                for table in &tables {
                    program::run(Command::new("mdb-export").arg(&file).arg(table));
                }
            }
        },
    )
    .await;
    let name = file.file_name().unwrap_or_default().display();
    let what = format!("access, {name}, {} tables", tables.len());
    let runs = u32::try_from(times).unwrap_or(1);
    report.add(what, "mdb-export of each table", runs, &pair, Some(1.0));
    let peak = program::peak_memory(&mut ours(&file));
    println!(
        "peak memory of reading {name}: {} MB, at most 64 wanted",
        peak / 1_000_000
    );
}

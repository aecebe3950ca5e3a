use std::io::{Write, stdout};
use std::path::PathBuf;
use std::sync::Mutex;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jobmatch::import::{BadRow, ImportKind, ImportReport, Progress, Source, import};
use serde_json::json;
use underpin::Result;
use underpin_commands::{Exit, Format, GlobalOptions};

use super::{close, hint_at_migration, open, or_broken_pipe};

/// What to import. Bad rows are counted and explained in csv_imports, and the others go
/// in: that is exit code 0. A file that is malformed as a whole is refused before anything
/// is written: 2. One that was imported before is refused too: 4.
#[derive(Args)]
pub(super) struct ImportArguments {
    /// What the file holds
    #[arg(value_enum)]
    kind: ImportKind,

    /// The CSV file, in UTF-8 and with a header
    file: PathBuf,

    /// Fill this column from the header that stands for it, where their names differ
    #[arg(long = "map", value_name = "COLUMN=HEADER", value_parser = mapping)]
    maps: Vec<(String, String)>,
}

/// How many bad rows are shown; csv_imports has more of them.
const SHOWN: usize = 10;

fn mapping(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, header)) if !column.is_empty() && !header.is_empty() => {
            Ok((column.trim().to_owned(), header.trim().to_owned()))
        }
        _ => Err(String::from(
            "A mapping must be a column, an equals sign and a header: title=\"Civil Service \
             Title\".",
        )),
    }
}

pub(super) async fn run(arguments: ImportArguments, options: &GlobalOptions) -> Result<Exit> {
    let source = Source::open(arguments.kind, &arguments.file, &arguments.maps)?;
    let database = open(options).await?;
    let bar = Bar::new();
    let imported = import(&database, source, move |progress| bar.show(progress)).await;
    let closed = close(database).await;
    let report = imported.map_err(hint_at_migration)?;
    closed?;
    or_broken_pipe(print(&report, options.format))?;
    Ok(Exit::Success)
}

fn print(report: &ImportReport, format: Format) -> std::io::Result<()> {
    let mut out = stdout().lock();
    match format {
        Format::Table => print_text(report, &mut out),
        Format::Json => {
            let bad_rows: Vec<_> = report
                .bad_rows
                .iter()
                .map(
                    |BadRow {
                         line,
                         column,
                         reason,
                     }| {
                        json!({ "line": line, "column": column, "reason": reason })
                    },
                )
                .collect();
            let value = json!({
                "import": report.id,
                "type": report.kind.name(),
                "rows": report.rows,
                "inserted": report.inserted,
                "bad": report.bad,
                "done_before": report.done_before,
                "bad_rows": bad_rows,
            });
            writeln!(out, "{value}")
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            csv.write_record(["import", "type", "rows", "inserted", "bad", "done_before"])?;
            csv.write_record([
                &report.id.to_string(),
                report.kind.name(),
                &report.rows.to_string(),
                &report.inserted.to_string(),
                &report.bad.to_string(),
                &report.done_before.to_string(),
            ])?;
            csv.flush()
        }
    }
}

fn print_text(report: &ImportReport, out: &mut impl Write) -> std::io::Result<()> {
    if report.done_before > 0 {
        writeln!(
            out,
            "continued after the {} rows of an earlier run",
            report.done_before
        )?;
    }
    writeln!(
        out,
        "import {}: {} of {} rows are in {}, {} are bad",
        report.id,
        report.inserted,
        report.rows,
        report.kind.table(),
        report.bad
    )?;
    for row in report.bad_rows.iter().take(SHOWN) {
        writeln!(out, "  {row}")?;
    }
    if report.bad > SHOWN as u64 {
        writeln!(
            out,
            "  and {} more; SELECT error_details FROM csv_imports WHERE id = {} shows {}",
            report.bad - SHOWN as u64,
            report.id,
            match report.bad == report.bad_rows.len() as u64 {
                true => "all".to_owned(),
                false => format!("the first {}", report.bad_rows.len()),
            }
        )?;
    }
    Ok(())
}

/// What is shown of the progress: nothing if standard error is not a terminal.
struct Bar(Mutex<(ProgressBar, bool)>);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(1);
        bar.set_style(style(
            "{msg:9} {wide_bar} {binary_bytes} of {binary_total_bytes}",
        ));
        bar.set_message("reading");
        Bar(Mutex::new((bar, false)))
    }

    fn show(&self, progress: Progress) {
        let mut state = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let (bar, importing) = &mut *state;
        match progress {
            Progress::Scanning { bytes, of } => {
                bar.set_length(of);
                bar.set_position(bytes);
            }
            Progress::Importing { rows, of, bad } => {
                if !*importing {
                    *importing = true;
                    bar.set_style(style(
                        "{msg:9} {wide_bar} {human_pos} of {human_len}, {eta}",
                    ));
                    bar.set_message("importing");
                    bar.set_length(of);
                }
                if bad > 0 {
                    bar.set_message(format!("importing, {bad} bad"));
                }
                bar.set_position(rows);
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        let state = self
            .0
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        state.0.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

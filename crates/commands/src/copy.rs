use std::collections::BTreeMap;
use std::io::{Write, stderr, stdout};
use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::json;
use underpin::copy::{Bad, CopyOptions, CopyReport, Decision, OnConflict, TableReport, copy};
use underpin::{Class, Config, Error, Result, Value};

use crate::exit::Exit;
use crate::format::Format;
use crate::interrupt::interruptible;
use crate::listing;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

mod bars;

use bars::Watch;

/// Arguments of `copy`.
#[derive(Debug, Clone, Args)]
pub struct CopyArguments {
    /// The database to copy from: a URL, a file, or the name of a database in the configuration
    #[arg(value_name = "FROM")]
    pub from: String,

    /// The database to copy to, in the same form
    #[arg(value_name = "TO")]
    pub to: String,

    /// Create what the target lacks: tables, keys and indexes, and a file that does not exist
    #[arg(long)]
    pub create: bool,

    /// Only tables of this name, in which * stands for any characters; may be given several times
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub tables: Vec<String>,

    /// No tables of this name, in the same form; may be given several times
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub exclude: Vec<String>,

    /// Only rows of a table that meet a condition in the source's SQL, as TABLE=CONDITION; may be
    /// given several times, and a row meets all conditions of its table
    #[arg(long = "where", value_name = "TABLE=CONDITION")]
    pub conditions: Vec<String>,

    /// How many tables are copied at once, if both databases can
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub jobs: usize,

    /// What to do with a table that has other rows already
    #[arg(long, value_enum, default_value_t = Conflict::Fail)]
    pub on_conflict: Conflict,

    /// Leave out rows that do not fit, and list them
    #[arg(long)]
    pub skip_bad: bool,

    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What to do with a table that has other rows already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Conflict {
    /// Copy nothing
    Fail,
    /// Leave the table as it is
    Skip,
    /// Delete its rows, and copy it
    Replace,
}

/// Copies the tables and prints what came of each.
pub(crate) async fn run(arguments: &CopyArguments, options: &GlobalOptions) -> Result<Exit> {
    let from = configured(&arguments.from, options)?;
    let to = configured(&arguments.to, options)?;
    let asked = arguments.options()?;
    let watch = Arc::new(Watch::new());
    let work = copied(&from, &to, asked, &watch, options);
    let done = interruptible(work, async || {
        watch.end();
        "The tables that were finished stay. The same command goes on.\n".to_owned()
    });
    let done = done.await;
    watch.end();
    done
}

async fn copied(
    from: &Config,
    to: &Config,
    asked: CopyOptions,
    watch: &Arc<Watch>,
    options: &GlobalOptions,
) -> Result<Exit> {
    let told = Arc::<Watch>::clone(watch);
    let copied = copy(from, to, asked, told).await;
    watch.end();
    let report = copied?;
    tell(&report);
    match options.format {
        Format::Json => or_broken_pipe(in_json(&report))?,
        Format::Table if report.dry_run => or_broken_pipe(dry(&report))?,
        Format::Table | Format::Csv => listed(&report, options)?,
    }
    Ok(match report.is_equal() {
        true => Exit::Success,
        false => Exit::No,
    })
}

/// The database of a URL or of a file that is there, or of a name in the configuration.
fn configured(text: &str, options: &GlobalOptions) -> Result<Config> {
    let is_url = text.contains(':') || Path::new(text).is_file();
    if !is_url && text.contains(['.', '/']) {
        let message = format!("There is no file {text}.");
        return Err(Error::new(Class::Config, message).with_hint(format!(
            "If it is a SQLite file to be created, write sqlite:{text} and --create."
        )));
    }
    let own = GlobalOptions {
        url: is_url.then(|| text.to_owned()),
        database: (!is_url).then(|| text.to_owned()),
        ..options.clone()
    };
    own.load()?
        .to_builder()
        .pool_min_size(0)
        .max_retries(0)
        .build()
}

impl CopyArguments {
    fn options(&self) -> Result<CopyOptions> {
        let mut conditions = BTreeMap::new();
        for text in &self.conditions {
            let (table, condition) = text.split_once('=').ok_or_else(|| {
                Error::new(
                    Class::Config,
                    format!("--where {text:?} has no table before a `=`."),
                )
                .with_hint("Write --where 'users=id > 5'.")
            })?;
            let condition = condition.trim();
            conditions
                .entry(table.trim().to_owned())
                .and_modify(|before: &mut String| *before = format!("({before}) AND ({condition})"))
                .or_insert_with(|| condition.to_owned());
        }
        Ok(CopyOptions {
            create: self.create,
            tables: self.tables.clone(),
            exclude: self.exclude.clone(),
            conditions,
            jobs: self.jobs,
            on_conflict: match self.on_conflict {
                Conflict::Fail => OnConflict::Fail,
                Conflict::Skip => OnConflict::Skip,
                Conflict::Replace => OnConflict::Replace,
            },
            skip_bad: self.skip_bad,
            dry_run: self.dry_run,
        })
    }
}

/// Says on standard error what is not in the tables.
fn tell(report: &CopyReport) {
    let mut out = stderr().lock();
    let mut lines: Vec<String> = Vec::new();
    if report.resumed {
        lines.push(
            "An earlier run had not ended. This one has a new snapshot of the source; tables that \
             have changed since were copied again."
                .to_owned(),
        );
    }
    let left = report.left.iter();
    lines.extend(left.map(|what| format!("not carried: {what}")));
    for table in &report.tables {
        let notes = table.notes.iter();
        lines.extend(notes.map(|note| format!("{}: {note}", table.source)));
        if table.orphans > 0 {
            lines.push(format!(
                "{}: {} rows refer to rows that do not exist",
                table.target, table.orphans
            ));
        }
    }
    let dangling = report.dangling.iter();
    lines.extend(dangling.map(|(table, rows)| {
        format!("{table} was not copied: {rows} of its rows refer to rows that were replaced and are gone")
    }));
    for line in lines {
        let _ = writeln!(out, "{line}");
    }
}

/// What came of a table, in a word or two.
fn outcome(table: &TableReport) -> &'static str {
    match (table.decision, table.is_equal()) {
        (Decision::Equal, true) => "equal before",
        (Decision::Leave, _) => "left as it is",
        (_, true) => "equal",
        (_, false) if table.read == table.found && !table.bad.is_empty() => "rows left out",
        (_, false) if table.read == table.found => "broken references",
        (_, false) => "DIFFERENT",
    }
}

fn listed(report: &CopyReport, options: &GlobalOptions) -> Result<()> {
    let row = |table: &TableReport| {
        let sum = table.found.or(table.read);
        let number = |n: u64| Value::I64(i64::try_from(n).unwrap_or(i64::MAX));
        vec![
            listing::text(&table.source),
            listing::text(&table.target),
            sum.map_or(Value::Null, |sum| number(sum.rows)),
            number(table.bad.len() as u64),
            sum.map_or(Value::Null, listing::text),
            listing::text(if report.dry_run {
                "not copied"
            } else {
                outcome(table)
            }),
        ]
    };
    listing::print(
        options,
        &["from", "to", "rows", "left_out", "checksum", "outcome"],
        report.tables.iter().map(row),
    )
}

fn dry(report: &CopyReport) -> std::io::Result<()> {
    let mut out = stdout().lock();
    if !report.created.is_empty() {
        writeln!(out, "-- Statements that create what the target lacks:")?;
        for statement in &report.created {
            writeln!(out, "{statement};")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "-- Tables, in the order in which they are copied:")?;
    for table in &report.tables {
        writeln!(out, "-- {} to {}", table.source, table.target)?;
    }
    Ok(())
}

fn in_json(report: &CopyReport) -> std::io::Result<()> {
    let bad = |bad: &Bad| {
        let key: BTreeMap<&str, &str> = bad
            .key
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        json!({ "key": key, "column": bad.column, "why": bad.why })
    };
    let table = |table: &TableReport| {
        json!({
            "from": table.source.to_string(),
            "to": table.target.to_string(),
            "outcome": outcome(table),
            "rows": table.found.map(|sum| sum.rows),
            "source_checksum": table.read.map(|sum| sum.to_string()),
            "target_checksum": table.found.map(|sum| sum.to_string()),
            "left_out": table.bad.iter().map(bad).collect::<Vec<_>>(),
            "broken_references": table.orphans,
            "notes": table.notes,
        })
    };
    let value = json!({
        "equal": report.is_equal(),
        "resumed": report.resumed,
        "dry_run": report.dry_run,
        "created": report.created,
        "not_carried": report.left,
        "broken_references_of_others": report
            .dangling
            .iter()
            .map(|(table, rows)| json!({ "table": table.to_string(), "rows": rows }))
            .collect::<Vec<_>>(),
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
    });
    let mut out = stdout().lock();
    serde_json::to_writer_pretty(&mut out, &value)?;
    writeln!(out)
}

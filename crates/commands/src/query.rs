use std::io::{BufWriter, ErrorKind, IsTerminal, Read, Write, stdin, stdout};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use underpin::query::Describe;
use underpin::{Class, Database, Error, Result, Value, ValueRow};

use crate::exit::Exit;
use crate::format::{Format, printer};
use crate::interrupt::interruptible;
use crate::open::open;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `query`.
#[derive(Debug, Clone, Args)]
pub struct QueryArguments {
    /// The statement, in the engine's own SQL; `-` reads it from standard input
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub sql: Option<String>,

    /// A file with the statement
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// The value of $1, then of $2, and so on, as text that the server reads as the type that
    /// it expects; a number on SQLite where it looks like one
    #[arg(
        long = "param",
        short,
        value_name = "VALUE",
        allow_hyphen_values = true
    )]
    pub params: Vec<String>,
}

/// Runs the statement and prints its rows as they arrive.
pub(crate) async fn run(arguments: &QueryArguments, options: &GlobalOptions) -> Result<Exit> {
    let sql = arguments.statement()?;
    let work = async {
        let database = open(options).await?;
        let result = answer(&database, &sql, arguments, options).await;
        let closed = database.close(Duration::from_secs(5)).await;
        result.and(closed).map(|()| Exit::Success)
    };
    interruptible(work, async || String::new()).await
}

/// Prints the rows of a statement that has some, and what became of one that has none.
async fn answer(
    database: &Database,
    sql: &str,
    arguments: &QueryArguments,
    options: &GlobalOptions,
) -> Result<()> {
    // Where nothing can be told beforehand, the rows tell.
    let described = database.describe(sql).await.ok();
    let parameters = described.iter().flat_map(|described| &described.parameters);
    let takes_anything = parameters.map(|parameter| parameter.type_name == "any");
    let values = arguments.values(&takes_anything.collect::<Vec<bool>>());
    if described.is_none_or(|described| !described.columns.is_empty()) {
        return stream(database, sql, values, options).await;
    }
    let changed = database.execute(sql, values).await?;
    or_broken_pipe(match options.format {
        Format::Table if !changes_rows(sql) => writeln!(stdout(), "done"),
        Format::Table if changed == 1 => writeln!(stdout(), "1 row changed"),
        Format::Table => writeln!(stdout(), "{changed} rows changed"),
        Format::Json => writeln!(stdout(), "{{\"rows_changed\":{changed}}}"),
        Format::Csv => writeln!(stdout(), "rows_changed\n{changed}"),
    })
}

/// The number that a text is the usual form of: `7` and `-1.5`, but neither `007` nor `1e3`.
fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return (whole.to_string() == text).then_some(Value::I64(whole));
    }
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
    let float = text.parse::<f64>().ok().filter(|_| is_plain)?;
    (float.to_string() == text).then_some(Value::F64(float))
}

/// Whether a statement without columns changes rows, by its first word.
fn changes_rows(sql: &str) -> bool {
    let mut rest = sql.trim_start();
    while let Some((_, after)) = match rest.get(..2) {
        Some("--") => rest.split_once('\n'),
        Some("/*") => rest.split_once("*/"),
        _ => None,
    } {
        rest = after.trim_start();
    }
    let first = rest.split(|c: char| !c.is_ascii_alphabetic()).next();
    let changes = [
        "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "WITH", "COPY",
    ];
    changes
        .iter()
        .any(|word| first.is_some_and(|first| first.eq_ignore_ascii_case(word)))
}

async fn stream(
    database: &Database,
    sql: &str,
    params: Vec<Value>,
    options: &GlobalOptions,
) -> Result<()> {
    let mut rows = database.query_stream::<ValueRow>(sql, params).await?;
    let terminal = stdout().is_terminal();
    let mut printer = printer(options.format, rows.columns(), terminal);
    let mut out = BufWriter::with_capacity(64 * 1024, stdout());
    while let Some(row) = rows.next().await {
        let mut printed = printer.row(&row?, &mut out);
        if terminal {
            printed = printed.and_then(|()| out.flush());
        }
        match printed {
            // The reader has seen enough: `| head`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            other => or_broken_pipe(other)?,
        }
    }
    or_broken_pipe(printer.end(&mut out))
}

impl QueryArguments {
    /// The parameters: texts, which the engine reads as what it expects. Where it expects anything,
    /// a number is a number, since a text would compare with numbers as greater than all of them.
    fn values(&self, takes_anything: &[bool]) -> Vec<Value> {
        let value = |(at, text): (usize, &String)| match number(text) {
            Some(number) if takes_anything.get(at) == Some(&true) => number,
            _ => Value::Text(text.clone()),
        };
        self.params.iter().enumerate().map(value).collect()
    }

    fn statement(&self) -> Result<String> {
        let unreadable = |what: &str, error: std::io::Error| {
            Error::new(
                Class::Config,
                format!("The statement cannot be read from {what}: {error}."),
            )
        };
        if let Some(path) = &self.file {
            return std::fs::read_to_string(path)
                .map_err(|error| unreadable(&path.display().to_string(), error));
        }
        let sql = self.sql.as_deref().unwrap_or("-");
        if sql != "-" {
            return Ok(sql.to_owned());
        }
        let mut text = String::new();
        stdin()
            .read_to_string(&mut text)
            .map_err(|error| unreadable("standard input", error))?;
        Ok(text)
    }
}

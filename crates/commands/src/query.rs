use std::io::{BufWriter, ErrorKind, IsTerminal, Read, Write, stdin, stdout};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use underpin::{Class, Database, Error, Result, Value, ValueRow};

use crate::exit::Exit;
use crate::format::printer;
use crate::open::open;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// What to run.
#[derive(Debug, Clone, Args)]
pub struct QueryArguments {
    /// The statement, in the engine's own SQL; `-` reads it from standard input
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub sql: Option<String>,

    /// A file with the statement
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// The value of $1, then of $2, and so on, as text that the server reads as the type that
    /// it expects
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
    let database = open(options).await?;
    let result = stream(&database, &sql, arguments, options).await;
    let closed = database.close(Duration::from_secs(5)).await;
    result.and(closed)?;
    Ok(Exit::Success)
}

async fn stream(
    database: &Database,
    sql: &str,
    arguments: &QueryArguments,
    options: &GlobalOptions,
) -> Result<()> {
    let params: Vec<Value> = arguments.params.iter().cloned().map(Value::Text).collect();
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

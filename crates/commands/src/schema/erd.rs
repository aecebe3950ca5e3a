use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use underpin::schema::{Schema, Source, erd};
use underpin::{Class, Error, Result};

use super::filter::Filter;
use super::origins;
use crate::exit::Exit;
use crate::migrate::Project;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `schema erd`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct ErdArguments {
    /// Where the schema comes from: database, a URL, models, revisions, or a path of SQL
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,

    /// Write a Mermaid diagram instead of an SVG
    #[arg(long)]
    pub mermaid: bool,

    /// Which columns to draw
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = DrawnColumns::All)]
    pub columns: DrawnColumns,

    /// The file to write, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Selection
    #[command(flatten)]
    pub filter: Filter,
}

/// Which columns a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum DrawnColumns {
    /// All of them
    All,
    /// Those of keys
    Keys,
    /// None
    None,
}

/// Draws the tables of a schema and their foreign keys.
pub(super) async fn run(
    arguments: &ErdArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let source = origins::source_or(arguments.source.as_ref(), Source::Database)?;
    let sources = origins::sources(&[&source], options, project)?;
    let read = sources.read(&source, &arguments.filter.selection()).await?;
    let picture = arguments.picture(&read.schema);
    match &arguments.output {
        None => or_broken_pipe(stdout().lock().write_all(picture.as_bytes()))?,
        Some(path) => std::fs::write(path, picture).map_err(|error| {
            let path = path.display();
            Error::new(Class::Config, format!("{path} cannot be written: {error}."))
        })?,
    }
    Ok(Exit::Success)
}

impl ErdArguments {
    fn picture(&self, schema: &Schema) -> String {
        let columns = match self.columns {
            DrawnColumns::All => erd::Columns::All,
            DrawnColumns::Keys => erd::Columns::Keys,
            DrawnColumns::None => erd::Columns::None,
        };
        match self.mermaid {
            true => erd::mermaid(schema, columns),
            false => erd::svg(schema, columns),
        }
    }
}

use std::io::{Write, stdout};

use clap::Args;
use serde_json::{Value as Json, json};
use underpin::schema::{Schema, Selection, Source};
use underpin::{Class, Error, Result, Value};

use super::filter::Filter;
use super::{origins, unsupported};
use crate::exit::Exit;
use crate::format::Format;
use crate::listing::{print, text};
use crate::migrate::Project;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

mod found;
mod grid;
mod list;
mod page;
mod rows;
mod words;

use found::Found;

/// Arguments of `schema show`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct ShowArguments {
    /// Tables, views, enums, domains, sequences or functions: users, shop.users, or a pattern
    /// such as `user*`; none: a list of everything
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// Where the schema comes from, instead of the database: a URL, models, revisions, or a
    /// path of SQL
    #[arg(long = "from", value_name = "SOURCE")]
    pub source: Option<String>,

    /// Selection
    #[command(flatten)]
    pub filter: Filter,
}

/// Prints a list of what there is, or all that there is to know of what is named.
pub(super) async fn run(
    arguments: &ShowArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let source = origins::source_or(arguments.source.as_ref(), Source::Database)?;
    let sources = origins::sources(&[&source], options, project)?;
    let mut selection = arguments.filter.selection();
    // The history is there for who asks for it by its name.
    let history = underpin::migrate::HISTORY_TABLE;
    if arguments.names.iter().any(|name| name.ends_with(history)) {
        selection = Selection {
            tables: vec!["*".to_owned(), history.to_owned()],
            ..selection
        };
    }
    let schema = sources.read(&source, &selection).await?.schema;
    if arguments.names.is_empty() {
        let counts = match &source {
            Source::Database => rows::estimated(&options.load()?).await?,
            Source::Url(config) => rows::estimated(config).await?,
            _ => rows::Estimates::default(),
        };
        list::print(&schema, &counts, options)?;
        unsupported::named(&schema);
        return Ok(Exit::Success);
    }
    let mut found = Vec::new();
    for name in &arguments.names {
        let more = found::named(&schema, name);
        if more.is_empty() {
            return Err(Error::new(
                Class::Missing,
                format!("There is no table, view, type, sequence or function {name}."),
            )
            .with_hint(found::near(&schema, name)));
        }
        found.extend(more);
    }
    found.dedup();
    print_found(&schema, &found, options)?;
    Ok(Exit::Success)
}

fn print_found(schema: &Schema, found: &[Found<'_>], options: &GlobalOptions) -> Result<()> {
    match options.format {
        Format::Table => {
            let mut out = stdout().lock();
            let mut pages = found.iter().enumerate();
            or_broken_pipe(pages.try_for_each(|(number, one)| {
                if number > 0 {
                    writeln!(out)?;
                }
                page::write(&mut out, schema, one)
            }))
        }
        Format::Json => or_broken_pipe(json(found)),
        Format::Csv => {
            let columns = ["object", "column", "type", "null", "default", "comment"];
            let rows = found.iter().flat_map(columns_of);
            print(options, &columns, rows)
        }
    }
}

fn json(found: &[Found<'_>]) -> std::io::Result<()> {
    let value = |one: &Found<'_>| -> std::io::Result<Json> {
        let mut value = json!({"kind": one.kind(), "name": one.name()});
        let whole = one.whole()?;
        if let (Some(value), Json::Object(whole)) = (value.as_object_mut(), whole) {
            value.extend(whole);
        }
        Ok(value)
    };
    let all: Vec<Json> = found.iter().map(value).collect::<std::io::Result<_>>()?;
    let mut out = stdout().lock();
    serde_json::to_writer_pretty(&mut out, &all)?;
    writeln!(out)
}

/// The columns of what has some, for programs that read CSV.
fn columns_of(found: &Found<'_>) -> Vec<Vec<Value>> {
    let or_null = |shown: Option<String>| shown.map_or(Value::Null, Value::Text);
    let name = found.name();
    page::columns(found)
        .into_iter()
        .map(|column| {
            vec![
                text(&name),
                text(column.name),
                text(column.data_type),
                text(column.null),
                or_null(column.default),
                or_null(column.comment),
            ]
        })
        .collect()
}

use std::io::{Write, stdout};

use underpin::migrate::{Graph, Revision, Script, Target, entry};
use underpin::{Class, Engine, Error, Result};

use super::list::state;
use super::listing::{ids, names, print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::format::Format;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Prints what there is to know of one revision and, for people, its SQL.
pub(super) async fn run(
    wanted: &str,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let migrator = revisions.migrator(options)?;
    let graph = migrator.graph()?;
    let revision = find(&graph, wanted)?;
    let entry = entry(&graph, &migrator.history().await?, revision);
    let mut rows = vec![
        vec![text("id"), text(&entry.id)],
        vec![text("message"), text(&entry.message)],
        vec![text("parents"), ids(&entry.parents)],
        vec![text("children"), ids(&entry.children)],
        vec![text("depends on"), ids(&entry.depends_on)],
        vec![text("branch"), names(&entry.branch_labels)],
        vec![text("file"), text(&revision.origin)],
        vec![text("checksum"), text(revision.checksum)],
        vec![text("state"), text(state(&entry))],
    ];
    if let Some(applied) = &entry.applied {
        rows.push(vec![text("applied_at"), text(applied.applied_at)]);
        rows.push(vec![
            text("duration_ms"),
            text(applied.duration.as_millis()),
        ]);
        rows.push(vec![text("version"), text(&applied.version)]);
    }
    print(options, &["property", "value"], rows)?;
    if options.format == Format::Table {
        or_broken_pipe(sql(revision))?;
    }
    Ok(Exit::Success)
}

fn find<'g>(graph: &'g Graph, wanted: &str) -> Result<&'g Revision> {
    let target: Target = wanted.parse()?;
    let ends = graph.ends(&target)?.unwrap_or_default();
    match ends[..] {
        [revision] => Ok(revision),
        _ => Err(Error::new(
            Class::Config,
            format!("`{target}` does not name a single revision to show."),
        )
        .with_hint("Name a revision by its id, or a head as in `head` and `shop@head`.")),
    }
}

fn sql(revision: &Revision) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for (way, script) in [("up", &revision.up), ("down", &revision.down)] {
        match script {
            Script::Code => writeln!(out, "\n-- {way} code")?,
            Script::Irreversible { reason } => {
                let word = if way == "up" {
                    "adopted"
                } else {
                    "irreversible"
                };
                writeln!(out, "\n-- {way}: {word}: {reason}")?;
            }
            Script::Sql(sections) => {
                for section in sections {
                    let engine = section.engine.map_or("", Engine::name);
                    let alone = match section.transactional {
                        true => "",
                        false => " no-transaction",
                    };
                    let words = format!("-- {way} {engine}{alone}").replace("  ", " ");
                    writeln!(out, "\n{}", words.trim_end())?;
                    for statement in &section.statements {
                        writeln!(out, "{};", statement.sql)?;
                    }
                }
            }
        }
    }
    Ok(())
}

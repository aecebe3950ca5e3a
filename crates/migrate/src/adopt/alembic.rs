use std::collections::{BTreeSet, HashMap};

use underpin_core::{Engine, Error, Result};

use super::body::{self, Part, at, parts};
use super::migration::{Migration, Way, id_of, label_of};
use super::offline::{self, Body, Scripts};
use super::python::{self, Module};
use super::{Adoption, Found, Record, Source, Tool, no_file, refused};
use crate::revision::RevisionId;
use crate::touched::touched;

const NAMES: [&str; 4] = ["revision", "down_revision", "branch_labels", "depends_on"];

/// A revision of Alembic, by the names that it uses itself.
struct Script<'a> {
    source: &'a Source,
    id: String,
    parents: Vec<String>,
    labels: Vec<String>,
    depends_on: Vec<String>,
    message: String,
}

/// Alembic's graph as it is, with the SQL that Alembic printed for it. The body of a
/// revision is Python, and not read.
pub(super) fn read(
    adoption: &Adoption,
    sources: &[Source],
    sql: &[Source],
    records: &[Record],
    engine: Engine,
) -> Result<Found> {
    let scripts = scripts(sources)?;
    let (sql, percents) = offline::without_doubled_percents(sql);
    let printed = offline::cut(&sql)?;
    let table = adoption.table.as_deref().unwrap_or(Tool::Alembic.table());
    for prelude in &printed.preludes {
        let rest = parts(prelude, engine, true, |sql| is_of_table(sql, table, engine))?;
        let statement = rest
            .iter()
            .flat_map(|part| body::statements(&part.text, engine))
            .next();
        if let Some(statement) = statement {
            let message = format!("`{statement}` stands before the first revision, and in none.");
            return Err(at(prelude, 1, &message)
                .with_hint("Put it into a revision of Alembic, or take it out of the text."));
        }
    }
    let mut found = Found {
        notes: percents,
        ..Found::default()
    };
    for script in &scripts {
        found
            .migrations
            .push(migration(script, &scripts, &printed, table, engine)?);
        note_names(script, &mut found.notes)?;
    }
    found.applied = applied(&scripts, &found.migrations, records)?;
    let bare: Vec<&Migration> = found
        .migrations
        .iter()
        .filter(|migration| matches!(migration.up, Way::None(_)))
        .collect();
    match &bare[..] {
        [] => {}
        bare if adoption.without_sql => {
            let pending = bare.iter().find(|one| !found.applied.contains(&one.id));
            if let Some(pending) = pending {
                return Err(pending_without_sql(pending));
            }
            found.notes.push(format!(
                "{} of {} revisions have no way up here, since theirs is Python: they count as \
                 applied in this database, and a new one cannot be made from them.",
                bare.len(),
                found.migrations.len()
            ));
        }
        bare => return Err(no_sql(bare, sql.is_empty())),
    }
    Ok(found)
}

fn no_sql(bare: &[&Migration], none_given: bool) -> Error {
    const SHOWN: usize = 5;
    let mut named: Vec<String> = bare
        .iter()
        .take(SHOWN)
        .map(|one| format!("`{}`", one.id))
        .collect();
    if bare.len() > SHOWN {
        named.push(format!("and {} more", bare.len() - SHOWN));
    }
    let named = named.join(", ");
    let message = match none_given {
        true => format!(
            "The revisions of Alembic are Python, which is not read as SQL, and there is no SQL \
             for them: {named}."
        ),
        false => format!("The given SQL does not contain these revisions: {named}."),
    };
    refused(message).with_hint(
        "Write it to a file with `alembic upgrade heads --sql`, and for the way down `alembic \
         downgrade HEAD:base --sql` for each head, and name each file with --sql. Or use --baseline: \
         then one revision is written from the database as it is. Or use --without-sql: then \
         revisions that are applied here count as applied, but a new database cannot be created \
         from the revisions.",
    )
}

fn pending_without_sql(pending: &Migration) -> Error {
    refused(format!(
        "The revision `{}` is not applied here, and it cannot be applied without its SQL.",
        pending.id
    ))
    .with_hint("Apply it with Alembic first, or pass its SQL with --sql.")
}

fn scripts(sources: &[Source]) -> Result<Vec<Script<'_>>> {
    let mut scripts: Vec<Script<'_>> = Vec::new();
    for source in sources.iter().filter(|source| source.name.ends_with(".py")) {
        let mistaken = |(line, sentence): python::Mistake| {
            at(source, line, &sentence)
                .with_hint("Write it as a literal: a string, a tuple of strings, or None.")
        };
        let module = python::read(&source.text, &NAMES).map_err(mistaken)?;
        let Some(script) = script(source, &module) else {
            continue;
        };
        if let Some(other) = scripts.iter().find(|other| other.id == script.id) {
            let message = format!("{} has the same revision.", other.source.path);
            return Err(at(source, 1, &message));
        }
        scripts.push(script);
    }
    Ok(scripts)
}

/// A module without `revision` is none.
fn script<'a>(source: &'a Source, module: &Module) -> Option<Script<'a>> {
    let texts = |name: &str| {
        let value = module.assigned.get(name);
        value.map_or_else(Vec::new, |(value, _)| value.texts())
    };
    let first = module
        .docstring
        .lines()
        .find(|line| !line.trim().is_empty());
    Some(Script {
        source,
        id: texts("revision").into_iter().next()?,
        parents: texts("down_revision"),
        labels: texts("branch_labels"),
        depends_on: texts("depends_on"),
        message: first.unwrap_or_default().trim().to_owned(),
    })
}

fn migration(
    script: &Script<'_>,
    all: &[Script<'_>],
    printed: &Scripts,
    table: &str,
    engine: Engine,
) -> Result<Migration> {
    let way = |bodies: &HashMap<String, Vec<Body>>, reason| match bodies.get(&script.id) {
        Some(bodies) => Ok(Way::Sql(body_of(script, bodies, table, engine)?)),
        None => Ok::<Way, Error>(Way::None(reason)),
    };
    let up = way(
        &printed.up,
        format!("its way up is the Python of {}.", script.source.name),
    )?;
    let down = way(
        &printed.down,
        "It was adopted without the SQL of its way down.".to_owned(),
    )?;
    let id = id_of(&script.id)?;
    let ids = |names: &[String]| -> Result<Vec<RevisionId>> {
        names
            .iter()
            .map(|name| id_of(&named(name, script, all)?.id))
            .collect()
    };
    let mut migration = Migration::new(id, &script.message, &script.source.name, up, down);
    migration.parents = ids(&script.parents)?;
    migration.depends_on = ids(&script.depends_on)?;
    let labels = script.labels.iter().map(|label| label_of(label));
    migration.branch_labels = labels.collect::<Result<_>>()?;
    Ok(migration)
}

/// The SQL of one way, which may be there several times and has to be the same then.
fn body_of(script: &Script<'_>, bodies: &[Body], table: &str, engine: Engine) -> Result<Vec<Part>> {
    let statements = |parts: &[Part]| -> Vec<String> {
        let statements = parts
            .iter()
            .map(|part| body::statements(&part.text, engine));
        statements.flatten().collect()
    };
    let mut first: Option<Vec<Part>> = None;
    for Body { line, source } in bodies {
        let parts = parts(source, engine, true, |sql| is_of_table(sql, table, engine))?;
        match &first {
            None => first = Some(parts),
            Some(first) if statements(first) == statements(&parts) => {}
            Some(_) => {
                let message = format!("The SQL of {} exists twice, with differences.", script.id);
                return Err(at(source, *line, &message)
                    .with_hint("Generate all of it again with Alembic, from the same revisions."));
            }
        }
    }
    Ok(first.unwrap_or_default())
}

/// Whether the statement is about Alembic's own table.
fn is_of_table(sql: &str, table: &str, engine: Engine) -> bool {
    let table = table.rsplit('.').next().unwrap_or_default();
    let objects = touched(sql, Some(engine));
    objects
        .iter()
        .any(|object| object.kind == "table" && object.name == table)
}

/// The revision that another names by its id, its label, or the beginning of its id.
fn named<'s, 'a>(text: &str, by: &Script<'_>, all: &'s [Script<'a>]) -> Result<&'s Script<'a>> {
    let by_id = all.iter().find(|script| script.id == text);
    let by_label = || {
        all.iter()
            .find(|script| script.labels.iter().any(|l| l == text))
    };
    let by_beginning = || {
        let mut fit = all.iter().filter(|script| script.id.starts_with(text));
        fit.next().filter(|_| fit.next().is_none())
    };
    by_id
        .or_else(by_label)
        .or_else(by_beginning)
        .ok_or_else(|| {
            let message = format!("The revision stands on {text:?}, but there is no file for it.");
            at(by.source, 1, &message).with_hint("Set --dir to the directory with all of them.")
        })
}

fn note_names(script: &Script<'_>, notes: &mut Vec<String>) -> Result<()> {
    let id = id_of(&script.id)?;
    if id.as_str() != script.id {
        notes.push(format!(
            "The revision {:?} is called `{id}` here.",
            script.id
        ));
    }
    for label in &script.labels {
        let own = label_of(label)?;
        if own.as_str() != label {
            notes.push(format!("The branch {label:?} is called `{own}` here."));
        }
    }
    Ok(())
}

/// Alembic records only what nothing else stands on; all below is applied.
fn applied(
    scripts: &[Script<'_>],
    migrations: &[Migration],
    records: &[Record],
) -> Result<Vec<RevisionId>> {
    let by_id: HashMap<&RevisionId, &Migration> = migrations
        .iter()
        .map(|migration| (&migration.id, migration))
        .collect();
    let mut left: Vec<RevisionId> = Vec::new();
    for record in records {
        let version = record.version.clone().unwrap_or_default();
        if !scripts.iter().any(|script| script.id == version) {
            return Err(no_file(Tool::Alembic, &version));
        }
        left.push(id_of(&version)?);
    }
    let mut applied: BTreeSet<RevisionId> = BTreeSet::new();
    while let Some(id) = left.pop() {
        if applied.insert(id.clone())
            && let Some(migration) = by_id.get(&id)
        {
            left.extend(
                migration
                    .parents
                    .iter()
                    .chain(&migration.depends_on)
                    .cloned(),
            );
        }
    }
    Ok(applied.into_iter().collect())
}

use std::collections::BTreeMap;

use underpin_core::{Engine, Result};

use super::migration::{Migration, Way, chain, id_of};
use super::{Found, Record, Source, Tool, no_file, refused};

/// What a directory of Diesel's has.
#[derive(Default)]
struct Files<'a> {
    directory: &'a str,
    up: Option<&'a Source>,
    down: Option<&'a Source>,
    alone: bool,
}

/// `VERSION_NAME/up.sql` and `down.sql`; `metadata.toml` may take the transaction away.
pub(super) fn read(sources: &[Source], records: &[Record], engine: Engine) -> Result<Found> {
    let mut versions: BTreeMap<String, Files<'_>> = BTreeMap::new();
    for source in sources {
        let Some((directory, file)) = source.name.split_once('/') else {
            continue;
        };
        let files = versions.entry(version(directory)).or_default();
        if !files.directory.is_empty() && files.directory != directory {
            return Err(refused(format!(
                "The directories {} and {directory} have the same version.",
                files.directory
            )));
        }
        files.directory = directory;
        match file {
            "up.sql" => files.up = Some(source),
            "down.sql" => files.down = Some(source),
            "metadata.toml" => files.alone = runs_alone(&source.text),
            _ => {}
        }
    }
    versions.retain(|_, files| files.up.is_some());
    let mut found = Found::default();
    for (version, files) in &versions {
        let (_, name) = files.directory.split_once('_').unwrap_or_default();
        let up = match files.up {
            Some(up) => Way::of(up, engine, !files.alone),
            None => Way::Sql(Vec::new()),
        };
        let down = match files.down {
            Some(down) => Way::of(down, engine, !files.alone),
            None => Way::None("Diesel had no way down for it.".to_owned()),
        };
        let source = format!("{}/up.sql", files.directory);
        let message = name.replace('_', " ");
        let migration = Migration::new(id_of(version)?, &message, &source, up, down);
        found.migrations.push(migration);
    }
    for record in records {
        let version = record.version.clone().unwrap_or_default();
        if !versions.contains_key(&version) {
            return Err(no_file(Tool::Diesel, &version));
        }
        found.applied.push(id_of(&version)?);
    }
    chain(&mut found.migrations);
    Ok(found)
}

/// As Diesel has it: what stands before the first underscore, without dashes.
fn version(directory: &str) -> String {
    let first = directory.split('_').next().unwrap_or_default();
    first.replace('-', "")
}

fn runs_alone(metadata: &str) -> bool {
    metadata.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let pair = line
            .split_once('=')
            .map(|(key, value)| (key.trim(), value.trim()));
        pair == Some(("run_in_transaction", "false"))
    })
}

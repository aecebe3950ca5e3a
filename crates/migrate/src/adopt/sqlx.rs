use std::collections::BTreeMap;

use sha2::{Digest, Sha384};
use underpin_core::{Engine, Result};

use super::body::at;
use super::migration::{Migration, Way, chain, id_of};
use super::{Found, Record, Source, Tool, changed, failed, no_file};

/// The way up and the way down of one version.
#[derive(Default)]
struct Files<'a> {
    up: Option<&'a Source>,
    down: Option<&'a Source>,
}

/// `VERSION_DESCRIPTION.sql`, or `.up.sql` and `.down.sql`; other names are not sqlx's.
pub(super) fn read(sources: &[Source], records: &[Record], engine: Engine) -> Result<Found> {
    let mut versions: BTreeMap<i64, Files<'_>> = BTreeMap::new();
    for source in sources {
        let Some((version, rest)) = source.name.split_once('_') else {
            continue;
        };
        if source.name.contains('/') || !rest.ends_with(".sql") {
            continue;
        }
        let version = version.parse().map_err(|_| {
            at(
                source,
                1,
                "The name of the file does not begin with a number.",
            )
        })?;
        let files = versions.entry(version).or_default();
        let way = match rest.ends_with(".down.sql") {
            true => &mut files.down,
            false => &mut files.up,
        };
        if let Some(other) = way.replace(source) {
            return Err(at(
                source,
                1,
                &format!("{} has the same version.", other.path),
            ));
        }
    }
    let mut found = Found::default();
    for (version, files) in &versions {
        if let Some(up) = files.up {
            found
                .migrations
                .push(migration(*version, up, files.down, engine)?);
        }
    }
    for record in records {
        let version = record.version.clone().unwrap_or_default();
        if !record.sound {
            return Err(failed(Tool::Sqlx, &version));
        }
        let number: Option<i64> = version.parse().ok();
        let up = number.and_then(|number| versions.get(&number)?.up);
        let up = up.ok_or_else(|| no_file(Tool::Sqlx, &version))?;
        if record.checksum.as_deref() != Some(&checksum(&up.text)) {
            return Err(changed(Tool::Sqlx, &up.path));
        }
        found.applied.push(id_of(&version)?);
    }
    chain(&mut found.migrations);
    Ok(found)
}

fn migration(
    version: i64,
    up: &Source,
    down: Option<&Source>,
    engine: Engine,
) -> Result<Migration> {
    let (_, rest) = up.name.split_once('_').unwrap_or_default();
    let described = rest.trim_end_matches(".sql").trim_end_matches(".up");
    Ok(Migration::new(
        id_of(&version.to_string())?,
        &described.replace('_', " "),
        &up.name,
        way(up, engine),
        match down {
            Some(down) => way(down, engine),
            None => Way::None("sqlx had no way down for it.".to_owned()),
        },
    ))
}

fn way(source: &Source, engine: Engine) -> Way {
    let wraps = !source.text.starts_with("-- no-transaction");
    Way::of(source, engine, wraps)
}

fn checksum(text: &str) -> String {
    let bytes = Sha384::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

use std::collections::BTreeMap;

use underpin_core::{Engine, Result};

use super::body::at;
use super::migration::{Migration, Way, chain, id_of};
use super::{Found, Record, Source, Tool, failed, no_file, refused};

/// What belongs to one version.
#[derive(Default)]
struct Files<'a> {
    version: &'a str,
    title: &'a str,
    up: Option<&'a Source>,
    down: Option<&'a Source>,
}

/// `VERSION_TITLE.up.sql` and `.down.sql`. The table has the last version alone, and all
/// before it is applied.
pub(super) fn read(sources: &[Source], records: &[Record], engine: Engine) -> Result<Found> {
    let mut versions: BTreeMap<u64, Files<'_>> = BTreeMap::new();
    for source in sources {
        let Some((number, version, title, up)) = apart(&source.name) else {
            continue;
        };
        let files = versions.entry(number).or_default();
        (files.version, files.title) = (version, title);
        let way = if up { &mut files.up } else { &mut files.down };
        if let Some(other) = way.replace(source) {
            let message = format!("{} has the same version.", other.path);
            return Err(at(source, 1, &message));
        }
    }
    let mut found = Found::default();
    for files in versions.values() {
        // A version may have a way down alone; going up through it does nothing.
        let up = match files.up {
            Some(up) => Way::of(up, engine, true),
            None => Way::Sql(Vec::new()),
        };
        let down = match files.down {
            Some(down) => Way::of(down, engine, true),
            None => Way::None("golang-migrate had no way down for it.".to_owned()),
        };
        let source = files.up.or(files.down).map_or("", |source| &source.name);
        let message = files.title.replace(['_', '-'], " ");
        let id = id_of(files.version)?;
        found
            .migrations
            .push(Migration::new(id, &message, source, up, down));
    }
    chain(&mut found.migrations);
    let last = match records {
        [] => return Ok(found),
        [last] => last,
        _ => {
            return Err(refused(format!(
                "The table of golang-migrate has {} rows, but it never has more than one.",
                records.len()
            ))
            .with_hint("Another tool may own the table; set --table to the right one."));
        }
    };
    let version = last.version.clone().unwrap_or_default();
    if !last.sound {
        return Err(failed(Tool::GolangMigrate, &version));
    }
    let number: Option<u64> = version.parse().ok();
    let number = number.filter(|number| versions.contains_key(number));
    let number = number.ok_or_else(|| no_file(Tool::GolangMigrate, &version))?;
    for files in versions.range(..=number).map(|(_, files)| files) {
        found.applied.push(id_of(files.version)?);
    }
    Ok(found)
}

/// The version as a number and as it is written, the title, and whether it is the way up.
fn apart(name: &str) -> Option<(u64, &str, &str, bool)> {
    let (version, rest) = name.split_once('_')?;
    let rest = rest.strip_suffix(".sql")?;
    let (title, way) = rest.rsplit_once('.')?;
    let number = version.parse().ok()?;
    match way {
        "up" => Some((number, version, title, true)),
        "down" => Some((number, version, title, false)),
        _ => None,
    }
}

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;
use underpin_core::{Engine, Result};

use super::body::at;
use super::migration::{Migration, Way, chain, id_of};
use super::{Found, Record, Source, Tool, changed, no_file};

/// `V1__name.sql` and `U1__name.sql`, which share one line of versions.
pub(super) fn read(sources: &[Source], records: &[Record], engine: Engine) -> Result<Found> {
    let mut versions: BTreeMap<i64, (&Source, &str)> = BTreeMap::new();
    for source in sources {
        let file = source.name.rsplit('/').next().unwrap_or_default();
        let Some((version, name, _)) = apart(file) else {
            continue;
        };
        if let Some((other, _)) = versions.insert(version, (source, name)) {
            let message = format!("{} has the same version.", other.path);
            return Err(at(source, 1, &message));
        }
    }
    let mut found = Found::default();
    for (version, (source, name)) in &versions {
        found.migrations.push(Migration::new(
            id_of(&version.to_string())?,
            &name.replace('_', " "),
            &source.name,
            match source.name.ends_with(".rs") {
                true => Way::Left(format!(
                    "{} is Rust code, which cannot be adopted.",
                    source.path
                )),
                false => Way::of(source, engine, true),
            },
            Way::None("refinery has no ways down.".to_owned()),
        ));
    }
    for record in records {
        let version = record.version.clone().unwrap_or_default();
        let number: Option<i64> = version.parse().ok();
        let known = number.and_then(|number| Some((number, *versions.get(&number)?)));
        let (number, (source, name)) = known.ok_or_else(|| no_file(Tool::Refinery, &version))?;
        let recorded = record.checksum.as_deref().and_then(|sum| sum.parse().ok());
        // Of Rust code, refinery counts the SQL that it gives.
        let is_code = source.name.ends_with(".rs");
        if !is_code && !checksums(name, number, &source.text).any(|sum| Some(sum) == recorded) {
            return Err(changed(Tool::Refinery, &source.path));
        }
        found.applied.push(id_of(&version)?);
    }
    chain(&mut found.migrations);
    Ok(found)
}

/// The version, the name and the ending of a migration's file.
fn apart(file: &str) -> Option<(i64, &str, &str)> {
    let (version, rest) = file.strip_prefix(['V', 'U'])?.split_once("__")?;
    let (name, kind) = rest.rsplit_once('.')?;
    let known = matches!(kind, "sql" | "rs") && !name.is_empty();
    let version = version.parse().ok().filter(|_| known)?;
    Some((version, name, kind))
}

/// Versions had four bytes first, and may have eight.
fn checksums(name: &str, version: i64, sql: &str) -> impl Iterator<Item = u64> {
    let sum = |hash: &dyn Fn(&mut SipHasher13)| {
        let mut hasher = SipHasher13::new();
        name.hash(&mut hasher);
        hash(&mut hasher);
        sql.hash(&mut hasher);
        hasher.finish()
    };
    let short = i32::try_from(version).ok();
    let short = short.map(|version| sum(&|hasher| version.hash(hasher)));
    let long = sum(&|hasher| version.hash(hasher));
    short.into_iter().chain([long])
}

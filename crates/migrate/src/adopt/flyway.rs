use std::collections::{BTreeMap, BTreeSet};

use underpin_core::{Engine, Result};

use super::body::at;
use super::migration::{Migration, Way, chain, id_of};
use super::{Found, Record, Source, Tool, changed, failed, no_file, refused};
use crate::revision::RevisionId;

/// A version by its numbers, without the zeros that do not count.
type Version = Vec<u64>;

/// The files of a directory by what their names say.
#[derive(Default)]
struct Files<'a> {
    versioned: BTreeMap<Version, Named<'a>>,
    undo: BTreeMap<Version, Named<'a>>,
    /// By their descriptions.
    repeatable: BTreeMap<&'a str, &'a Source>,
    notes: Vec<String>,
}

struct Named<'a> {
    /// The version as it is written.
    version: &'a str,
    description: &'a str,
    source: &'a Source,
}

/// `V1.1__name.sql`, `U1.1__name.sql` and `R__name.sql`, in any directory below.
pub(super) fn read(sources: &[Source], records: &[Record], engine: Engine) -> Result<Found> {
    let files = files(sources)?;
    let past = Past::of(records)?;
    let mut found = Found {
        notes: files.notes,
        ..Found::default()
    };
    let without_file = |(version, record): &(&Version, &&Record)| {
        !files.versioned.contains_key(*version) && is_code(record)
    };
    let mut code = past.applied.iter().filter(without_file).peekable();
    for (version, named) in &files.versioned {
        let down = match files.undo.get(version) {
            Some(undo) => body(undo.source, sources, engine),
            None => Way::None("Flyway had no way down for it.".to_owned()),
        };
        let up = body(named.source, sources, engine);
        let id = id_of(named.version)?;
        while let Some((_, record)) = code.next_if(|(before, _)| *before < version) {
            found.code(record)?;
        }
        if past.has(version) {
            found.applied.push(id.clone());
        }
        let message = named.description.replace('_', " ");
        let source = &named.source.name;
        found
            .migrations
            .push(Migration::new(id, &message, source, up, down));
        note_placeholders(named.source, &mut found.notes);
    }
    for (_, record) in code {
        found.code(record)?;
    }
    for (version, record) in &past.applied {
        if is_code(record) {
            continue;
        }
        let written = record.version.as_deref().unwrap_or_default();
        let file = files.versioned.get(version);
        let source = file.ok_or_else(|| no_file(Tool::Flyway, written))?.source;
        is_unchanged(source, record)?;
    }
    for (description, source) in &files.repeatable {
        let (migration, applied) = repeatable(description, source, sources, &past, engine)?;
        if applied {
            found.applied.push(migration.id.clone());
        }
        note_placeholders(source, &mut found.notes);
        found.migrations.push(migration);
    }
    chain(&mut found.migrations);
    Ok(found)
}

/// Whether Flyway ran a program, and no file of SQL.
fn is_code(record: &Record) -> bool {
    let kind = record.kind.as_deref().unwrap_or_default();
    !matches!(kind, "" | "SQL")
}

impl Found {
    /// A migration that was a program, and has run.
    fn code(&mut self, record: &Record) -> Result<()> {
        let version = record.version.as_deref().unwrap_or_default();
        let name = record.name.as_deref().unwrap_or_default();
        let id = id_of(version)?;
        let described = name.split_once("__").map_or(name, |(_, rest)| rest);
        let described = described.split('.').next().unwrap_or_default();
        let reason = format!("{name} is a program of Flyway's, which cannot be adopted.");
        let down = Way::None("Flyway had no way down for it.".to_owned());
        let message = described.replace('_', " ");
        self.applied.push(id.clone());
        self.migrations
            .push(Migration::new(id, &message, name, Way::Left(reason), down));
        Ok(())
    }
}

/// A repeatable migration comes after all versions; as it stands now it is applied if it ran
/// as it stands now.
fn repeatable(
    description: &str,
    source: &Source,
    sources: &[Source],
    past: &Past<'_>,
    engine: Engine,
) -> Result<(Migration, bool)> {
    let id: RevisionId = id_of(&format!("r_{description}"))?;
    let file = source.name.rsplit('/').next().unwrap_or_default();
    let sum = checksum(&source.text).to_string();
    let applied = past.repeated.get(file).is_some_and(|record| *record == sum);
    let mut migration = Migration::new(
        id,
        &description.replace('_', " "),
        &source.name,
        body(source, sources, engine),
        Way::None("Flyway had no way down for it.".to_owned()),
    );
    migration.repeatable = true;
    Ok((migration, applied))
}

/// What the table says has happened, its rows in the order of their ranks.
#[derive(Default)]
struct Past<'a> {
    applied: BTreeMap<Version, &'a Record>,
    baseline: Option<Version>,
    /// The last checksum of each repeatable migration, by the name of its file.
    repeated: BTreeMap<String, String>,
}

impl<'a> Past<'a> {
    fn of(records: &'a [Record]) -> Result<Self> {
        let mut past = Past::default();
        let mut gone: BTreeSet<Version> = BTreeSet::new();
        for record in records {
            let name = record.name.clone().unwrap_or_default();
            let kind = record.kind.as_deref().unwrap_or_default();
            if !record.sound {
                return Err(failed(
                    Tool::Flyway,
                    record.version.as_deref().unwrap_or(&name),
                ));
            }
            let Some(text) = &record.version else {
                if kind != "SCHEMA" {
                    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
                    let sum = record.checksum.clone().unwrap_or_default();
                    past.repeated.insert(file.to_owned(), sum);
                }
                continue;
            };
            let version = numbers(text).ok_or_else(|| {
                refused(format!(
                    "Flyway's table has the version {text:?}, which is not a version."
                ))
            })?;
            match kind {
                "BASELINE" | "SQL_BASELINE" => past.baseline = Some(version),
                "DELETE" => {
                    past.applied.remove(&version);
                    gone.insert(version);
                }
                _ if kind.starts_with("UNDO_") => drop(past.applied.remove(&version)),
                _ => drop(past.applied.insert(version, record)),
            }
        }
        past.applied.retain(|version, _| !gone.contains(version));
        Ok(past)
    }

    /// A baseline says that the database had everything up to it before Flyway came.
    fn has(&self, version: &Version) -> bool {
        let below = |baseline: &Version| version <= baseline;
        self.applied.contains_key(version) || self.baseline.as_ref().is_some_and(below)
    }
}

fn files(sources: &[Source]) -> Result<Files<'_>> {
    let mut files = Files::default();
    for source in sources {
        let file = source.name.rsplit('/').next().unwrap_or_default();
        let Some((name, description)) = file
            .strip_suffix(".sql")
            .and_then(|stem| stem.split_once("__"))
        else {
            let stem = file.strip_suffix(".sql");
            if stem.is_some_and(|stem| CALLBACKS.iter().any(|callback| stem.starts_with(callback)))
            {
                files.notes.push(format!(
                    "{} was left out: it is a callback, which Flyway runs beside migrations. What \
                     has to run after all others goes into a repeatable revision.",
                    source.path
                ));
            }
            continue;
        };
        if CALLBACKS.iter().any(|callback| name.starts_with(callback)) {
            files
                .notes
                .push(format!("{} was left out: it is a callback.", source.path));
            continue;
        }
        if name == "R" {
            if let Some(other) = files.repeatable.insert(description, source) {
                return Err(same(source, other));
            }
            continue;
        }
        let (sort, version) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
        let Some(key) = numbers(version) else {
            continue;
        };
        let named = Named {
            version,
            description,
            source,
        };
        let other = match sort {
            "V" => files.versioned.insert(key, named),
            "U" => files.undo.insert(key, named),
            "B" => {
                files.notes.push(format!(
                    "{} was left out: a baseline represents versions that are adopted \
                     individually.",
                    source.path
                ));
                None
            }
            _ => None,
        };
        if let Some(other) = other {
            return Err(same(source, other.source));
        }
    }
    Ok(files)
}

/// What the names of callbacks begin with.
const CALLBACKS: [&str; 3] = ["before", "after", "createSchema"];

fn same(source: &Source, other: &Source) -> underpin_core::Error {
    at(source, 1, &format!("{} has the same version.", other.path))
}

/// The SQL of a file; one beside it with `.conf` behind its name may take the transaction
/// away.
fn body(source: &Source, sources: &[Source], engine: Engine) -> Way {
    let name = format!("{}.conf", source.name);
    let conf = sources.iter().find(|other| other.name == name);
    let alone = conf.is_some_and(|conf| {
        conf.text.lines().any(|line| {
            let pair = line
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim()));
            pair == Some(("executeInTransaction", "false"))
        })
    });
    Way::of(source, engine, !alone)
}

fn is_unchanged(source: &Source, record: &Record) -> Result<()> {
    match &record.checksum {
        Some(recorded) if *recorded != checksum(&source.text).to_string() => {
            Err(changed(Tool::Flyway, &source.path))
        }
        _ => Ok(()),
    }
}

/// What Flyway would have replaced stands in the revision as it is written.
fn note_placeholders(source: &Source, notes: &mut Vec<String>) {
    for (index, line) in source.text.lines().enumerate() {
        let found = line.find("${").and_then(|at| {
            let length = line[at..].find('}')?;
            Some(&line[at..=at + length])
        });
        if let Some(placeholder) = found {
            notes.push(format!(
                "{}, line {}: The placeholder {placeholder} is unchanged in the revision; replace \
                 it with its value before a new database is created.",
                source.path,
                index + 1
            ));
        }
    }
}

/// `1.02_0` as 1, 2.
fn numbers(version: &str) -> Option<Version> {
    let parts = version.split(['.', '_']).map(str::parse);
    let mut numbers: Version = parts.collect::<Result<_, _>>().ok()?;
    while numbers.len() > 1 && numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}

/// Flyway's: CRC-32 over the lines, without their ends.
fn checksum(text: &str) -> i32 {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let bytes = text.bytes().filter(|&byte| byte != b'\n');
    let sum = !bytes.fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            let odd = sum & 1 == 1;
            (sum >> 1) ^ if odd { 0xEDB8_8320 } else { 0 }
        })
    });
    sum.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_that_of_the_lines() {
        // The check value of CRC-32.
        assert_eq!(checksum("12345\r\n6789\n").cast_unsigned(), 0xCBF4_3926);
        assert_eq!(checksum("\u{feff}123456789"), checksum("123456789"));
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(numbers("1.02_0"), Some(vec![1, 2]));
        assert!(numbers("1.10") > numbers("1.9"));
        assert_eq!(numbers("1.x"), None);
        assert_eq!(numbers(""), None);
    }
}

use underpin::{Class, Error, Result};

use super::column::{Column, Rule};
use super::kind::{ImportKind, PASSWORD};

/// Which field of a record fills which column.
#[derive(Debug)]
pub(super) struct Header {
    /// How many fields a record has.
    pub(super) fields: usize,
    pub(super) filled: Vec<Filled>,
}

/// A column that the file fills.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filled {
    pub(super) column: &'static Column,
    /// The field, counted from 0.
    pub(super) field: usize,
}

impl Header {
    /// Finds the columns among the names in the first record, which is on `line`.
    pub(super) fn resolve(
        kind: ImportKind,
        names: &[String],
        maps: &[(String, String)],
        file: &str,
        line: u64,
    ) -> Result<Self> {
        let refuse = |what: String| wrong(format!("{file}, line {line}: {what}"));
        refuse_duplicates(names).map_err(refuse)?;
        refuse_unknown(kind, maps)?;
        let mut filled = Vec::new();
        for column in candidates(kind) {
            let map = maps.iter().find(|(name, _)| name == column.name);
            match map {
                Some((_, header)) => {
                    let field = names
                        .iter()
                        .position(|name| name == header)
                        .or_else(|| names.iter().position(|name| loosely(name, header)));
                    let Some(field) = field else {
                        return Err(refuse(missing(header, names)));
                    };
                    filled.push(Filled { column, field });
                }
                None => {
                    let exact = names.iter().position(|name| name == column.name);
                    let field =
                        exact.or_else(|| names.iter().position(|name| loosely(name, column.name)));
                    filled.extend(field.map(|field| Filled { column, field }));
                }
            }
        }
        require(kind, &filled, names).map_err(|(what, hint)| refuse(what).with_hint(hint))?;
        Ok(Header {
            fields: names.len(),
            filled,
        })
    }

    /// The table's columns, in the order in which a row has its values.
    pub(super) fn targets(&self) -> Vec<&'static str> {
        self.filled
            .iter()
            .map(|filled| filled.column.target())
            .collect()
    }

    /// Where among the values this column is.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.filled
            .iter()
            .position(|filled| filled.column.name == name)
    }

    /// The column that this field fills.
    pub(super) fn column_of(&self, field: usize) -> Option<&'static str> {
        let filled = self.filled.iter().find(|filled| filled.field == field);
        filled.map(|filled| filled.column.name)
    }
}

fn candidates(kind: ImportKind) -> impl Iterator<Item = &'static Column> {
    let password = (kind == ImportKind::Users).then_some(&PASSWORD);
    kind.columns().iter().chain(password)
}

fn wrong(what: String) -> Error {
    Error::new(Class::Config, what)
}

fn loosely(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

fn refuse_duplicates(names: &[String]) -> Result<(), String> {
    for (at, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..at].contains(name) {
            return Err(format!("The header has the column {name:?} twice."));
        }
    }
    Ok(())
}

fn refuse_unknown(kind: ImportKind, maps: &[(String, String)]) -> Result<()> {
    let known: Vec<&str> = candidates(kind).map(|column| column.name).collect();
    for (at, (name, _)) in maps.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            let nearest = nearest(name, known.iter().copied());
            return Err(wrong(format!(
                "An import of {kind} cannot fill a column {name:?}{}.",
                nearest.map_or_else(String::new, |near| format!("; the nearest is {near:?}"))
            ))
            .with_hint(format!("It can fill {}.", known.join(", "))));
        }
        if maps[..at].iter().any(|(other, _)| other == name) {
            return Err(wrong(format!("The column {name:?} is mapped twice.")));
        }
    }
    Ok(())
}

fn require(kind: ImportKind, filled: &[Filled], names: &[String]) -> Result<(), (String, String)> {
    let has = |name: &str| filled.iter().any(|filled| filled.column.name == name);
    let hashed = filled
        .iter()
        .any(|filled| filled.column.rule == Rule::Password);
    if hashed && has("hashed_password") {
        return Err((
            "The header has both a password and a hashed_password.".into(),
            "Keep only one of them.".into(),
        ));
    }
    for column in kind.columns().iter().filter(|column| column.required) {
        if has(column.name) || (column.rule == Rule::Phc && hashed) {
            continue;
        }
        return Err((
            format!(
                "No header for {}; there are {}.",
                column.name,
                listed(names)
            ),
            format!(
                "The first line must be a header; name its column with --map {}=\"…\".",
                column.name
            ),
        ));
    }
    Ok(())
}

fn missing(header: &str, names: &[String]) -> String {
    match nearest(header, names.iter().map(String::as_str)) {
        Some(near) => format!("There is no column {header:?}; the nearest is {near:?}."),
        None => format!(
            "There is no column {header:?}; there are {}.",
            listed(names)
        ),
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("{:?}", shortened(name)))
        .collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}

fn shortened(name: &str) -> String {
    const MOST: usize = 60;
    match name.chars().count() > MOST {
        true => name.chars().take(MOST).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .filter(|name| !name.is_empty() && name.len() < 256)
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.6)
        .map(|(_, name)| name)
}

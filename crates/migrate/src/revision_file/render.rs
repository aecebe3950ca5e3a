use underpin_core::{Class, Error, Result};

use super::place::Place;
use super::{parse, section_line};
use crate::revision::RevisionId;

/// The template that `init` writes and anybody may edit. Its places are `{id}`,
/// `{parents}`, `{message}`, `{date}`, `{up}` and `{down}`.
pub const TEMPLATE: &str = "\
-- revision: {id}
-- parents: {parents}
-- message: {message}
-- date: {date}

-- up
{up}

-- down
{down}
";

/// A revision that is to be written as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRevision {
    /// Its id.
    pub id: RevisionId,
    /// What it stands on; none for a base.
    pub parents: Vec<RevisionId>,
    /// What it is for, in words.
    pub message: String,
    /// When it was made, for readers.
    pub date: String,
    /// The SQL of the way up.
    pub up_sql: String,
    /// The SQL of the way down.
    pub down_sql: String,
}

/// The text of the revision's file, as the template has it.
///
/// # Errors
/// [`Class::Config`] where the text would not be read as this revision: the template
/// lacks a place, or the SQL has a section line or is not closed.
pub fn render(template: &str, revision: &NewRevision) -> Result<String> {
    for (place, sql) in [("{up}", &revision.up_sql), ("{down}", &revision.down_sql)] {
        has_place(template, place, sql)?;
    }
    let text = fill(template, revision);
    let read = parse("The new revision", text.as_bytes())?;
    let lacks = |what: &str| {
        let message = format!("The template does not give the revision its {what}.");
        Error::new(Class::Config, message).with_hint(format!(
            "It needs a line `-- {what}: {{…}}`; `init` shows one."
        ))
    };
    if read.id != revision.id {
        return Err(lacks("revision"));
    }
    if read.parents != revision.parents {
        return Err(lacks("parents"));
    }
    if read.message != one_line(&revision.message) {
        return Err(lacks("message"));
    }
    Ok(text)
}

/// That the SQL has where to go, and stays within its section there.
fn has_place(template: &str, place: &str, sql: &str) -> Result<()> {
    if !sql.trim().is_empty() && !template.contains(place) {
        let message = format!("The template has no place `{place}` for the SQL.");
        return Err(Error::new(Class::Config, message));
    }
    for (index, line) in sql.lines().enumerate() {
        let place = Place {
            name: "The SQL of the new revision",
            line: index + 1,
        };
        if section_line::read(&place, line)?.is_some() {
            return Err(place.error("The line would begin another section."));
        }
    }
    Ok(())
}

/// Each place is filled once: what goes in is not searched for places again.
fn fill(template: &str, revision: &NewRevision) -> String {
    let parents: Vec<&str> = revision.parents.iter().map(RevisionId::as_str).collect();
    let parents = match parents.is_empty() {
        true => "none".to_owned(),
        false => parents.join(", "),
    };
    let message = one_line(&revision.message);
    let places = [
        ("{id}", revision.id.as_str()),
        ("{parents}", parents.as_str()),
        ("{message}", message.as_str()),
        ("{date}", revision.date.as_str()),
        ("{up}", revision.up_sql.trim_end()),
        ("{down}", revision.down_sql.trim_end()),
    ];
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, found) = rest.split_at(at);
        text.push_str(before);
        let place = places.iter().find(|(place, _)| found.starts_with(place));
        let (place, value) = place.copied().unwrap_or(("{", "{"));
        text.push_str(value);
        rest = &found[place.len()..];
    }
    text + rest
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

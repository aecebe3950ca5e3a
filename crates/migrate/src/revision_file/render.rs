use underpin_core::{Class, Error, Result};

use super::new_script::{NewScript, without_line};
use super::parse;
use super::section_line;
use super::source_line::SourceLine;
use crate::host::Direction;
use crate::revision::{BranchLabel, RevisionId};

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
    /// Its parents; empty for a base.
    pub parents: Vec<RevisionId>,
    /// Revisions of other branches that have to be applied before it.
    pub depends_on: Vec<RevisionId>,
    /// Names for the branch that begins here; usually none.
    pub branch_labels: Vec<BranchLabel>,
    /// Its purpose, in words.
    pub message: String,
    /// When it was made, for readers.
    pub date: String,
    /// The way up.
    pub up: NewScript,
    /// The way down.
    pub down: NewScript,
}

/// The text of the revision's file, as the template has it. The lines for a branch label and
/// for dependencies, which few revisions have, follow the line of the parents.
///
/// # Errors
/// [`Class::Config`] where the text would not be read as this revision: the template
/// lacks a place, or the SQL has a section line or is not closed.
pub fn render(template: &str, revision: &NewRevision) -> Result<String> {
    for (place, script) in [("{up}", &revision.up), ("{down}", &revision.down)] {
        has_place(template, place, script)?;
    }
    let text = fill(template, revision);
    let read = parse("The new revision", text.as_bytes())?;
    let lacks = |what: &str| {
        let message = format!("The template does not set the revision's {what}.");
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
    if (read.depends_on, read.branch_labels)
        != (revision.depends_on.clone(), revision.branch_labels.clone())
    {
        return Err(lacks("parents"));
    }
    if read.message != one_line(&revision.message) {
        return Err(lacks("message"));
    }
    for (given, read) in [(&revision.up, &read.up), (&revision.down, &read.down)] {
        if !given.is_in(read)? {
            return Err(Error::new(
                Class::Config,
                "The template does not contain the SQL of the revision unchanged.",
            )
            .with_hint("It needs `{up}` below `-- up`, and `{down}` below `-- down`."));
        }
    }
    Ok(text)
}

/// That the SQL has where to go, and stays within its sections there.
fn has_place(template: &str, place: &str, script: &NewScript) -> Result<()> {
    if !script.is_empty() && !template.contains(place) {
        let message = format!("The template has no place `{place}` for the SQL.");
        return Err(Error::new(Class::Config, message));
    }
    for sql in script.sql() {
        for (index, line) in sql.lines().enumerate() {
            let place = SourceLine {
                name: "The SQL of the new revision",
                line: index + 1,
            };
            if section_line::read(&place, line)?.is_some() {
                return Err(place.error("The line would begin another section."));
            }
        }
    }
    Ok(())
}

/// Each place is filled once: what goes in is not searched for places again.
fn fill(template: &str, revision: &NewRevision) -> String {
    let parents = match revision.parents.is_empty() {
        true => "none".to_owned(),
        false => listed(&revision.parents),
    };
    let message = one_line(&revision.message);
    let (up, down) = (
        revision.up.text(Direction::Up),
        revision.down.text(Direction::Down),
    );
    let places = [
        ("{id}", revision.id.as_str()),
        ("{parents}", parents.as_str()),
        ("{message}", message.as_str()),
        ("{date}", revision.date.as_str()),
        ("{up}", up.as_str()),
        ("{down}", down.as_str()),
    ];
    let mut template = with_headers(template, &headers(revision));
    for (script, place, direction) in [
        (&revision.up, "{up}", Direction::Up),
        (&revision.down, "{down}", Direction::Down),
    ] {
        if !script.is_plain() {
            template = without_line(&template, place, direction);
        }
    }
    let mut text = String::new();
    let mut rest = template.as_str();
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

/// The lines that only some revisions have.
fn headers(revision: &NewRevision) -> String {
    let mut lines = String::new();
    if !revision.branch_labels.is_empty() {
        lines += &format!("-- branch: {}\n", listed(&revision.branch_labels));
    }
    if !revision.depends_on.is_empty() {
        lines += &format!("-- depends-on: {}\n", listed(&revision.depends_on));
    }
    lines
}

/// The template with these lines below that of the parents.
fn with_headers(template: &str, headers: &str) -> String {
    let place = template.find("{parents}");
    let end = place.and_then(|place| {
        template[place..]
            .find('\n')
            .map(|length| place + length + 1)
    });
    match end {
        Some(end) => format!("{}{headers}{}", &template[..end], &template[end..]),
        None => format!("{headers}{template}"),
    }
}

pub(super) fn listed(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

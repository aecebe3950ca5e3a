use underpin_core::{Error, Result};

use super::section_line::nearest;
use super::source_line::SourceLine;
use crate::revision::{BranchLabel, RevisionId};

const KEYS: [&str; 7] = [
    "revision",
    "parents",
    "branch",
    "depends-on",
    "message",
    "date",
    "repeatable",
];

/// The lines above the first section line.
#[derive(Default)]
pub(super) struct Head {
    id: Option<RevisionId>,
    parents: Option<Vec<RevisionId>>,
    branch_labels: Option<Vec<BranchLabel>>,
    depends_on: Option<Vec<RevisionId>>,
    message: Option<String>,
    date: Option<()>,
    repeatable: Option<bool>,
}

/// The values of all headers.
pub(super) struct Heading {
    pub(super) id: RevisionId,
    pub(super) parents: Vec<RevisionId>,
    pub(super) branch_labels: Vec<BranchLabel>,
    pub(super) depends_on: Vec<RevisionId>,
    pub(super) message: String,
    pub(super) repeatable: bool,
}

impl Head {
    pub(super) fn read(&mut self, place: &SourceLine<'_>, line: &str) -> Result<()> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        let Some(comment) = line.strip_prefix("--") else {
            return Err(place
                .error("There is text above the first section line.")
                .with_hint("Begin the SQL with a line `-- up`."));
        };
        let Some((key, value)) = header(comment) else {
            return Ok(());
        };
        let twice = match key.to_ascii_lowercase().as_str() {
            "revision" => self.id.replace(id(place, value)?).is_some(),
            "parents" => self.parents.replace(ids(place, value, "parent")?).is_some(),
            "branch" => self.branch_labels.replace(labels(place, value)?).is_some(),
            "depends-on" => self
                .depends_on
                .replace(ids(place, value, "dependency")?)
                .is_some(),
            "message" => self.message.replace(message(place, value)?).is_some(),
            "date" => self.date.replace(()).is_some(),
            "repeatable" => self.repeatable.replace(repeatable(place, value)?).is_some(),
            _ => return Err(unknown(place, key)),
        };
        match twice {
            true => Err(place.error(format!("The header `{key}` appears twice."))),
            false => Ok(()),
        }
    }

    pub(super) fn finish(self, name: &str) -> Result<Heading> {
        let missing = |key: &str, example: &str| {
            SourceLine { name, line: 1 }
                .error(format!("The file has no header `-- {key}:`."))
                .with_hint(format!(
                    "Write `-- {key}: {example}` above the first section line."
                ))
        };
        let id = self.id.ok_or_else(|| missing("revision", "an_id"))?;
        let message = self
            .message
            .ok_or_else(|| missing("message", "what it is for"))?;
        let repeatable = self.repeatable.unwrap_or(false);
        let parents = self.parents.as_deref().unwrap_or_default();
        if repeatable && !(parents.is_empty() && self.branch_labels.is_none()) {
            return Err(SourceLine { name, line: 1 }
                .error("A repeatable revision has no parents and is on no branch.")
                .with_hint(
                    "Leave out `parents` and `branch`; `depends-on` names repeatable revisions \
                     that run before it.",
                ));
        }
        Ok(Heading {
            repeatable,
            id,
            parents: self.parents.unwrap_or_default(),
            branch_labels: self.branch_labels.unwrap_or_default(),
            depends_on: self.depends_on.unwrap_or_default(),
            message,
        })
    }
}

/// That no header which belongs to the head stands among the SQL: two files that were
/// put together would run as one.
pub(super) fn refuse_below(place: &SourceLine<'_>, line: &str) -> Result<()> {
    let key = line.strip_prefix("--").and_then(header).map(|(key, _)| key);
    match key.map(str::to_ascii_lowercase).as_deref() {
        Some(key @ ("revision" | "parents" | "branch" | "depends-on" | "repeatable")) => Err(place
            .error(format!("The header `{key}` is below a section line."))
            .with_hint(
                "Headers belong above the first section line, and a file has one \
                        revision.",
            )),
        _ => Ok(()),
    }
}

/// The key and the value of a comment whose first word ends in a colon.
fn header(comment: &str) -> Option<(&str, &str)> {
    let (key, value) = comment.split_once(':')?;
    let key = key.trim();
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let known = KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
    // The colon of an address has no blank after it.
    let apart = known || value.is_empty() || value.starts_with(char::is_whitespace);
    let sound = apart && !key.is_empty() && key.chars().all(word);
    sound.then(|| (key, value.trim()))
}

fn repeatable(place: &SourceLine<'_>, text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(place
            .error(format!("`{text}` is neither yes nor no."))
            .with_hint("Write `-- repeatable: yes` for views, functions and grants.")),
    }
}

fn unknown(place: &SourceLine<'_>, key: &str) -> Error {
    let known = nearest(&key.to_ascii_lowercase(), KEYS).map_or_else(
        || format!("Known headers are `{}`", KEYS.join("`, `")),
        |nearest| format!("The nearest known header is `{nearest}`"),
    );
    place
        .error(format!("`{key}` is not a header of a revision."))
        .with_hint(format!(
            "{known}; a comment above the first section line has \
             no colon after its first word."
        ))
}

fn id(place: &SourceLine<'_>, text: &str) -> Result<RevisionId> {
    if text.is_empty() {
        return Err(place.error("The header names no revision."));
    }
    RevisionId::new(text).ok_or_else(|| {
        place
            .error(format!("`{text}` is not a valid revision id."))
            .with_hint("An id has up to 64 lower-case letters (a to z), digits and underscores.")
    })
}

/// Ids with commas or blanks between them; `what` is what each is to the revision.
fn ids(place: &SourceLine<'_>, text: &str, what: &str) -> Result<Vec<RevisionId>> {
    let mut ids = Vec::new();
    for word in words(text) {
        let named = id(place, word)?;
        if ids.contains(&named) {
            return Err(place.error(format!("The {what} {named} is named twice.")));
        }
        ids.push(named);
    }
    Ok(ids)
}

fn labels(place: &SourceLine<'_>, text: &str) -> Result<Vec<BranchLabel>> {
    let mut labels = Vec::new();
    for word in words(text) {
        let label = BranchLabel::new(word).ok_or_else(|| {
            place
                .error(format!("`{word}` is not a valid branch label."))
                .with_hint(
                    "A label has up to 64 lower-case letters (a to z), digits and underscores.",
                )
        })?;
        if labels.contains(&label) {
            return Err(place.error(format!("The label {label} appears twice.")));
        }
        labels.push(label);
    }
    Ok(labels)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let none = text.eq_ignore_ascii_case("none");
    let words = text.split(|c: char| c == ',' || c.is_whitespace());
    words.filter(move |word| !word.is_empty() && !none)
}

fn message(place: &SourceLine<'_>, text: &str) -> Result<String> {
    match text.is_empty() {
        true => Err(place
            .error("The message is empty.")
            .with_hint("Describe in a few words what the revision is for.")),
        false => Ok(text.to_owned()),
    }
}

use underpin_core::{Engine, Error, Result};

use super::source_line::SourceLine;
use crate::host::Direction;

/// The line that begins a section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SectionLine {
    pub(super) direction: Direction,
    pub(super) form: Form,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    Sql {
        engine: Option<Engine>,
        transactional: bool,
    },
    Code,
    Irreversible {
        reason: String,
    },
}

const WORDS: [&str; 5] = ["postgres", "postgresql", "sqlite", "no-transaction", "code"];
const IRREVERSIBLE: &str = "irreversible";
const ADOPTED: &str = "adopted";

impl SectionLine {
    pub(super) fn direction_name(&self) -> &'static str {
        match self.direction {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }
}

/// Reads the line, if it is one. What only looks like one is an error rather than a
/// comment, so that no way down is ever run as part of the way up.
pub(super) fn read(place: &SourceLine<'_>, line: &str) -> Result<Option<SectionLine>> {
    let Some(comment) = line.strip_prefix("--") else {
        return Ok(None);
    };
    let bare = comment.trim_matches(|c: char| !c.is_alphanumeric());
    let comment = comment.trim();
    let length = comment.find(|c: char| !c.is_alphanumeric());
    let (first, rest) = comment.split_at(length.unwrap_or(comment.len()));
    let Some(direction) = direction(first) else {
        return match self::direction(bare) {
            Some(_) => Err(misshapen(place, line)),
            None => Ok(None),
        };
    };
    if let Some(rest) = rest.trim_start().strip_prefix(':') {
        return no_way(place, direction, rest).map(Some);
    }
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return match rest.chars().any(char::is_alphanumeric) {
            true => Ok(None),
            false => Err(misshapen(place, line)),
        };
    }
    let words: Vec<String> = rest
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let Some(unknown) = words.iter().find(|word| known(word).is_none()) else {
        let form = form(place, &words)?;
        return Ok(Some(SectionLine { direction, form }));
    };
    match words.len() == 1 || words.iter().any(|word| looks_known(word)) {
        true => Err(unknown_word(place, first, unknown)),
        false => Ok(None),
    }
}

fn direction(word: &str) -> Option<Direction> {
    match word.to_ascii_lowercase().as_str() {
        "up" => Some(Direction::Up),
        "down" => Some(Direction::Down),
        _ => None,
    }
}

enum Word {
    Engine(Engine),
    NoTransaction,
    Code,
}

fn known(word: &str) -> Option<Word> {
    match word {
        "no-transaction" => Some(Word::NoTransaction),
        "code" => Some(Word::Code),
        _ => word.parse().ok().map(Word::Engine),
    }
}

/// Whether the word is a known one, or one as somebody mistyped it.
fn looks_known(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let near = |known: &&str| strsim::osa_distance(word, known) <= known.len() / 4;
    known(word).is_some() || WORDS.iter().chain([&IRREVERSIBLE, &ADOPTED]).any(near)
}

fn form(place: &SourceLine<'_>, words: &[String]) -> Result<Form> {
    let (mut engine, mut transactional) = (None, true);
    for word in words {
        match known(word) {
            Some(Word::Engine(named)) if engine.is_none() => engine = Some(named),
            Some(Word::Engine(_)) => {
                return Err(place
                    .error("The section line names two engines.")
                    .with_hint("A section is for one engine, or for all when it names none."));
            }
            Some(Word::NoTransaction) if transactional => transactional = false,
            Some(Word::Code) if words.len() == 1 => return Ok(Form::Code),
            Some(Word::Code) => {
                return Err(place.error("`code` must be alone on a section line."));
            }
            Some(Word::NoTransaction) | None => {
                return Err(place.error(format!("The section line has `{word}` twice.")));
            }
        }
    }
    Ok(Form::Sql {
        engine,
        transactional,
    })
}

fn no_way(place: &SourceLine<'_>, direction: Direction, rest: &str) -> Result<SectionLine> {
    let (word, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let (word, reason) = (word.trim(), reason.trim());
    let own = match direction {
        Direction::Up => ADOPTED,
        Direction::Down => IRREVERSIBLE,
    };
    if direction == Direction::Up && word.eq_ignore_ascii_case(IRREVERSIBLE) {
        return Err(place.error("Only the way down can be irreversible."));
    }
    if !word.eq_ignore_ascii_case(own) {
        return Err(place
            .error(
                "A section line has no colon, except for `-- down: irreversible: REASON` and \
                 `-- up: adopted: REASON`.",
            )
            .with_hint(
                "If it is a comment, indent it; if it begins a section, leave out the colon.",
            ));
    }
    if reason.is_empty() {
        let way = match direction {
            Direction::Up => "up",
            Direction::Down => "down",
        };
        return Err(place
            .error(format!("The line does not say why there is no way {way}."))
            .with_hint(format!("Write `-- {way}: {own}: REASON`.")));
    }
    let reason = reason.to_owned();
    Ok(SectionLine {
        direction,
        form: Form::Irreversible { reason },
    })
}

fn misshapen(place: &SourceLine<'_>, line: &str) -> Error {
    place
        .error(format!(
            "`{line}` looks like a section line, but is not one."
        ))
        .with_hint("A section begins with `-- up` or `-- down`; indent a comment.")
}

fn unknown_word(place: &SourceLine<'_>, first: &str, word: &str) -> Error {
    let nearest = match strsim::osa_distance(word.trim_matches(':'), IRREVERSIBLE) {
        0..=3 => Some("-- down: irreversible: REASON"),
        _ => nearest(word, WORDS),
    };
    let known = nearest.map_or_else(
        || format!("Known are `{}`", WORDS.join("`, `")),
        |nearest| format!("The nearest known is `{nearest}`"),
    );
    place
        .error(format!(
            "`{word}` is not known on a section line `-- {first}`."
        ))
        .with_hint(format!("{known}; indent a comment."))
}

/// The known word that looks most like `word`, where one does: at most a third of the word has to
/// change.
pub(super) fn nearest<const N: usize>(
    word: &str,
    known: [&'static str; N],
) -> Option<&'static str> {
    let allowed = (word.chars().count() / 3).max(1);
    let distances = known
        .into_iter()
        .map(|known| (strsim::osa_distance(word, known), known));
    distances
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, known)| known)
}

//! What `alembic upgrade … --sql` and `alembic downgrade … --sql` print, cut into what
//! belongs to each revision.

use std::collections::HashMap;

use underpin_core::Result;

use super::Source;
use super::body::at;

/// The SQL of each revision, by its id in Alembic. A revision may be there several times:
/// ways down from several heads share what is below them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scripts {
    pub(super) up: HashMap<String, Vec<Body>>,
    pub(super) down: HashMap<String, Vec<Body>>,
    /// What stands before the first revision of each text: Alembic's own table.
    pub(super) preludes: Vec<Source>,
}

/// The SQL of one way of a revision.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// The line of the comment that announces it.
    pub(super) line: usize,
    /// Its text, as far below as it stands in the whole one.
    pub(super) source: Source,
}

/// Cuts the texts at the comments by which Alembic says what it is about to run.
pub(super) fn cut(sources: &[Source]) -> Result<Scripts> {
    let mut scripts = Scripts::default();
    for source in sources {
        cut_one(source, &mut scripts)?;
    }
    Ok(scripts)
}

fn cut_one(source: &Source, scripts: &mut Scripts) -> Result<()> {
    let mut prelude = Source {
        text: String::new(),
        ..source.clone()
    };
    let mut current: Option<(bool, String, Body)> = None;
    let mut seen = false;
    for (index, line) in source.text.split_inclusive('\n').enumerate() {
        let Some((up, id)) = running(line) else {
            match &mut current {
                Some((_, _, body)) => body.source.text += line,
                None => prelude.text += line,
            }
            continue;
        };
        seen = true;
        keep(current.take(), scripts);
        // Line numbers of errors are those of the whole text.
        let body = Body {
            line: index + 1,
            source: Source {
                text: "\n".repeat(index + 1),
                ..source.clone()
            },
        };
        current = Some((up, id.to_owned(), body));
    }
    keep(current, scripts);
    scripts.preludes.push(prelude);
    match seen {
        true => Ok(()),
        false => Err(at(
            source,
            1,
            "The text has no line `-- Running upgrade` or `-- Running downgrade`.",
        )
        .with_hint("Use the output of `alembic upgrade heads --sql`.")),
    }
}

fn keep(current: Option<(bool, String, Body)>, scripts: &mut Scripts) {
    if let Some((up, id, body)) = current {
        let of_way = if up {
            &mut scripts.up
        } else {
            &mut scripts.down
        };
        of_way.entry(id).or_default().push(body);
    }
}

/// `-- Running upgrade a, b -> c`: the way, and the revision that runs.
fn running(line: &str) -> Option<(bool, &str)> {
    let step = line.trim().strip_prefix("-- Running ")?;
    let (way, step) = step.split_once(' ')?;
    let (from, to) = step.split_once("->")?;
    match way {
        "upgrade" => Some((true, to.trim())),
        "downgrade" => Some((false, from.trim())),
        _ => None,
    }
}

/// The texts without the doubled percent signs that Alembic prints for psycopg, and the lines that
/// had some. Where one percent sign anywhere stands alone, none is doubled.
pub(super) fn without_doubled_percents(sources: &[Source]) -> (Vec<Source>, Vec<String>) {
    let runs = sources
        .iter()
        .flat_map(|source| source.text.split(|c| c != '%'));
    let mut runs = runs.map(str::len).filter(|length| *length > 0).peekable();
    if runs.peek().is_none() || runs.any(|length| length % 2 == 1) {
        return (sources.to_vec(), Vec::new());
    }
    let mut notes = Vec::new();
    let mut undone = Vec::with_capacity(sources.len());
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            if line.contains("%%") {
                notes.push(format!(
                    "{}, line {}: `%%` was read as `%`, as Alembic prints it for psycopg. If two \
                     are meant, write four.",
                    source.path,
                    index + 1
                ));
            }
        }
        undone.push(Source {
            text: source.text.replace("%%", "%"),
            ..source.clone()
        });
    }
    (undone, notes)
}

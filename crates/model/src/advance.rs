//! What an update makes of a column that it does not name.

use underpin_core::{Class, Engine, Error, Result, quote};
use underpin_schema::Type;

use super::data_type::logical;
use super::description::{Column, Description, OnUpdate};

const PLAIN: &str = "timestamp without time zone";
const ZONED: &str = "timestamp with time zone";

/// The expression that an update sets a column to; none where it leaves it alone.
///
/// # Errors
/// [`Class::Config`] for a column that is no time and has to advance by itself.
pub(super) fn expression(
    of: &Description,
    column: &Column,
    engine: Engine,
) -> Result<Option<String>> {
    match column.on_update {
        None => Ok(None),
        Some(OnUpdate::Set(given)) => Ok(given.on(engine).map(str::to_owned)),
        Some(OnUpdate::Advance) => advance(of, column, engine).map(Some),
    }
}

/// Now, or just after the row's last change where the clock has not moved since.
fn advance(of: &Description, column: &Column, engine: Engine) -> Result<String> {
    let of_type = logical(of, column)?;
    if ![PLAIN, ZONED].contains(&of_type.name.as_str()) || of_type.array {
        return Err(Error::new(
            Class::Config,
            format!(
                "The column {:?} of the table {:?} has the type {of_type}, which cannot advance \
                 by itself.",
                column.name, of.table
            ),
        )
        .with_hint("Say what it is set to: `#[model(on_update = \"…\")]`."));
    }
    let before = format!(
        "{}.{}",
        quote::identifier(of.table)?,
        quote::identifier(column.name)?
    );
    Ok(match engine {
        Engine::Sqlite => {
            let now = present_on_sqlite(&of_type);
            // SQLite reads no zone of hours alone.
            let next = now.replace(
                "'now'",
                &format!("substr({before}, 1, instr({before} || '+', '+') - 1), '+0.001 seconds'"),
            );
            format!("max({now}, coalesce({next}, ''))")
        }
        _ => {
            let step = step(&of_type);
            let cast = if of_type.name == PLAIN {
                "::timestamp"
            } else {
                ""
            };
            format!("greatest(clock_timestamp(){cast}, {before} + interval '{step}')")
        }
    })
}

/// The smallest step that the type keeps.
fn step(of: &Type) -> String {
    let digits = of.parameters.first().and_then(|one| one.parse().ok());
    match digits.unwrap_or(6usize) {
        0 => "1 second".to_owned(),
        digits => format!("0.{}1 seconds", "0".repeat(digits.min(6) - 1)),
    }
}

/// The present to the millisecond, in the form in which a time of this type is stored.
pub(super) fn present_on_sqlite(of: &Type) -> String {
    let form = match of.name.as_str() {
        "date" => "%Y-%m-%d",
        ZONED => "%Y-%m-%d %H:%M:%f+00",
        _ => "%Y-%m-%d %H:%M:%f",
    };
    format!("strftime('{form}', 'now')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_smallest_that_is_kept() {
        for (text, expected) in [
            (PLAIN, "0.000001 seconds"),
            ("timestamp(3) without time zone", "0.001 seconds"),
            ("timestamp(0) with time zone", "1 second"),
        ] {
            assert_eq!(step(&Type::parse(text).unwrap()), expected);
        }
    }
}

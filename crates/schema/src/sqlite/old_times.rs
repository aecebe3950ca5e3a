//! Times as they were written before they had one form: with the zone `+00`, which SQLite's
//! functions do not read, or with as few digits of a second as it takes.

use crate::{OldTimes, Type};

/// How old times are found and rewritten.
pub(super) const OLD_TIMES: OldTimes = OldTimes {
    may_hold,
    is_old,
    renewed,
};

/// Columns of numbers and bytes hold none.
fn may_hold(of: &Type) -> bool {
    let upper = of.name.to_ascii_uppercase();
    let holds = |part: &&str| upper.contains(part);
    let none = ["INT", "BLOB", "REAL", "FLOA", "DOUB", "BOOL", "JSON"];
    !of.array && !none.iter().any(holds)
}

/// A date and a time to the second, whatever follows.
const TO_THE_SECOND: &str =
    "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]*";

/// The text without its zone.
fn without_zone(column: &str) -> String {
    format!(
        "CASE WHEN {column} GLOB '*+00' THEN substr({column}, 1, length({column}) - 3) ELSE {column} END"
    )
}

fn is_old(column: &str) -> String {
    let text = without_zone(column);
    format!(
        "typeof({column}) = 'text' AND {column} GLOB '{TO_THE_SECOND}' \
         AND (length({text}) = 19 OR substr({text}, 20) GLOB '.[0-9]*' \
         AND substr({text}, 21) NOT GLOB '*[^0-9]*') \
         AND ({column} GLOB '*+00' OR length({column}) IN (21, 22, 24, 25))"
    )
}

fn renewed(column: &str) -> String {
    let text = without_zone(column);
    format!(
        "CASE WHEN length({text}) IN (21, 22) THEN substr(({text}) || '00', 1, 23) \
         WHEN length({text}) IN (24, 25) THEN substr(({text}) || '00', 1, 26) \
         WHEN ({text}) GLOB '*.000' THEN substr({column}, 1, 19) ELSE {text} END"
    )
}

//! Checks that keep out what a column's type cannot read: SQLite stores any value in any column, and
//! one that cannot be read makes every list of the table fail. They accept all forms that are read,
//! also those that other programs write.

use underpin_core::{Result, quote};
use underpin_schema::{Check, Type};

/// The check of a column. None for a type of which it is not known what it reads, and in a strict
/// table where SQLite itself keeps out the rest.
pub(super) fn readable(column: &str, logical: &Type, strict: bool) -> Result<Option<Check>> {
    let name = quote::identifier(column)?;
    let expression = expression(&name, logical, strict);
    Ok(expression.map(|expression| Check {
        expression: expression.into(),
        ..Check::default()
    }))
}

fn expression(name: &str, logical: &Type, strict: bool) -> Option<String> {
    if logical.array {
        return Some(format!(
            "CASE WHEN typeof({name}) = 'text' AND json_valid({name}) \
             THEN json_type({name}) = 'array' ELSE {name} IS NULL END"
        ));
    }
    if logical.namespace.is_some() {
        return None;
    }
    let is = |kinds: &str| format!("typeof({name}) IN ({kinds}, 'null')");
    let only = |kinds: &str| (!strict).then(|| is(kinds));
    let ranged = |range: &str| match strict {
        true => format!("{name} BETWEEN {range}"),
        false => format!("{} AND {name} BETWEEN {range}", is("'integer'")),
    };
    match (logical.name.as_str(), &logical.parameters[..]) {
        ("boolean", _) => Some(format!("{name} IN (0, 1)")),
        ("smallint", _) => Some(ranged("-32768 AND 32767")),
        ("integer", _) => Some(ranged("-2147483648 AND 2147483647")),
        ("bigint", _) => only("'integer'"),
        ("real" | "double precision", _) => only("'real', 'integer'"),
        ("numeric", parameters) => Some(numeric(name, parameters)),
        ("character varying" | "character", [length]) => {
            let short = format!("length({name}) <= {length}");
            Some(match only("'text'") {
                Some(text) => format!("{text} AND {short}"),
                None => short,
            })
        }
        ("text" | "character varying", _) => only("'text'"),
        ("bytea", _) => only("'blob'"),
        ("date", _) => Some(format!(
            "{name} IN ('infinity', '-infinity') OR {name} IS date({name}, '+0 days')"
        )),
        ("time without time zone", _) => Some(format!(
            "{name} IS NULL OR {name} NOT GLOB '*[^0-9:.]*' AND \
             {name} GLOB '[0-2][0-9]:[0-5][0-9]*' AND time({name}) IS NOT NULL"
        )),
        ("timestamp with time zone", _) => Some(timestamp(name)),
        ("timestamp without time zone", _) => Some(format!(
            "({}) AND ({name} NOT GLOB '*:*[-+]*' OR {name} GLOB '*[-+]00*')",
            timestamp(name)
        )),
        ("uuid", _) => Some(format!(
            "CASE typeof({name}) WHEN 'blob' THEN length({name}) = 16 WHEN 'text' THEN \
             length(replace(trim({name}, '{{}}'), '-', '')) = 32 AND \
             trim({name}, '{{}}') NOT GLOB '*[^-0-9A-Fa-f]*' ELSE {name} IS NULL END"
        )),
        ("json" | "jsonb", _) => Some(format!("json_valid(CAST({name} AS TEXT))")),
        _ => None,
    }
}

/// A number, or text of its digits; within the range and scale of the type.
fn numeric(name: &str, parameters: &[String]) -> String {
    let mut text = format!(
        "typeof({name}) <> 'blob' AND (typeof({name}) <> 'text' OR \
         {name} GLOB '*[0-9]*' AND {name} NOT GLOB '*[^-+.eE0-9]*')"
    );
    if let [precision, scale] = parameters
        && let Some(bound) = super::type_check::bound(precision, scale)
    {
        text += &format!(" AND abs({name}) < {bound} AND round({name}, {scale}) = {name} + 0");
    }
    text
}

/// A day, with or without a time and a zone, or Unix seconds. Old rows have a zone of hours alone,
/// which SQLite's functions do not read.
fn timestamp(name: &str) -> String {
    format!(
        "typeof({name}) = 'integer' OR {name} IN ('infinity', '-infinity') OR \
         date(substr({name}, 1, 10), '+0 days') IS substr({name}, 1, 10) AND \
         coalesce(julianday({name}), julianday({name} || ':00')) IS NOT NULL"
    )
}

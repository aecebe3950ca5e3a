//! Checks for what SQLite's types hold and PostgreSQL's do not, so that both refuse the same
//! rows.

use underpin_core::{Result, quote};
use underpin_schema::{Check, Type};

/// The check of a column, with the end of its name: `length`, `boolean`. None where SQLite's
/// type holds no more than PostgreSQL's.
pub(super) fn type_check(
    column: &str,
    logical: &Type,
    labels: Option<&[&str]>,
) -> Result<Option<(&'static str, Check)>> {
    let name = quote::identifier(column)?;
    if let Some(labels) = labels.filter(|_| !logical.array) {
        let labels: Vec<String> = labels.iter().map(|label| quoted(label)).collect();
        return Ok(Some((
            "enum",
            check(format!("{name} IN ({})", labels.join(", "))),
        )));
    }
    if logical.namespace.is_some() || logical.array {
        return Ok(None);
    }
    let made = match (logical.name.as_str(), &logical.parameters[..]) {
        ("smallint", _) => ("smallint", format!("{name} BETWEEN -32768 AND 32767")),
        ("integer", _) => (
            "integer",
            format!("{name} BETWEEN -2147483648 AND 2147483647"),
        ),
        ("boolean", _) => ("boolean", format!("{name} IN (0, 1)")),
        ("character varying" | "character", [length]) => {
            ("length", format!("length({name}) <= {length}"))
        }
        ("numeric", [precision, scale]) => match bound(precision, scale) {
            Some(bound) => ("numeric", format!("abs({name}) < {bound}")),
            None => return Ok(None),
        },
        ("date", _) => ("date", format!("{name} IS date({name}, '+0 days')")),
        ("timestamp without time zone", _) => ("timestamp", timestamp(&name)),
        ("json" | "jsonb", _) => ("json", format!("json_valid({name})")),
        _ => return Ok(None),
    };
    Ok(Some((made.0, check(made.1))))
}

fn check(expression: String) -> Check {
    Check {
        expression: expression.into(),
        ..Check::default()
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A day and a time to the second, which SQLite reads as the same, then nothing or digits.
fn timestamp(name: &str) -> String {
    format!(
        "{name} IS strftime('%Y-%m-%d %H:%M:%S', substr({name}, 1, 19), '+0 days') || \
         substr({name}, 20) AND (length({name}) = 19 OR substr({name}, 20) GLOB '.[0-9]*' \
         AND substr({name}, 21) NOT GLOB '*[^0-9]*')"
    )
}

/// What a number has to stay below, so that it is in range once it is rounded.
pub(super) fn bound(precision: &str, scale: &str) -> Option<String> {
    let (precision, scale): (usize, usize) = (precision.parse().ok()?, scale.parse().ok()?);
    let whole = "9".repeat(precision.checked_sub(scale)?);
    let whole = if whole.is_empty() { "0" } else { &whole };
    Some(format!("{whole}.{}5", "9".repeat(scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, labels: Option<&[&str]>) -> Option<(&'static str, String)> {
        let of = Type::parse(text).unwrap();
        let made = type_check("c", &of, labels).unwrap();
        made.map(|(end, check)| (end, check.expression.0))
    }

    #[test]
    fn a_check_holds_what_the_type_does_not() {
        let length = of("character varying(20)", None).unwrap();
        assert_eq!(length, ("length", "length(\"c\") <= 20".to_owned()));
        let number = of("numeric(10,2)", None).unwrap();
        assert_eq!(number.1, "abs(\"c\") < 99999999.995");
        assert_eq!(of("numeric(2,2)", None).unwrap().1, "abs(\"c\") < 0.995");
        let labels = of("text", Some(&["a", "it's"])).unwrap();
        assert_eq!(labels.1, "\"c\" IN ('a', 'it''s')");
        for free in ["text", "bigint", "double precision", "numeric", "integer[]"] {
            assert_eq!(of(free, None), None, "{free}");
        }
    }
}

use crate::diff::normal_type;
use crate::{CastUse, ColumnType, ObjectName, Schema, Type, Work};

/// How the values of a column become those of another type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conversion {
    /// The casts that have to be written down, `{}` being the column; none: the server has one
    /// that it applies by itself.
    pub(super) using: Option<String>,
    /// The part of the values that is lost.
    pub(super) loses: Option<&'static str>,
    pub(super) work: Work,
}

/// The kinds of types between which there are casts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// By its width.
    Integer(u8),
    Numeric,
    /// By its width.
    Float(u8),
    Text,
    Boolean,
    Date,
    Timestamp,
    TimestampTz,
    Time,
    TimeTz,
    Interval,
    Json,
    Jsonb,
    Bits,
    Enum,
    Other,
}

/// How a column of one type becomes one of another; none: no cast leads there.
pub(super) fn conversion(
    (from_schema, from): (&Schema, &ColumnType),
    (to_schema, to): (&Schema, &ColumnType),
) -> Option<Conversion> {
    let written = &to.data_type;
    let [from, to] = [(from_schema, from), (to_schema, to)]
        .map(|(schema, of)| normal_type(&base(schema, &of.data_type)));
    let [left, right] =
        [(from_schema, &from), (to_schema, &to)].map(|(schema, of)| match of.array {
            true => Family::Other,
            false => family(schema, of),
        });
    let kept = |work| Conversion {
        using: None,
        loses: None,
        work,
    };
    if from == to {
        // A domain is as its base, but for checks, which every row is held against.
        let work = match *written == from {
            true => Work::Catalog,
            false => Work::Scan,
        };
        return Some(kept(work));
    }
    let explicit = || {
        Some(Conversion {
            using: Some(format!("{{}}::{}", written.sql().ok()?)),
            ..kept(Work::Rewrite)
        })
    };
    if from.array != to.array {
        let text = |of: Family, array: bool| of == Family::Text && !array;
        return match (text(left, from.array), text(right, to.array)) {
            (_, true) => Some(kept(Work::Rewrite)),
            (true, _) => explicit(),
            _ => known((from_schema, to_schema), (&from, &to), kept, explicit),
        };
    }
    if from.array {
        let element = |of: &Type| ColumnType {
            data_type: Type {
                array: false,
                ..of.clone()
            },
            collation: None,
        };
        let of_elements = conversion((from_schema, &element(&from)), (to_schema, &element(&to)))?;
        return match of_elements.using {
            None => Some(of_elements),
            Some(_) => Some(Conversion {
                loses: of_elements.loses,
                ..explicit()?
            }),
        };
    }
    if (&from.namespace, &from.name) == (&to.namespace, &to.name) {
        return Some(parameters(&from, &to, left));
    }
    let losing = |loses: &'static str| {
        Some(Conversion {
            loses: Some(loses),
            ..kept(Work::Rewrite)
        })
    };
    use Family as F;
    match (left, right) {
        (F::Enum, F::Enum) => Some(Conversion {
            using: Some(format!("{{}}::text::{}", written.sql().ok()?)),
            ..kept(Work::Rewrite)
        }),
        (F::Text, F::Text) => Some(kept(between_texts(&from, &to))),
        (_, F::Text) => Some(kept(Work::Rewrite)),
        (F::Text, _) => explicit(),
        (F::Integer(_), F::Integer(_) | F::Numeric)
        | (F::Float(4), F::Float(_))
        | (F::Integer(2 | 4), F::Float(8))
        | (F::Date, F::Timestamp | F::TimestampTz)
        | (F::Time, F::TimeTz | F::Interval)
        | (F::Json, F::Jsonb)
        | (F::Jsonb, F::Json)
        | (F::Bits, F::Bits) => Some(kept(Work::Rewrite)),
        // By itself, the server would take the time zone of whatever session does it.
        (F::Timestamp, F::TimestampTz) | (F::TimestampTz, F::Timestamp) => Some(Conversion {
            using: Some("{} AT TIME ZONE 'UTC'".to_owned()),
            loses: Some("the time zone, for times without one are taken as UTC,"),
            work: Work::Rewrite,
        }),
        (F::Integer(4), F::Boolean) => Some(Conversion {
            loses: Some("which number it was, but for 0"),
            ..explicit()?
        }),
        (F::Boolean, F::Integer(4)) => explicit(),
        (F::Numeric | F::Float(_), F::Integer(_)) => losing("the fractions"),
        (F::Integer(_) | F::Numeric | F::Float(_), F::Float(_) | F::Numeric) => {
            losing("digits of numbers with many")
        }
        (F::Timestamp | F::TimestampTz, F::Date) => losing("the times of day"),
        (F::Timestamp | F::TimestampTz, F::Time) => losing("the days"),
        (F::TimestampTz, F::TimeTz) => losing("the days"),
        (F::Interval, F::Time) => losing("the days"),
        (F::TimeTz, F::Time) => losing("the time zones"),
        _ => known((from_schema, to_schema), (&from, &to), kept, explicit),
    }
}

/// By a cast that the server has.
fn known(
    (from_schema, to_schema): (&Schema, &Schema),
    (from, to): (&Type, &Type),
    kept: impl Fn(Work) -> Conversion,
    explicit: impl Fn() -> Option<Conversion>,
) -> Option<Conversion> {
    let spelled = |of: &Type| {
        let of = Type {
            parameters: Vec::new(),
            ..of.clone()
        };
        of.to_string()
    };
    let (from, to) = (spelled(from), spelled(to));
    let casts = [&from_schema.casts, &to_schema.casts];
    match casts.iter().find_map(|casts| casts.between(&from, &to))? {
        CastUse::Assigned => Some(kept(Work::Rewrite)),
        CastUse::Written => explicit(),
    }
}

/// The type beneath domains.
pub(super) fn base(schema: &Schema, of: &Type) -> Type {
    let mut at = of.clone();
    // A domain cannot be over itself; the bound is for schemas that no server has.
    for _ in 0..64 {
        let name = ObjectName::new(at.namespace.clone().unwrap_or_default(), at.name.clone());
        match schema.domains.get(&name) {
            Some(domain) if !at.array => at = domain.base.clone(),
            _ => break,
        }
    }
    at
}

fn family(schema: &Schema, of: &Type) -> Family {
    if let Some(namespace) = &of.namespace {
        let name = ObjectName::new(namespace.clone(), of.name.clone());
        return match schema.enums.contains_key(&name) {
            true => Family::Enum,
            false => Family::Other,
        };
    }
    match of.name.as_str() {
        "smallint" => Family::Integer(2),
        "integer" => Family::Integer(4),
        "bigint" => Family::Integer(8),
        "numeric" => Family::Numeric,
        "real" => Family::Float(4),
        "double precision" => Family::Float(8),
        "text" | "character varying" | "character" | "bpchar" | "name" => Family::Text,
        "boolean" => Family::Boolean,
        "date" => Family::Date,
        "timestamp without time zone" => Family::Timestamp,
        "timestamp with time zone" => Family::TimestampTz,
        "time without time zone" => Family::Time,
        "time with time zone" => Family::TimeTz,
        "json" => Family::Json,
        "jsonb" => Family::Jsonb,
        "bit" | "bit varying" => Family::Bits,
        name if name.starts_with("interval") => Family::Interval,
        _ => Family::Other,
    }
}

/// From a text type to another: without a limit nothing has to be looked at.
fn between_texts(from: &Type, to: &Type) -> Work {
    let padded = |of: &Type| matches!(of.name.as_str(), "character" | "bpchar" | "name");
    match padded(from) || padded(to) || !to.parameters.is_empty() {
        true => Work::Rewrite,
        false => Work::Catalog,
    }
}

/// The same type with other parameters.
fn parameters(from: &Type, to: &Type, family: Family) -> Conversion {
    let number = |of: &Type, place: usize| -> Option<i64> {
        let parameter = of.parameters.get(place)?;
        parameter.parse().ok()
    };
    let [old, new] = [from, to].map(|of| number(of, 0));
    let (work, loses) = match family {
        Family::Text if from.name == "character varying" => match (old, new) {
            (_, None) => (Work::Catalog, None),
            (Some(old), Some(new)) if new >= old => (Work::Catalog, None),
            _ => (Work::Rewrite, None),
        },
        Family::Numeric => {
            let [old_scale, new_scale] = [from, to].map(|of| number(of, 1));
            let fewer = new_scale.is_some_and(|new| old_scale.is_none_or(|old| new < old));
            let free = new.is_none()
                || old_scale == new_scale && old.zip(new).is_some_and(|(old, new)| new >= old);
            match (free, fewer) {
                (true, _) => (Work::Catalog, None),
                (_, true) => (Work::Rewrite, Some("digits after the point")),
                _ => (Work::Rewrite, None),
            }
        }
        Family::Timestamp
        | Family::TimestampTz
        | Family::Time
        | Family::TimeTz
        | Family::Interval => {
            // No number means all six digits.
            let [old, new] = [old, new].map(|digits| digits.unwrap_or(6));
            match new >= old {
                true => (Work::Catalog, None),
                false => (Work::Rewrite, Some("fractions of seconds")),
            }
        }
        _ => (Work::Rewrite, None),
    };
    Conversion {
        using: None,
        loses,
        work,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: &str, to: &str) -> Option<Conversion> {
        let schema = Schema::default();
        let [from, to] = [from, to].map(|text| ColumnType {
            data_type: Type::parse(text).unwrap(),
            collation: None,
        });
        conversion((&schema, &from), (&schema, &to))
    }

    #[test]
    fn what_is_lost_is_said() {
        for (from, to, loses) in [
            ("integer", "bigint", None),
            ("bigint", "integer", None),
            ("numeric(10,2)", "integer", Some("the fractions")),
            (
                "numeric(10,2)",
                "numeric(10,1)",
                Some("digits after the point"),
            ),
            ("numeric(10,2)", "numeric(12,2)", None),
            ("timestamptz", "date", Some("the times of day")),
            (
                "timestamptz",
                "timestamptz(3)",
                Some("fractions of seconds"),
            ),
            ("varchar(20)", "varchar(10)", None),
            ("date", "text", None),
            ("numeric[]", "integer[]", Some("the fractions")),
        ] {
            assert_eq!(of(from, to).unwrap().loses, loses, "{from} to {to}");
        }
    }

    #[test]
    fn a_cast_is_written_down_only_where_the_server_needs_it() {
        assert_eq!(of("text", "integer").unwrap().using.unwrap(), "{}::integer");
        assert_eq!(of("integer", "text").unwrap().using, None);
        assert_eq!(of("text", "text[]").unwrap().using.unwrap(), "{}::text[]");
    }

    #[test]
    fn where_no_cast_leads_there_is_none() {
        for (from, to) in [
            ("boolean", "date"),
            ("uuid", "integer"),
            ("integer[]", "integer"),
            ("date", "integer"),
            ("jsonb", "uuid"),
        ] {
            assert_eq!(of(from, to), None, "{from} to {to}");
        }
    }

    #[test]
    fn a_longer_text_rewrites_nothing() {
        assert_eq!(
            of("varchar(10)", "varchar(20)").unwrap().work,
            Work::Catalog
        );
        assert_eq!(of("varchar(10)", "text").unwrap().work, Work::Catalog);
        assert_eq!(of("text", "varchar(10)").unwrap().work, Work::Rewrite);
    }
}

//! PostgreSQL's part in copying tables.

use underpin_core::Result;
use underpin_schema::{Column, ObjectName, Schema, Table, Type};
use underpin_sql::POSTGRES;

use crate::dialect::{
    CopyDialect, Counting, ForeignKeyRules, SharedSnapshot, TargetLock, TargetRules,
};
use crate::kind::{Digits, Kind, TextLimit};
use crate::literal::{self, Literal};

/// The particulars of PostgreSQL in copying tables.
pub const DIALECT: CopyDialect = CopyDialect {
    kind_of,
    // The text of an array has its bounds.
    within: |kind| match kind {
        Kind::Array(_) => Kind::Native("array".to_owned()),
        kind => kind,
    },
    dynamic: false,
    table_name: ObjectName::quoted,
    read,
    from,
    // A policy that would hide rows is an error, as for pg_dump.
    session: &[
        "SET datestyle = 'ISO'",
        "SET timezone = 'UTC'",
        "SET intervalstyle = 'postgres'",
        "SET lc_monetary = 'C'",
        "SET extra_float_digits = 3",
        "SET bytea_output = 'hex'",
        "SET row_security = off",
        "SET statement_timeout = 0",
        "SET idle_in_transaction_session_timeout = 0",
    ],
    snapshot: Some(SharedSnapshot {
        export: "SELECT pg_catalog.pg_export_snapshot()",
        import: |name| format!("SET TRANSACTION SNAPSHOT {}", (POSTGRES.text)(name)),
    }),
    counts: |schema, table, column| sequence(schema, table, column).is_some(),
    last_number,
    literal: |sql| literal::literal(sql, &POSTGRES.lexis),
    target: Some(TargetRules {
        type_of,
        loses,
        refuses,
        text_forms: false,
        store: |value, _| Ok(value),
        default,
        has_rows: |table| format!("SELECT EXISTS (SELECT 1 FROM {table})"),
        identity: "SELECT pg_catalog.pg_postmaster_start_time()::text || ' '
            || pg_catalog.current_database()",
        // Advisory locks are of one database. The key is `undpcopy` as a number.
        lock: TargetLock::Session {
            take: "SELECT pg_catalog.pg_try_advisory_lock(8461811183743103097)",
            keep: "SELECT pg_catalog.pg_advisory_lock_shared(8461811183743103097);
                SELECT pg_catalog.pg_advisory_unlock(8461811183743103097)",
            join: "SELECT pg_catalog.pg_advisory_lock_shared(8461811183743103097)",
            holder: "SELECT 'process ' || l.pid
                || coalesce(', ' || nullif(a.application_name, ''), '')
                || coalesce(', from ' || pg_catalog.host(a.client_addr), '')
                FROM pg_catalog.pg_locks l
                JOIN pg_catalog.pg_database d ON d.oid = l.database
                LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                AND d.datname = pg_catalog.current_database()
                AND l.classid::bigint = 8461811183743103097 >> 32
                AND l.objid::bigint = 8461811183743103097 & 4294967295
                ORDER BY l.pid LIMIT 1",
        },
        counting: Counting::Any,
        set_number,
        session: &[],
        foreign_keys: ForeignKeyRules::Constraints {
            defer: "SET CONSTRAINTS ALL DEFERRED",
        },
        writers: true,
        namespaces: true,
    }),
};

/// Types of which only the text is copied, and which no other engine has. Sorted.
pub(crate) const NATIVE: [&str; 36] = [
    "bit",
    "bit varying",
    "box",
    "cidr",
    "circle",
    "datemultirange",
    "daterange",
    "inet",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "nummultirange",
    "numrange",
    "oid",
    "path",
    "pg_lsn",
    "point",
    "polygon",
    "regclass",
    "regproc",
    "regtype",
    "time with time zone",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "xml",
];

fn kind_of(schema: &Schema, of: &Type) -> Kind {
    if of.array {
        let element = Type {
            array: false,
            ..of.clone()
        };
        return match kind_of(schema, &element) {
            // An array of these is known as its text.
            Kind::Native(_) | Kind::Array(_) => Kind::Native(sql(of)),
            element => Kind::Array(Box::new(element)),
        };
    }
    if let Some(namespace) = &of.namespace {
        let name = ObjectName::new(namespace, &of.name);
        if let Some(found) = schema.enums.get(&name) {
            return Kind::Labels(found.labels.clone());
        }
        return match schema.domains.get(&name) {
            Some(domain) => kind_of(schema, &domain.base),
            None => Kind::Native(sql(of)),
        };
    }
    let number = |at: usize| -> Option<u32> { of.parameters.get(at)?.parse().ok() };
    let digits = || {
        number(0)
            .and_then(|n| u8::try_from(n).ok())
            .unwrap_or(Kind::MICROS)
    };
    match of.name.as_str() {
        "boolean" => Kind::Bool,
        "smallint" => Kind::I16,
        "integer" => Kind::I32,
        "bigint" => Kind::I64,
        "real" => Kind::F32,
        "double precision" => Kind::F64,
        "numeric" => Kind::Numeric(number(0).map(|precision| {
            Digits {
                precision,
                scale: of
                    .parameters
                    .get(1)
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(0),
            }
        })),
        "text" | "name" => Kind::TEXT,
        "character varying" => Kind::Text(TextLimit {
            length: number(0),
            padded: false,
        }),
        "character" => Kind::Text(TextLimit {
            length: Some(number(0).unwrap_or(1)),
            padded: true,
        }),
        "bytea" => Kind::Bytes,
        "date" => Kind::Date,
        "time without time zone" => Kind::Time(digits()),
        "timestamp without time zone" => Kind::Timestamp(digits()),
        "timestamp with time zone" => Kind::TimestampTz(digits()),
        "uuid" => Kind::Uuid,
        "json" => Kind::Json,
        "jsonb" => Kind::Jsonb,
        name if name.starts_with("interval") => Kind::Interval,
        _ => Kind::Native(sql(of)),
    }
}

fn sql(of: &Type) -> String {
    of.sql().unwrap_or_else(|_| of.to_string())
}

/// Types that the driver reads as another value, or not at all, are read as text.
fn read(column: &str, kind: &Kind) -> String {
    match kind {
        Kind::Native(_) | Kind::Labels(_) => format!("{column}::text"),
        _ => column.to_owned(),
    }
}

/// The rows of its children are copied with them; those of partitions with the table.
fn from(name: &str, table: &Table) -> String {
    match table.partition_by.is_some() {
        true => name.to_owned(),
        false => format!("ONLY {name}"),
    }
}

/// The type of a kind. Numbers of no particular size are 64 bits.
fn type_of(kind: &Kind, _: bool) -> Type {
    let plain = |name: &str| Type::named(name);
    let sized = |name: &str, digits: u8| Type {
        parameters: match digits {
            Kind::MICROS.. => Vec::new(),
            digits => vec![digits.to_string()],
        },
        ..Type::named(name)
    };
    match kind {
        Kind::Bool => plain("boolean"),
        Kind::I16 => plain("smallint"),
        Kind::I32 => plain("integer"),
        Kind::I64 => plain("bigint"),
        Kind::F32 => plain("real"),
        Kind::F64 => plain("double precision"),
        Kind::Numeric(None) => plain("numeric"),
        Kind::Numeric(Some(digits)) => Type {
            parameters: vec![digits.precision.to_string(), digits.scale.to_string()],
            ..plain("numeric")
        },
        Kind::Text(TextLimit {
            length: Some(length),
            padded,
        }) => Type {
            parameters: vec![length.to_string()],
            ..plain(if *padded {
                "character"
            } else {
                "character varying"
            })
        },
        Kind::Bytes => plain("bytea"),
        Kind::Date => plain("date"),
        Kind::Time(digits) => sized("time without time zone", *digits),
        Kind::Timestamp(digits) => sized("timestamp without time zone", *digits),
        Kind::TimestampTz(digits) => sized("timestamp with time zone", *digits),
        Kind::Interval => plain("interval"),
        Kind::Uuid => plain("uuid"),
        Kind::Json => plain("json"),
        Kind::Jsonb => plain("jsonb"),
        Kind::Array(element) => Type {
            array: true,
            ..type_of(element, false)
        },
        Kind::Native(name) if is_native(name) => {
            Type::parse(name).unwrap_or_else(|_| plain("text"))
        }
        Kind::Text(_) | Kind::Labels(_) | Kind::Native(_) | Kind::Any => plain("text"),
    }
}

fn is_native(name: &str) -> bool {
    let name = name.strip_suffix("[]").unwrap_or(name);
    let name = match name.split_once('(') {
        // `time(3) with time zone`
        Some((name, rest)) => format!("{name}{}", rest.split_once(')').map_or("", |(_, end)| end)),
        None => name.to_owned(),
    };
    NATIVE.binary_search(&name.as_str()).is_ok()
}

fn loses(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Any => Some("every value becomes text"),
        _ => None,
    }
}

fn refuses(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Text(_) | Kind::Json | Kind::Jsonb => Some("NUL"),
        Kind::Any => Some("bytes, NUL"),
        _ => None,
    }
}

fn default(literal: &Literal, kind: &Kind) -> Option<String> {
    Some(match (literal, kind) {
        (Literal::Null, _) => return None,
        (Literal::Bool(truth), Kind::Bool) => POSTGRES.truth(*truth).to_owned(),
        (Literal::Number(number), Kind::Bool) if ["0", "1"].contains(&number.as_str()) => {
            POSTGRES.truth(number == "1").to_owned()
        }
        (Literal::Now, Kind::Date) => "CURRENT_DATE".to_owned(),
        (Literal::Now, Kind::Time(_)) => "LOCALTIME".to_owned(),
        (Literal::Now, Kind::Timestamp(_) | Kind::TimestampTz(_)) => "now()".to_owned(),
        (Literal::Text(text), Kind::Array(_)) => match text.as_str() {
            "[]" | "{}" => "'{}'".to_owned(),
            _ => return None,
        },
        (Literal::Text(text), _) => (POSTGRES.text)(text),
        (Literal::Number(number), kind) if is_number(kind) => number.clone(),
        (Literal::Number(number), Kind::Text(_) | Kind::Any) => (POSTGRES.text)(number),
        _ => return None,
    })
}

fn is_number(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::I16 | Kind::I32 | Kind::I64 | Kind::F32 | Kind::F64 | Kind::Numeric(_)
    )
}

/// The sequence that a column counts by.
fn sequence<'s>(schema: &'s Schema, table: &ObjectName, column: &'s Column) -> Option<ObjectName> {
    if let Some(identity) = &column.identity {
        // The server's own choice where no name is known.
        let own = || table.sibling(format!("{}_{}_seq", table.name, column.name));
        return Some(identity.sequence.clone().unwrap_or_else(own));
    }
    column.default.as_ref()?;
    let owned = schema.sequences.iter().find(|(_, sequence)| {
        let by = sequence.owned_by.as_ref();
        by.is_some_and(|by| by.table == *table && by.column == column.name)
    });
    owned.map(|(name, _)| name.clone())
}

fn last_number(schema: &Schema, table: &ObjectName, column: &Column) -> Result<Option<String>> {
    let Some(sequence) = sequence(schema, table, column) else {
        return Ok(None);
    };
    let name = sequence.quoted()?;
    Ok(Some(format!(
        "SELECT CASE WHEN is_called THEN last_value END FROM {name}"
    )))
}

fn set_number(
    schema: &Schema,
    table: &ObjectName,
    column: &Column,
    number: i64,
) -> Result<Vec<String>> {
    let Some(sequence) = sequence(schema, table, column) else {
        return Ok(Vec::new());
    };
    // Of an identity column the server knows the name.
    let name = match &column.identity {
        Some(identity) if identity.sequence.is_none() => format!(
            "pg_catalog.pg_get_serial_sequence({}, {})",
            (POSTGRES.text)(&table.quoted()?),
            (POSTGRES.text)(&column.name)
        ),
        _ => (POSTGRES.text)(&sequence.quoted()?),
    };
    Ok(vec![format!(
        "SELECT pg_catalog.setval({name}, {number}, true)"
    )])
}

/// The types of the published table.
pub fn published() -> Vec<Type> {
    let own = [
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double precision",
        "numeric",
        "numeric(10,2)",
        "numeric(30,10)",
        "text",
        "character varying(255)",
        "character(2)",
        "bytea",
        "date",
        "time without time zone",
        "timestamp without time zone",
        "timestamp(3) with time zone",
        "interval",
        "uuid",
        "json",
        "jsonb",
        "integer[]",
        "text[]",
        "numeric(10,2)[]",
        "timestamp with time zone[]",
    ];
    let native = NATIVE.iter().copied();
    let types = own.into_iter().chain(native);
    types.filter_map(|text| Type::parse(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_again_by_its_kind() {
        let schema = Schema::default();
        for of in published() {
            let kind = kind_of(&schema, &of);
            assert_eq!(type_of(&kind, false), of, "{kind:?}");
        }
        assert!(NATIVE.is_sorted());
    }

    #[test]
    fn types_of_the_database_are_known() {
        let mut schema = Schema::default();
        let name = |name: &str| ObjectName::new("public", name);
        let labels = vec!["a".to_owned()];
        schema.enums.insert(
            name("mood"),
            underpin_schema::EnumType {
                labels: labels.clone(),
                ..Default::default()
            },
        );
        schema.domains.insert(
            name("price"),
            underpin_schema::Domain {
                base: Type::parse("numeric(10,2)").unwrap(),
                ..Default::default()
            },
        );
        let kind = |text: &str| kind_of(&schema, &Type::parse(text).unwrap());
        assert_eq!(kind("public.mood"), Kind::Labels(labels));
        assert!(matches!(kind("public.mood[]"), Kind::Array(_)));
        assert!(matches!(kind("inet[]"), Kind::Native(_)));
        assert!(matches!(kind("public.price"), Kind::Numeric(Some(_))));
        assert!(matches!(kind("public.price[]"), Kind::Array(_)));
        let citext = kind("public.citext");
        assert_eq!(citext, Kind::Native("\"public\".\"citext\"".to_owned()));
        assert_eq!(type_of(&citext, false), Type::named("text"));
        assert_eq!(read("\"c\"", &citext), "\"c\"::text");
    }

    #[test]
    fn constants_become_defaults() {
        let of = |literal, kind: Kind| default(&literal, &kind);
        let number = |text: &str| Literal::Number(text.to_owned());
        assert_eq!(of(number("1"), Kind::Bool).unwrap(), "true");
        assert_eq!(of(Literal::Now, Kind::Date).unwrap(), "CURRENT_DATE");
        assert_eq!(of(number("0"), Kind::I64).unwrap(), "0");
        assert_eq!(of(number("2"), Kind::Bool), None);
        let text = Literal::Text("it's".to_owned());
        assert_eq!(of(text, Kind::TEXT).unwrap(), "'it''s'");
        assert_eq!(of(Literal::Now, Kind::TEXT), None);
    }
}

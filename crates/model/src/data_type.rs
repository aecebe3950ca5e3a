//! The SQL type of a column: the one that was given, or the field's own. Where SQLite's is not
//! given, it is the one that holds what PostgreSQL's does.

use underpin_core::{Class, DataType, Engine, Error, Result};
use underpin_schema::Type;

use super::default_schema;
use super::description::{Column, Description};

/// Other names of PostgreSQL's types.
const ALIASES: [(&str, &str); 18] = [
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int", "integer"),
    ("int8", "bigint"),
    ("bool", "boolean"),
    ("float4", "real"),
    ("float", "double precision"),
    ("float8", "double precision"),
    ("decimal", "numeric"),
    ("varchar", "character varying"),
    ("char", "character"),
    ("varbit", "bit varying"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("double", "double precision"),
    ("dec", "numeric"),
];

/// The type of a column on an engine.
///
/// # Errors
/// [`Class::Config`] for a text that is no type, and for a column of which no type is known.
pub(super) fn data_type(of: &Description, column: &Column, engine: Engine) -> Result<Type> {
    match (engine, column.given_type.own(Engine::Sqlite)) {
        (Engine::Sqlite, Some(own)) => parse(of, column, own),
        (Engine::Sqlite, None) => {
            let strict = of.sqlite.strict;
            Ok(Type::named(storage(&logical(of, column)?, strict)))
        }
        _ => logical(of, column),
    }
}

/// The type as PostgreSQL has it, whatever the engine.
pub(super) fn logical(of: &Description, column: &Column) -> Result<Type> {
    match (column.given_type.on(Engine::Postgres), column.field_type) {
        (Some(given), _) => Ok(normal(parse(of, column, given)?)),
        (None, Some(own)) => Ok(own_type(&own)),
        (None, None) => Err(Error::new(
            Class::Config,
            format!(
                "No type of the column {:?} of the table {:?} is known.",
                column.name, of.table
            ),
        )
        .with_hint("Give it with `#[model(type = \"…\")]`.")),
    }
}

fn own_type(own: &DataType) -> Type {
    let default = default_schema(Engine::Postgres);
    let namespace = own
        .enumeration
        .map(|of| of.schema.unwrap_or(default).to_owned());
    Type {
        namespace,
        array: own.is_array,
        ..Type::named(own.name)
    }
}

fn parse(of: &Description, column: &Column, text: &str) -> Result<Type> {
    Type::parse(text).map_err(|error| {
        error.with_context(format_args!(
            "The type of the column {:?} of the table {:?} cannot be read.",
            column.name, of.table
        ))
    })
}

/// The type by the name that PostgreSQL's catalog has for it.
fn normal(mut of: Type) -> Type {
    if of.namespace.is_some() || of.name.starts_with('"') {
        return of;
    }
    of.name = of.name.to_ascii_lowercase();
    if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| *alias == of.name) {
        of.name = (*name).to_owned();
    }
    match (of.name.as_str(), &mut of.parameters) {
        ("character" | "bit", parameters) if parameters.is_empty() => {
            parameters.push("1".to_owned());
        }
        ("numeric", parameters) if parameters.len() == 1 => parameters.push("0".to_owned()),
        _ => {}
    }
    of
}

/// The type with which SQLite keeps what a type of PostgreSQL holds. Those of strict tables
/// are few; what has no form of its own there is text.
fn storage(logical: &Type, strict: bool) -> &'static str {
    if logical.namespace.is_some() || logical.array {
        return "TEXT";
    }
    match logical.name.as_str() {
        "boolean" | "smallint" | "integer" | "bigint" => "INTEGER",
        "real" | "double precision" => "REAL",
        "numeric" if strict => "REAL",
        "numeric" => "NUMERIC",
        "bytea" => "BLOB",
        _ => "TEXT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_the_name_that_the_catalog_has_for_it() {
        for (given, known) in [
            ("VARCHAR(255)", "character varying(255)"),
            ("decimal(10)", "numeric(10,0)"),
            ("int8[]", "bigint[]"),
            ("timestamp(3)", "timestamp(3) without time zone"),
            ("char", "character(1)"),
            ("public.citext", "public.citext"),
        ] {
            let normal = normal(Type::parse(given).unwrap());
            assert_eq!(normal.to_string(), known, "{given}");
        }
    }

    #[test]
    fn sqlite_keeps_each_type_as_what_holds_it() {
        for (name, kept, strict) in [
            ("boolean", "INTEGER", "INTEGER"),
            ("numeric", "NUMERIC", "REAL"),
            ("bytea", "BLOB", "BLOB"),
            ("timestamp with time zone", "TEXT", "TEXT"),
            ("inet", "TEXT", "TEXT"),
        ] {
            let of = Type::named(name);
            assert_eq!((storage(&of, false), storage(&of, true)), (kept, strict));
        }
    }
}

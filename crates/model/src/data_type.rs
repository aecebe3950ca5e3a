//! The SQL type of a column: the one that was given, or the field's own. Where an engine's is not
//! given, it is the one that holds what PostgreSQL's does.

use underpin_core::{Class, DataType, Enumeration, Error, Result};
use underpin_schema::Type;

use crate::description::{Column, Description};
use crate::dialect::ModelDialect;
use crate::postgres;

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

/// The engine whose names of types all others start from.
const LOGICAL: &str = postgres::DIALECT.name;

/// The type of a column on an engine.
///
/// # Errors
/// [`Class::Config`] for a text that is not a type, and for a column of which no type is known.
pub(super) fn data_type(of: &Description, column: &Column, dialect: &ModelDialect) -> Result<Type> {
    match column.given_type.own(dialect.name) {
        Some(own) => Ok((dialect.given_type)(parse(of, column, own)?)),
        None => Ok((dialect.storage)(of, &logical(of, column, dialect)?)),
    }
}

/// The type as PostgreSQL has it, whatever the engine.
pub(super) fn logical(of: &Description, column: &Column, dialect: &ModelDialect) -> Result<Type> {
    match (given(column), column.field_type) {
        (Some(given), _) => Ok(normal(parse(of, column, given)?)),
        (None, Some(own)) => Ok(own_type(&own, dialect)),
        (None, None) => Err(Error::new(
            Class::Config,
            format!(
                "The type of the column {:?} of the table {:?} is not known.",
                column.name, of.table
            ),
        )
        .with_hint("Set it with `#[model(type = \"…\")]`.")),
    }
}

fn given(column: &Column) -> Option<&'static str> {
    column.given_type.on(LOGICAL)
}

/// The enumerated type of a column that is given no other type.
pub(super) fn enumeration(column: &Column) -> Option<&'static Enumeration> {
    match given(column) {
        Some(_) => None,
        None => column.field_type.and_then(|own| own.enumeration),
    }
}

fn own_type(own: &DataType, dialect: &ModelDialect) -> Type {
    let default = dialect.default_namespace;
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
pub(super) fn normal(mut of: Type) -> Type {
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
}

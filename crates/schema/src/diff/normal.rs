//! When two types or two expressions are the same, however they are written.

use crate::{Expression, Type, sql_text};

/// Other names of PostgreSQL's types. `int` is not among them, since on SQLite a key that is
/// an INTEGER is the row's number, and one that is an INT is not.
const ALIASES: [(&str, &str); 16] = [
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("bool", "boolean"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("decimal", "numeric"),
    ("varchar", "character varying"),
    ("char", "character"),
    ("bpchar", "character"),
    ("varbit", "bit varying"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("double", "double precision"),
];

/// Whether two types are the same.
pub(super) fn same_type(left: &Type, right: &Type) -> bool {
    left == right || normal_type(left) == normal_type(right)
}

/// The type as PostgreSQL spells it.
pub(crate) fn normal_type(of: &Type) -> Type {
    let mut normal = of.clone();
    if normal.namespace.as_deref() == Some("pg_catalog") {
        normal.namespace = None;
    }
    if normal.namespace.is_some() {
        return normal;
    }
    if !normal.name.starts_with('"') {
        normal.name = normal.name.to_ascii_lowercase();
    }
    let bare = normal.name == "bpchar" && normal.parameters.is_empty();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == normal.name);
    if let Some((_, name)) = alias.filter(|_| !bare) {
        normal.name = (*name).to_owned();
    }
    match (normal.name.as_str(), &mut normal.parameters) {
        ("character" | "bit", parameters) if parameters.is_empty() => {
            parameters.push("1".to_owned());
        }
        ("numeric", parameters) if parameters.len() == 1 => parameters.push("0".to_owned()),
        _ => {}
    }
    normal
}

/// Whether two expressions are the same, or both are missing.
pub(super) fn same_expressions(left: &Option<Expression>, right: &Option<Expression>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same_expression(left, right),
        (None, None) => true,
        _ => false,
    }
}

/// Whether two expressions are the same: an engine renders what it reads, or keeps what was
/// written, and nothing is known of an expression but its text.
pub(super) fn same_expression(left: &Expression, right: &Expression) -> bool {
    left == right || bare(left) == bare(right)
}

/// The text without the space and the parentheses around it.
fn bare(of: &Expression) -> &str {
    sql_text::unwrapped(of.as_str().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        same_expression(&left.into(), &right.into())
    }

    #[test]
    fn what_differs_is_not_the_same() {
        for (left, right) in [
            ("'x'", "'X'"),
            ("a > 0", "a > 1"),
            ("'1'::integer", "'1'::bigint"),
            ("f(a)", "a"),
            ("\"A\"", "a"),
            ("a - (b - c)", "a - b - c"),
            ("1", "'1'"),
            ("'x'", "'x'::text"),
            ("a / b", "(a)::numeric / (b)::numeric"),
            ("\"user\"", "user"),
        ] {
            assert!(!same(left, right), "{left} and {right}");
        }
        assert!(same("(a > 0)", " a > 0"));
    }

    #[test]
    fn aliases_are_one_type() {
        for (left, right) in [
            ("int4", "integer"),
            ("varchar(20)", "character varying(20)"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("numeric(10)", "numeric(10,0)"),
            ("char", "character(1)"),
            ("INT8[]", "bigint[]"),
        ] {
            let [left, right] = [left, right].map(|text| Type::parse(text).unwrap());
            assert!(same_type(&left, &right), "{left} and {right}");
        }
        let [left, right] = ["INT", "INTEGER"].map(|text| Type::parse(text).unwrap());
        assert!(!same_type(&left, &right));
        let [left, right] = ["\"char\"", "character"].map(|text| Type::parse(text).unwrap());
        assert!(!same_type(&left, &right));
    }
}

use underpin_core::{Result, ValueRow};

use super::object_selected;
use crate::FunctionName;
use crate::postgres::fields::Fields;
use crate::postgres::listed::is_private;

/// Functions, window functions among them, and procedures.
pub(in crate::postgres) const SQL: &str = concat!(
    "SELECT f.oid::int8, f.prokind::text, n.nspname::text, f.proname::text,
        ARRAY(SELECT format_type(u.type, NULL) FROM unnest(f.proargtypes) WITH ORDINALITY u(type, place)
              ORDER BY u.place),
        pg_get_functiondef(f.oid), pg_get_function_arguments(f.oid), pg_get_function_result(f.oid), d.description
     FROM pg_proc f
     JOIN pg_namespace n ON n.oid = f.pronamespace
     LEFT JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = f.oid
     WHERE f.prokind IN ('f', 'p', 'w') AND ",
    object_selected!("'pg_proc'::regclass", "f.oid"),
);

/// The definition without the settings that a server writes for itself, which it shows in lines
/// of their own before the body.
fn without_private(definition: String) -> String {
    let private = |line: &str| {
        let setting = line.strip_prefix(" SET ");
        let name = setting.and_then(|setting| setting.split_once(" TO "));
        name.is_some_and(|(name, _)| is_private(name))
    };
    let starts_body = |line: &str| {
        let starts = ["AS ", "BEGIN ATOMIC", "RETURN "];
        starts.iter().any(|start| line.starts_with(start))
    };
    let lines: Vec<&str> = definition.split_inclusive('\n').collect();
    let head = lines.iter().position(|line| starts_body(line));
    let (head, body) = lines.split_at(head.unwrap_or(lines.len()));
    if !head.iter().any(|line| private(line)) {
        return definition;
    }
    let head = head.iter().filter(|line| !private(line));
    head.chain(body).copied().collect()
}

pub(in crate::postgres) struct FunctionRow {
    pub(in crate::postgres) oid: i64,
    pub(in crate::postgres) kind: String,
    pub(in crate::postgres) name: FunctionName,
    pub(in crate::postgres) definition: String,
    pub(in crate::postgres) arguments: String,
    pub(in crate::postgres) returns: Option<String>,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<FunctionRow> {
    let mut fields = Fields::of(row);
    Ok(FunctionRow {
        oid: fields.next()?,
        kind: fields.next()?,
        name: FunctionName {
            namespace: fields.next()?,
            name: fields.next()?,
            arguments: fields.next()?,
        },
        definition: without_private(fields.next()?),
        arguments: fields.next()?,
        returns: fields.next()?,
        comment: fields.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_head_of_a_function_loses_private_settings() {
        let body = "AS $$\n SET pg_attver TO '1'\n$$\n";
        let with = |settings: &str| format!("CREATE FUNCTION f()\n LANGUAGE sql\n{settings}{body}");
        let own = " SET search_path TO 'a'\n";
        let private = " SET pg_attver TO '22183600'\n";
        assert_eq!(without_private(with(own)), with(own));
        assert_eq!(without_private(with(private)), with(""));
        assert_eq!(without_private(with(&[private, own].concat())), with(own));
    }
}

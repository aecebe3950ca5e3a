use underpin_core::{Result, ValueRow};

use super::object_selected;
use crate::FunctionName;
use crate::postgres::fields::Fields;

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
        definition: fields.next()?,
        arguments: fields.next()?,
        returns: fields.next()?,
        comment: fields.next()?,
    })
}

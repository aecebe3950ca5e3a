use underpin_core::{Result, ValueRow};

use super::relation_selected;
use crate::FunctionName;
use crate::postgres::fields::Fields;

/// The triggers of tables and views, but for those that foreign keys made.
pub(in crate::postgres) fn sql(version: i32) -> String {
    let parent = match version {
        130_000.. => "g.tgparentid <> 0",
        _ => "false",
    };
    SQL.replace("{has_parent}", parent)
}

const SQL: &str = concat!(
    "SELECT g.tgrelid::int8, g.tgname::text, pg_get_triggerdef(g.oid), fn.nspname::text, f.proname::text,
        g.tgenabled::text, {has_parent}, d.description
     FROM pg_trigger g
     JOIN pg_class c ON c.oid = g.tgrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_proc f ON f.oid = g.tgfoid
     JOIN pg_namespace fn ON fn.oid = f.pronamespace
     LEFT JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = g.oid
     WHERE NOT g.tgisinternal AND c.relkind IN ('r', 'p', 'v') AND c.relpersistence <> 't' AND ",
    relation_selected!(),
);

pub(in crate::postgres) struct TriggerRow {
    pub(in crate::postgres) relation: i64,
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) definition: String,
    pub(in crate::postgres) function: FunctionName,
    pub(in crate::postgres) state: String,
    pub(in crate::postgres) inherited: bool,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<TriggerRow> {
    let mut fields = Fields::of(row);
    Ok(TriggerRow {
        relation: fields.next()?,
        name: fields.next()?,
        definition: fields.next()?,
        function: FunctionName {
            namespace: fields.next()?,
            name: fields.next()?,
            arguments: Vec::new(),
        },
        state: fields.next()?,
        inherited: fields.next()?,
        comment: fields.next()?,
    })
}

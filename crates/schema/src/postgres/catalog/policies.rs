use underpin_core::{Result, ValueRow};

use super::relation_selected;
use crate::postgres::fields::Fields;

/// The policies of row-level security. Among their roles `PUBLIC` is not a role, so that one
/// for all has none.
pub(in crate::postgres) const SQL: &str = concat!(
    "SELECT p.polrelid::int8, p.polname::text, p.polpermissive, p.polcmd::text,
        ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles) ORDER BY 1),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), d.description
     FROM pg_policy p
     JOIN pg_class c ON c.oid = p.polrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_description d ON d.classoid = 'pg_policy'::regclass AND d.objoid = p.oid
     WHERE ",
    relation_selected!(),
);

pub(in crate::postgres) struct PolicyRow {
    pub(in crate::postgres) relation: i64,
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) permissive: bool,
    pub(in crate::postgres) command: String,
    pub(in crate::postgres) roles: Vec<String>,
    pub(in crate::postgres) using: Option<String>,
    pub(in crate::postgres) check: Option<String>,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<PolicyRow> {
    let mut fields = Fields::of(row);
    Ok(PolicyRow {
        relation: fields.next()?,
        name: fields.next()?,
        permissive: fields.next()?,
        command: fields.next()?,
        roles: fields.next()?,
        using: fields.next()?,
        check: fields.next()?,
        comment: fields.next()?,
    })
}

use underpin_core::{Result, ValueRow};

use super::object_selected;
use crate::ObjectName;
use crate::postgres::fields::Fields;

/// Enums and domains.
pub(in crate::postgres) const SQL: &str = concat!(
    "SELECT t.oid::int8, t.typtype::text, n.nspname::text, t.typname::text,
        l.labels,
        CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
        t.typnotnull,
        CASE WHEN t.typdefaultbin IS NOT NULL THEN pg_get_expr(t.typdefaultbin, 0) ELSE t.typdefault END,
        cn.nspname::text, co.collname::text,
        d.description
     FROM pg_type t
     JOIN pg_namespace n ON n.oid = t.typnamespace
     LEFT JOIN (SELECT e.enumtypid, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) AS labels
                FROM pg_enum e GROUP BY e.enumtypid) l ON l.enumtypid = t.oid
     LEFT JOIN pg_type b ON b.oid = t.typbasetype
     LEFT JOIN pg_collation co ON co.oid = t.typcollation AND t.typcollation <> b.typcollation
     LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
     LEFT JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid
     WHERE t.typtype IN ('e', 'd') AND ",
    object_selected!("'pg_type'::regclass", "t.oid"),
);

pub(in crate::postgres) struct TypeRow {
    pub(in crate::postgres) oid: i64,
    pub(in crate::postgres) kind: String,
    pub(in crate::postgres) name: ObjectName,
    pub(in crate::postgres) labels: Option<Vec<String>>,
    pub(in crate::postgres) base: Option<String>,
    pub(in crate::postgres) not_null: bool,
    pub(in crate::postgres) default: Option<String>,
    pub(in crate::postgres) collation: Option<ObjectName>,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<TypeRow> {
    let mut fields = Fields::of(row);
    Ok(TypeRow {
        oid: fields.next()?,
        kind: fields.next()?,
        name: ObjectName {
            namespace: fields.next()?,
            name: fields.next()?,
        },
        labels: fields.next()?,
        base: fields.next()?,
        not_null: fields.next()?,
        default: fields.next()?,
        collation: fields.name()?,
        comment: fields.next()?,
    })
}

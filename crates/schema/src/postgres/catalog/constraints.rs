use underpin_core::{Result, ValueRow};

use super::{object_selected, relation_selected};
use crate::ObjectName;
use crate::postgres::fields::Fields;

/// The constraints of tables and domains. A foreign key to a partitioned table has rows for
/// the partitions of that, which are no constraints of their own and stay out.
pub(in crate::postgres) fn sql(version: i32) -> String {
    let set_columns = match version {
        150_000.. => "k.confdelsetcols",
        _ => "NULL::int2[]",
    };
    let (enforced, period) = match version {
        180_000.. => ("k.conenforced", "k.conperiod"),
        _ => ("true", "false"),
    };
    SQL.replace("{set_columns}", set_columns)
        .replace("{enforced}", enforced)
        .replace("{period}", period)
}

const SQL: &str = concat!(
    "SELECT k.conrelid::int8, k.contypid::int8, k.conname::text, k.contype::text, k.conindid::int8,
        k.conkey, k.condeferrable, k.condeferred, k.convalidated, k.connoinherit,
        CASE WHEN k.contype = 'f' THEN k.conparentid = 0 ELSE k.conislocal END,
        CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END,
        fn.nspname::text, f.relname::text,
        CASE WHEN k.contype <> 'f' THEN NULL
             WHEN cardinality(k.confkey) = 1 THEN ARRAY[fa.attname::text]
             ELSE ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
                        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place) END,
        k.confupdtype::text, k.confdeltype::text, k.confmatchtype::text, {set_columns},
        k.conexclop::int8[], d.description, {enforced}, {period}
     FROM pg_constraint k
     LEFT JOIN pg_constraint up ON up.oid = k.conparentid
     LEFT JOIN pg_class f ON f.oid = k.confrelid
     LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
     LEFT JOIN pg_attribute fa ON fa.attrelid = k.confrelid AND fa.attnum = k.confkey[1]
     LEFT JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid
     WHERE k.contype IN ('p', 'u', 'c', 'f', 'x')
       AND (k.contype <> 'f' OR up.oid IS NULL OR up.conrelid <> k.conrelid)
       AND (k.conrelid IN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                           WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ",
    relation_selected!(),
    ") OR k.contypid IN (SELECT t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
                         WHERE t.typtype = 'd' AND ",
    object_selected!("'pg_type'::regclass", "t.oid"),
    "))",
);

pub(in crate::postgres) struct ConstraintRow {
    pub(in crate::postgres) relation: i64,
    pub(in crate::postgres) domain: i64,
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) kind: String,
    pub(in crate::postgres) index: i64,
    pub(in crate::postgres) columns: Vec<i16>,
    pub(in crate::postgres) deferrable: bool,
    pub(in crate::postgres) deferred: bool,
    pub(in crate::postgres) valid: bool,
    pub(in crate::postgres) no_inherit: bool,
    pub(in crate::postgres) is_local: bool,
    pub(in crate::postgres) expression: Option<String>,
    pub(in crate::postgres) references: Option<ObjectName>,
    pub(in crate::postgres) referenced_columns: Vec<String>,
    pub(in crate::postgres) on_update: String,
    pub(in crate::postgres) on_delete: String,
    pub(in crate::postgres) matching: String,
    pub(in crate::postgres) on_delete_columns: Vec<i16>,
    pub(in crate::postgres) operators: Vec<i64>,
    pub(in crate::postgres) comment: Option<String>,
    pub(in crate::postgres) enforced: bool,
    /// Whether the last column is a range that must not overlap, or a period.
    pub(in crate::postgres) period: bool,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<ConstraintRow> {
    let mut fields = Fields::of(row);
    Ok(ConstraintRow {
        relation: fields.next()?,
        domain: fields.next()?,
        name: fields.next()?,
        kind: fields.next()?,
        index: fields.next()?,
        columns: fields.next::<Option<_>>()?.unwrap_or_default(),
        deferrable: fields.next()?,
        deferred: fields.next()?,
        valid: fields.next()?,
        no_inherit: fields.next()?,
        is_local: fields.next()?,
        expression: fields.next()?,
        references: fields.name()?,
        referenced_columns: fields.next::<Option<_>>()?.unwrap_or_default(),
        on_update: fields.next()?,
        on_delete: fields.next()?,
        matching: fields.next()?,
        on_delete_columns: fields.next::<Option<_>>()?.unwrap_or_default(),
        operators: fields.next::<Option<_>>()?.unwrap_or_default(),
        comment: fields.next()?,
        enforced: fields.next()?,
        period: fields.next()?,
    })
}

use underpin_core::{Result, ValueRow};

use super::relation_selected;
use crate::ObjectName;
use crate::postgres::fields::Fields;

/// What statements of their own set, where it is not as usual.
pub(in crate::postgres) fn sql(version: i32) -> String {
    let compression = match version {
        140_000.. => "a.attcompression",
        _ => "''",
    };
    SQL.replace("{compression}", compression)
}

const SQL: &str = concat!(
    "SELECT u.kind, n.nspname::text, c.relname::text, u.part, u.key, u.value
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (
        SELECT 'access method' AS kind, NULL::text AS part, NULL::int2 AS key, m.amname::text AS value
          FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap'
        UNION ALL SELECT 'tablespace', NULL, NULL, s.spcname::text FROM pg_tablespace s WHERE s.oid = c.reltablespace
        UNION ALL SELECT 'type', NULL, NULL, format_type(c.reloftype, NULL) WHERE c.reloftype <> 0
        UNION ALL SELECT 'replica identity', NULL, NULL, CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
            ELSE coalesce((SELECT 'INDEX ' || k.relname FROM pg_index i JOIN pg_class k ON k.oid = i.indexrelid
                           WHERE i.indrelid = c.oid AND i.indisreplident), 'NOTHING') END
          WHERE c.relreplident <> 'd' AND c.relkind IN ('r', 'p')
        UNION ALL SELECT w.kind, a.attname, NULL, w.value
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
          CROSS JOIN LATERAL (
            SELECT 'storage' AS kind, CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END AS value WHERE a.attstorage <> t.typstorage
            UNION ALL SELECT 'compression', CASE {compression} WHEN 'p' THEN 'pglz' ELSE 'lz4' END
              WHERE {compression} <> ''
            UNION ALL SELECT 'statistics', a.attstattarget::text WHERE coalesce(a.attstattarget, -1) >= 0
          ) w
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND (a.attstorage <> t.typstorage OR {compression} <> '' OR coalesce(a.attstattarget, -1) >= 0)
     ) u
     WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND ",
    relation_selected!(),
    " UNION ALL
     SELECT u.kind, n.nspname::text, c.relname::text, ic.relname::text, u.key, u.value
     FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (
        SELECT 'clustering' AS kind, NULL::int2 AS key, ic.relname::text AS value WHERE i.indisclustered
        UNION ALL SELECT 'index tablespace', NULL, s.spcname::text FROM pg_tablespace s WHERE s.oid = ic.reltablespace
        UNION ALL SELECT 'index statistics', a.attnum, a.attstattarget::text FROM pg_attribute a
          WHERE a.attrelid = i.indexrelid AND coalesce(a.attstattarget, -1) >= 0
        UNION ALL SELECT 'index comment', NULL, d.description FROM pg_description d
          WHERE d.classoid = 'pg_class'::regclass AND d.objoid = ic.oid AND d.objsubid = 0
            AND EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = ic.oid AND k.contype IN ('p', 'u', 'x'))
     ) u
     WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND ",
    relation_selected!(),
);

pub(in crate::postgres) struct SettingRow {
    pub(in crate::postgres) kind: String,
    pub(in crate::postgres) relation: ObjectName,
    /// The column or the index.
    pub(in crate::postgres) part: Option<String>,
    /// The number of an index's key.
    pub(in crate::postgres) key: Option<i16>,
    pub(in crate::postgres) value: String,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<SettingRow> {
    let mut fields = Fields::of(row);
    Ok(SettingRow {
        kind: fields.next()?,
        relation: ObjectName {
            namespace: fields.next()?,
            name: fields.next()?,
        },
        part: fields.next()?,
        key: fields.next()?,
        value: fields.next()?,
    })
}

use underpin_core::{Result, ValueRow};

use super::namespace_selected;
use crate::postgres::fields::Fields;

/// The version of the server, namespaces and extensions, and the names of what indexes and
/// constraints refer to by number.
pub(in crate::postgres) const SQL: &str = concat!(
    "SELECT 'namespace' AS kind, n.oid::int8 AS oid, NULL::text AS namespace, n.nspname::text AS name,
        NULL::text AS version, NULL::text[] AS requires, d.description AS comment
     FROM pg_namespace n
     LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid
     WHERE ",
    namespace_selected!(),
    "  AND $2::text[] IS NULL AND $3::text[] IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_namespace'::regclass
                       AND x.objid = n.oid AND x.deptype = 'e')
     UNION ALL
     SELECT 'extension', e.oid::int8, n.nspname::text, e.extname::text, e.extversion,
        ARRAY(SELECT o.extname::text FROM pg_depend x JOIN pg_extension o ON o.oid = x.refobjid
              WHERE x.classid = 'pg_extension'::regclass AND x.objid = e.oid
                AND x.refclassid = 'pg_extension'::regclass AND o.oid >= 16384),
        d.description
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     LEFT JOIN pg_description d ON d.classoid = 'pg_extension'::regclass AND d.objoid = e.oid
     WHERE e.oid >= 16384 AND $2::text[] IS NULL
       AND (n.nspname::text = ANY ($1) OR $1::text[] IS NULL)
     UNION ALL
     SELECT 'operator class', o.oid::int8, n.nspname::text, o.opcname::text, NULL, NULL, NULL
     FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace
     WHERE NOT o.opcdefault
     UNION ALL
     SELECT 'default operator class', o.oid::int8, n.nspname::text, o.opcname::text, NULL, NULL, NULL
     FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace
     WHERE o.opcdefault AND o.oid IN (SELECT unnest(i.indclass) FROM pg_index i WHERE i.indexrelid >= 16384)
     UNION ALL
     SELECT 'collation', o.oid::int8, n.nspname::text, o.collname::text, NULL, NULL, NULL
     FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
     WHERE o.oid IN (SELECT unnest(i.indcollation) FROM pg_index i WHERE i.indexrelid >= 16384
                     UNION SELECT unnest(p.partcollation) FROM pg_partitioned_table p)
     UNION ALL
     SELECT 'operator', o.oid::int8, n.nspname::text, o.oprname::text, NULL, NULL, NULL
     FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE o.oid IN (SELECT unnest(c.conexclop) FROM pg_constraint c WHERE c.contype = 'x')
     UNION ALL
     SELECT 'cast', k.oid::int8, NULL, format_type(k.castsource, NULL), format_type(k.casttarget, NULL), NULL,
        CASE k.castcontext WHEN 'e' THEN 'e' ELSE 'a' END
     FROM pg_cast k
     UNION ALL
     SELECT 'text', t.oid::int8, NULL, format_type(t.oid, NULL), NULL, NULL, NULL
     FROM pg_type t WHERE t.typcategory = 'S' AND t.typtype = 'b' AND t.oid >= 16384
     UNION ALL
     SELECT 'server', current_setting('server_version_num')::int8, NULL, '', NULL, NULL, NULL
     ORDER BY kind, oid"
);

pub(in crate::postgres) struct Name {
    pub(in crate::postgres) kind: String,
    pub(in crate::postgres) oid: i64,
    pub(in crate::postgres) namespace: Option<String>,
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) version: Option<String>,
    pub(in crate::postgres) requires: Vec<String>,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<Name> {
    let mut fields = Fields::of(row);
    Ok(Name {
        kind: fields.next()?,
        oid: fields.next()?,
        namespace: fields.next()?,
        name: fields.next()?,
        version: fields.next()?,
        requires: fields.texts()?,
        comment: fields.next()?,
    })
}

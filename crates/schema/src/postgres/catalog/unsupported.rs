use underpin_core::{Result, ValueRow};

use super::{object_selected, relation_selected};
use crate::Unsupported;
use crate::postgres::catalog::dependencies::Place;
use crate::postgres::fields::Fields;

/// The objects that a schema cannot carry, by kind and name, with a fingerprint of what defines
/// each and of its comment. What belongs to no namespace is there where all are selected.
pub(in crate::postgres) fn sql() -> String {
    [RELATIONS, OBJECTS, GLOBAL].join(" UNION ALL ")
}

const RELATIONS: &str = concat!(
    "SELECT 'foreign table', format('%I.%I', n.nspname, c.relname),
        md5(concat_ws('/', s.srvname, f.ftoptions, (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
              a.attnotnull, a.attfdwoptions, pg_get_expr(v.adbin, v.adrelid)), ',' ORDER BY a.attnum)
            FROM pg_attribute a LEFT JOIN pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
          (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k WHERE k.conrelid = c.oid),
          (SELECT string_agg(d.description, ',' ORDER BY d.objsubid) FROM pg_description d
            WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid))),
        'relation', c.oid::int8
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_foreign_table f ON f.ftrelid = c.oid
     JOIN pg_foreign_server s ON s.oid = f.ftserver
     WHERE c.relkind = 'f' AND ",
    relation_selected!(),
);

/// All kinds as one: to plan each by itself takes the server longer than to look them up.
const OBJECTS: &str = concat!(
    "SELECT u.kind, format('%I.%I', n.nspname, u.name)
          || CASE WHEN u.kind LIKE 'operator%' THEN format(' USING %s', u.method) ELSE '' END,
        md5(concat_ws('/', u.definition, obj_description(u.oid, u.class))), CASE u.class WHEN 'pg_type' THEN 'type' ELSE u.class END, u.oid::int8
     FROM (
        SELECT 'base type' AS kind, typname AS name, typnamespace AS namespace, t.oid, 'pg_type' AS class, NULL::name AS method,
            concat_ws(' ', typlen, typbyval, typalign, typstorage, typinput, typoutput, typreceive, typsend, typmodin, typmodout,
              typanalyze, typcategory, typispreferred, typdelim, typdefault, typisdefined, typcollation <> 0) AS definition
          FROM pg_type t
          WHERE (typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid) OR typtype = 'p') AND t.oid >= 16384
        UNION ALL SELECT 'operator class', opcname, opcnamespace, o.oid, 'pg_opclass', am.amname,
            concat_ws(' ', opcdefault, format_type(opcintype, NULL), format_type(nullif(opckeytype, 0), NULL),
              (SELECT string_agg(concat_ws(' ', p.amopstrategy, p.amopopr::regoperator, p.amoppurpose), ',' ORDER BY p.amopstrategy)
               FROM pg_amop p WHERE p.amopfamily = o.opcfamily AND p.amoplefttype = o.opcintype),
              (SELECT string_agg(concat_ws(' ', p.amprocnum, p.amproc::regprocedure), ',' ORDER BY p.amprocnum)
               FROM pg_amproc p WHERE p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype))
          FROM pg_opclass o JOIN pg_am am ON am.oid = o.opcmethod WHERE o.oid >= 16384
        UNION ALL SELECT 'operator family', opfname, opfnamespace, o.oid, 'pg_opfamily', am.amname,
            concat_ws(' ', (SELECT string_agg(concat_ws(' ', p.amopstrategy, p.amopopr::regoperator, p.amoppurpose), ','
                ORDER BY p.amopstrategy, p.amopopr::regoperator::text) FROM pg_amop p WHERE p.amopfamily = o.oid),
              (SELECT string_agg(concat_ws(' ', p.amprocnum, p.amproc::regprocedure), ',' ORDER BY p.amprocnum, p.amproc::regprocedure::text)
               FROM pg_amproc p WHERE p.amprocfamily = o.oid))
          FROM pg_opfamily o JOIN pg_am am ON am.oid = o.opfmethod WHERE o.oid >= 16384
        UNION ALL SELECT 'conversion', conname, connamespace, oid, 'pg_conversion', NULL,
            concat_ws(' ', pg_encoding_to_char(conforencoding), pg_encoding_to_char(contoencoding), conproc, condefault)
          FROM pg_conversion WHERE oid >= 16384
        UNION ALL SELECT 'text search parser', prsname, prsnamespace, oid, 'pg_ts_parser', NULL,
            concat_ws(' ', prsstart, prstoken, prsend, prsheadline, prslextype)
          FROM pg_ts_parser WHERE oid >= 16384
        UNION ALL SELECT 'text search template', tmplname, tmplnamespace, oid, 'pg_ts_template', NULL, concat_ws(' ', tmplinit, tmpllexize)
          FROM pg_ts_template WHERE oid >= 16384
     ) u JOIN pg_namespace n ON n.oid = u.namespace
     WHERE ",
    object_selected!("u.class::regclass", "u.oid"),
);

/// Objects outside of namespaces; those of the server have a number below 16384. Of user mappings,
/// the values of options stay out: they are secrets.
const GLOBAL: &str = "SELECT u.kind, u.name, md5(concat_ws('/', u.definition, obj_description(u.oid, u.class))), u.class, u.oid::int8
     FROM (
        SELECT 'publication' AS kind, pubname::text AS name, p.oid, 'pg_publication' AS class,
            concat_ws(' ', to_jsonb(p) - 'oid' - 'pubowner', (SELECT string_agg(to_jsonb(t)::text, ',' ORDER BY t.schemaname, t.tablename)
              FROM pg_publication_tables t WHERE t.pubname = p.pubname)) AS definition
          FROM pg_publication p
        UNION ALL SELECT 'subscription', subname, oid, 'pg_subscription', concat_ws(' ', subenabled, subslotname, subpublications)
          FROM pg_subscription
          WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT 'foreign data wrapper', fdwname, oid, 'pg_foreign_data_wrapper',
            concat_ws(' ', nullif(fdwhandler, 0)::regproc, nullif(fdwvalidator, 0)::regproc, fdwoptions) FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'foreign server', srvname, s.oid, 'pg_foreign_server', concat_ws(' ', w.fdwname, srvtype, srvversion, srvoptions)
          FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
        UNION ALL SELECT 'user mapping', format('for %s on %s', usename, srvname), umid, 'pg_user_mapping',
            (SELECT string_agg(split_part(o, '=', 1), ',') FROM unnest(umoptions) o) FROM pg_user_mappings
        UNION ALL SELECT 'language', lanname, oid, 'pg_language',
            concat_ws(' ', lanpltrusted, nullif(lanplcallfoid, 0)::regproc, nullif(laninline, 0)::regproc, nullif(lanvalidator, 0)::regproc)
          FROM pg_language
        UNION ALL SELECT 'access method', amname, oid, 'pg_am', concat_ws(' ', amtype, amhandler) FROM pg_am
        UNION ALL SELECT 'transform', format('%s for %s', format_type(trftype, NULL), l.lanname), r.oid, 'pg_transform',
            concat_ws(' ', nullif(trffromsql, 0)::regproc, nullif(trftosql, 0)::regproc)
          FROM pg_transform r JOIN pg_language l ON l.oid = r.trflang
     ) u
     WHERE u.oid >= 16384 AND $1::text[] IS NULL AND $2::text[] IS NULL AND $3::text[] IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = u.class::regclass AND x.objid = u.oid AND x.deptype IN ('e', 'i'))";

pub(in crate::postgres) struct UnsupportedRow {
    pub(in crate::postgres) named: Unsupported,
    pub(in crate::postgres) place: Place,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<UnsupportedRow> {
    let mut fields = Fields::of(row);
    Ok(UnsupportedRow {
        named: Unsupported {
            kind: fields.next()?,
            name: fields.next()?,
            fingerprint: fields.next()?,
        },
        place: (fields.next()?, fields.next()?),
    })
}

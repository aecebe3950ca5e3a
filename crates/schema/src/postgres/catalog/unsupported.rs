use underpin_core::{Result, ValueRow};

use super::{object_selected, relation_selected};
use crate::Unsupported;
use crate::postgres::fields::Fields;

/// The objects that a schema cannot carry, by kind and name, except those of columns. What belongs
/// to no namespace is there where all are selected.
pub(in crate::postgres) fn sql(version: i32) -> String {
    let mut sql = [RELATIONS, OBJECTS, GLOBAL].join(" UNION ALL ");
    if version >= 180_000 {
        sql = format!("{sql} UNION ALL {CONSTRAINTS_OF_18}");
    }
    sql
}

const RELATIONS: &str = concat!(
    "SELECT u.kind, format('%I.%I', n.nspname, u.name)
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (
        SELECT 'foreign table' AS kind, c.relname::text AS name WHERE c.relkind = 'f'
        UNION ALL SELECT 'composite type', c.relname WHERE c.relkind = 'c'
        UNION ALL SELECT 'typed table', c.relname WHERE c.reloftype <> 0
        UNION ALL SELECT 'tablespace of', c.relname WHERE c.reltablespace <> 0
        UNION ALL SELECT 'access method of', c.relname
          WHERE c.relkind IN ('r', 'm') AND c.relam NOT IN (SELECT oid FROM pg_am WHERE amname = 'heap')
        UNION ALL SELECT 'replica identity of', c.relname WHERE c.relreplident <> 'd' AND c.relkind IN ('r', 'p', 'm')
     ) u WHERE c.relkind IN ('r', 'p', 'f', 'm', 'c') AND ",
    relation_selected!(),
    " UNION ALL SELECT CASE WHEN i.indisclustered THEN 'clustering on' ELSE 'tablespace of' END,
        format('%I.%I', n.nspname, ic.relname)
     FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (i.indisclustered OR ic.reltablespace <> 0) AND ",
    relation_selected!(),
    " UNION ALL SELECT 'comment on the index of constraint', format('%I.%I', n.nspname, ic.relname)
     FROM pg_constraint k JOIN pg_class ic ON ic.oid = k.conindid JOIN pg_class c ON c.oid = k.conrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = ic.oid AND d.objsubid = 0
     WHERE k.contype IN ('p', 'u', 'x') AND ",
    relation_selected!(),
    " UNION ALL SELECT 'rule', format('%I on %I.%I', w.rulename, n.nspname, c.relname)
     FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE w.rulename <> '_RETURN' AND ",
    relation_selected!(),
    " UNION ALL SELECT 'statistics', format('%I.%I', sn.nspname, s.stxname)
     FROM pg_statistic_ext s JOIN pg_namespace sn ON sn.oid = s.stxnamespace
     JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ",
    relation_selected!(),
);

const CONSTRAINTS_OF_18: &str = concat!(
    "SELECT CASE WHEN k.contype = 'n' THEN 'form of NOT NULL constraint' WHEN k.conenforced THEN 'WITHOUT OVERLAPS of constraint'
            ELSE 'NOT ENFORCED of constraint' END, format('%I on %I.%I', k.conname, n.nspname, c.relname)
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE (NOT k.conenforced OR k.conperiod OR k.contype = 'n' AND (k.connoinherit OR NOT k.convalidated)) AND ",
    relation_selected!(),
);

/// All kinds as one: to plan each by itself takes the server longer than to look them up.
const OBJECTS: &str = concat!(
    "SELECT u.kind, CASE u.kind
        WHEN 'aggregate' THEN format('%I.%I(%s)', n.nspname, u.name, pg_get_function_identity_arguments(u.oid))
        WHEN 'operator' THEN (
          SELECT format('%I.%s(%s, %s)', n.nspname, o.oprname,
            CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END, format_type(o.oprright, NULL))
          FROM pg_operator o WHERE o.oid = u.oid)
        ELSE format('%I.%I', n.nspname, u.name) END
     FROM (
        SELECT CASE typtype WHEN 'r' THEN 'range type' ELSE 'base type' END AS kind, typname AS name, typnamespace AS namespace,
            oid, 'pg_type'::regclass AS class
          FROM pg_type t
          WHERE typtype = 'r' OR typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
        UNION ALL SELECT 'aggregate', proname, pronamespace, oid, 'pg_proc' FROM pg_proc WHERE prokind = 'a'
        UNION ALL SELECT 'operator', oprname, oprnamespace, oid, 'pg_operator' FROM pg_operator
        UNION ALL SELECT 'operator class', opcname, opcnamespace, oid, 'pg_opclass' FROM pg_opclass
        UNION ALL SELECT 'operator family', opfname, opfnamespace, oid, 'pg_opfamily' FROM pg_opfamily
        UNION ALL SELECT 'collation', collname, collnamespace, oid, 'pg_collation' FROM pg_collation
        UNION ALL SELECT 'conversion', conname, connamespace, oid, 'pg_conversion' FROM pg_conversion
        UNION ALL SELECT 'text search configuration', cfgname, cfgnamespace, oid, 'pg_ts_config' FROM pg_ts_config
        UNION ALL SELECT 'text search dictionary', dictname, dictnamespace, oid, 'pg_ts_dict' FROM pg_ts_dict
        UNION ALL SELECT 'text search parser', prsname, prsnamespace, oid, 'pg_ts_parser' FROM pg_ts_parser
        UNION ALL SELECT 'text search template', tmplname, tmplnamespace, oid, 'pg_ts_template' FROM pg_ts_template
     ) u JOIN pg_namespace n ON n.oid = u.namespace
     WHERE ",
    object_selected!("u.class", "u.oid"),
);

/// Objects outside of namespaces; those of the server have a number below 16384.
const GLOBAL: &str = "SELECT u.kind, u.name FROM (
        SELECT 'event trigger' AS kind, evtname::text AS name, oid, 'pg_event_trigger'::regclass AS class FROM pg_event_trigger
        UNION ALL SELECT 'publication', pubname, oid, 'pg_publication' FROM pg_publication
        UNION ALL SELECT 'subscription', subname, oid, 'pg_subscription' FROM pg_subscription
          WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT 'foreign data wrapper', fdwname, oid, 'pg_foreign_data_wrapper' FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'foreign server', srvname, oid, 'pg_foreign_server' FROM pg_foreign_server
        UNION ALL SELECT 'language', lanname, oid, 'pg_language' FROM pg_language
        UNION ALL SELECT 'access method', amname, oid, 'pg_am' FROM pg_am
        UNION ALL SELECT 'cast', format('%s as %s', format_type(castsource, NULL), format_type(casttarget, NULL)), oid, 'pg_cast' FROM pg_cast
        UNION ALL SELECT 'transform', format('%s for %s', format_type(trftype, NULL), l.lanname), r.oid, 'pg_transform'
          FROM pg_transform r JOIN pg_language l ON l.oid = r.trflang
     ) u
     WHERE u.oid >= 16384 AND $1::text[] IS NULL AND $2::text[] IS NULL AND $3::text[] IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = u.class AND x.objid = u.oid AND x.deptype IN ('e', 'i'))";

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<Unsupported> {
    let mut fields = Fields::of(row);
    Ok(Unsupported {
        kind: fields.next()?,
        name: fields.next()?,
    })
}

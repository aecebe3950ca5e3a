use underpin_core::{Result, ValueRow};

use super::{namespace_selected, object_selected, relation_selected};
use crate::ObjectName;
use crate::postgres::fields::Fields;

/// The objects that are carried as the statements which make them. The statements are put together
/// of what the server renders.
pub(in crate::postgres) fn sql(version: i32) -> String {
    let locale = match version {
        170_000.. => "l.colllocale",
        150_000.. => "l.colliculocale",
        _ => "l.collcollate",
    };
    let rules = match version {
        160_000.. => "l.collicurules",
        _ => "NULL",
    };
    let is_libc = match version {
        150_000.. => "l.collprovider = 'c'",
        // Of another provider, both are its locale.
        _ => "l.collcollate <> l.collctype OR l.collprovider = 'c'",
    };
    let multirange = match version {
        140_000.. => "rng.rngmultitypid",
        _ => "0",
    };
    let target = match version {
        130_000.. => "coalesce(st.stxstattarget, -1)",
        _ => "-1",
    };
    [TYPES, ROUTINES, SEARCH, ON_TABLES, GLOBAL]
        .join(" UNION ALL ")
        .replace("{locale}", locale)
        .replace("{rules}", rules)
        .replace("{is_libc}", is_libc)
        .replace("{multirange}", multirange)
        .replace("{target}", target)
}

const TYPES: &str = concat!(
    "SELECT 'composite type', 'relation', c.oid::int8, n.nspname::text, c.relname::text, format('%I.%I', n.nspname, c.relname),
        ARRAY[format('CREATE TYPE %I.%I AS (%s)', n.nspname, c.relname,
            (SELECT string_agg(format(E'\\n    %I %s', a.attname, format_type(a.atttypid, a.atttypmod))
                || CASE WHEN a.attcollation <> t.typcollation THEN
                     (SELECT format(' COLLATE %I.%I', ln.nspname, l.collname) FROM pg_collation l
                      JOIN pg_namespace ln ON ln.oid = l.collnamespace WHERE l.oid = a.attcollation) ELSE '' END,
                ',' ORDER BY a.attnum)
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))]
        || ARRAY(SELECT format('COMMENT ON COLUMN %I.%I.%I IS %L', n.nspname, c.relname, a.attname, d.description)
             FROM pg_description d JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
             WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid > 0 AND NOT a.attisdropped
             ORDER BY a.attnum),
        NULL::int8,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_type'::regclass AND d.objoid = c.reltype)
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'c' AND ",
    object_selected!("'pg_type'::regclass", "c.reltype"),
    " UNION ALL
     SELECT 'range type', 'type', t.oid::int8, n.nspname::text, t.typname::text, format('%I.%I', n.nspname, t.typname),
        ARRAY[format(E'CREATE TYPE %I.%I AS RANGE (\\n    SUBTYPE = %s', n.nspname, t.typname, format_type(rng.rngsubtype, NULL))
        || CASE WHEN NOT oc.opcdefault THEN format(E',\\n    SUBTYPE_OPCLASS = %I.%I', ocn.nspname, oc.opcname) ELSE '' END
        || CASE WHEN rng.rngcollation <> 0 AND rng.rngcollation <> st.typcollation THEN
             (SELECT format(E',\\n    COLLATION = %I.%I', ln.nspname, l.collname) FROM pg_collation l
              JOIN pg_namespace ln ON ln.oid = l.collnamespace WHERE l.oid = rng.rngcollation) ELSE '' END
        || CASE WHEN rng.rngcanonical <> 0 THEN format(E',\\n    CANONICAL = %s', rng.rngcanonical) ELSE '' END
        || CASE WHEN rng.rngsubdiff <> 0 THEN format(E',\\n    SUBTYPE_DIFF = %s', rng.rngsubdiff) ELSE '' END
        || coalesce((SELECT format(E',\\n    MULTIRANGE_TYPE_NAME = %I.%I', mn.nspname, m.typname) FROM pg_type m
                     JOIN pg_namespace mn ON mn.oid = m.typnamespace WHERE m.oid = {multirange}), '')
        || E'\\n)'],
        NULL,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_type'::regclass AND d.objoid = t.oid)
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_range rng ON rng.rngtypid = t.oid
     JOIN pg_type st ON st.oid = rng.rngsubtype
     JOIN pg_opclass oc ON oc.oid = rng.rngsubopc JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
     WHERE t.typtype = 'r' AND ",
    object_selected!("'pg_type'::regclass", "t.oid"),
    " UNION ALL
     SELECT 'collation', 'pg_collation', l.oid::int8, n.nspname::text, l.collname::text, format('%I.%I', n.nspname, l.collname),
        ARRAY[format('CREATE COLLATION %I.%I (provider = %s', n.nspname, l.collname,
            CASE l.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END)
        || CASE WHEN NOT l.collisdeterministic THEN ', deterministic = false' ELSE '' END
        || CASE WHEN {is_libc} THEN
             CASE WHEN l.collcollate = l.collctype THEN format(', locale = %L', l.collcollate)
                  ELSE format(', lc_collate = %L, lc_ctype = %L', l.collcollate, l.collctype) END
           ELSE format(', locale = %L', {locale}) END
        || coalesce(', rules = ' || quote_literal({rules}::text), '')
        || ')'],
        NULL,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_collation'::regclass AND d.objoid = l.oid)
     FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace
     WHERE l.oid >= 16384 AND ",
    object_selected!("'pg_collation'::regclass", "l.oid"),
);

const ROUTINES: &str = concat!(
    "SELECT 'aggregate', 'function', f.oid::int8, n.nspname::text, f.proname::text,
        format('%I.%I(%s)', n.nspname, f.proname, coalesce(nullif(pg_get_function_identity_arguments(f.oid), ''), '*')),
        ARRAY[format(E'CREATE AGGREGATE %I.%I(%s) (\\n    SFUNC = %s,\\n    STYPE = %s', n.nspname, f.proname,
            coalesce(nullif(pg_get_function_arguments(f.oid), ''), '*'), g.aggtransfn, format_type(g.aggtranstype, NULL))
        || CASE WHEN g.aggtransspace <> 0 THEN format(E',\\n    SSPACE = %s', g.aggtransspace) ELSE '' END
        || CASE WHEN g.aggfinalfn <> 0 THEN format(E',\\n    FINALFUNC = %s', g.aggfinalfn)
             || CASE WHEN g.aggfinalextra THEN E',\\n    FINALFUNC_EXTRA' ELSE '' END
             || CASE WHEN g.aggfinalmodify <> CASE WHEN g.aggkind = 'n' THEN 'r' ELSE 'w' END
                  THEN format(E',\\n    FINALFUNC_MODIFY = %s', CASE g.aggfinalmodify WHEN 'r' THEN 'READ_ONLY'
                    WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END) ELSE '' END ELSE '' END
        || CASE WHEN g.aggcombinefn <> 0 THEN format(E',\\n    COMBINEFUNC = %s', g.aggcombinefn) ELSE '' END
        || CASE WHEN g.aggserialfn <> 0 THEN format(E',\\n    SERIALFUNC = %s', g.aggserialfn) ELSE '' END
        || CASE WHEN g.aggdeserialfn <> 0 THEN format(E',\\n    DESERIALFUNC = %s', g.aggdeserialfn) ELSE '' END
        || coalesce(E',\\n    INITCOND = ' || quote_literal(g.agginitval), '')
        || CASE WHEN g.aggmtransfn <> 0 THEN format(E',\\n    MSFUNC = %s,\\n    MINVFUNC = %s,\\n    MSTYPE = %s',
             g.aggmtransfn, g.aggminvtransfn, format_type(g.aggmtranstype, NULL))
             || CASE WHEN g.aggmtransspace <> 0 THEN format(E',\\n    MSSPACE = %s', g.aggmtransspace) ELSE '' END
             || CASE WHEN g.aggmfinalfn <> 0 THEN format(E',\\n    MFINALFUNC = %s', g.aggmfinalfn)
                  || CASE WHEN g.aggmfinalextra THEN E',\\n    MFINALFUNC_EXTRA' ELSE '' END
                  || CASE WHEN g.aggmfinalmodify <> CASE WHEN g.aggkind = 'n' THEN 'r' ELSE 'w' END
                       THEN format(E',\\n    MFINALFUNC_MODIFY = %s', CASE g.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY'
                         WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END) ELSE '' END ELSE '' END
             || coalesce(E',\\n    MINITCOND = ' || quote_literal(g.aggminitval), '') ELSE '' END
        || CASE WHEN g.aggsortop <> 0 THEN (SELECT format(E',\\n    SORTOP = OPERATOR(%I.%s)', sn.nspname, so.oprname)
             FROM pg_operator so JOIN pg_namespace sn ON sn.oid = so.oprnamespace WHERE so.oid = g.aggsortop) ELSE '' END
        || CASE f.proparallel WHEN 's' THEN E',\\n    PARALLEL = SAFE' WHEN 'r' THEN E',\\n    PARALLEL = RESTRICTED' ELSE '' END
        || CASE WHEN g.aggkind = 'h' THEN E',\\n    HYPOTHETICAL' ELSE '' END
        || E'\\n)'],
        NULL,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_proc'::regclass AND d.objoid = f.oid)
     FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace JOIN pg_aggregate g ON g.aggfnoid = f.oid
     WHERE f.prokind = 'a' AND ",
    object_selected!("'pg_proc'::regclass", "f.oid"),
    " UNION ALL
     SELECT 'operator', 'pg_operator', o.oid::int8, n.nspname::text, o.oprname::text,
        format('%I.%s (%s, %s)', n.nspname, o.oprname, CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END,
            CASE WHEN o.oprright = 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END),
        ARRAY[format(E'CREATE OPERATOR %I.%s (\\n    FUNCTION = %s', n.nspname, o.oprname, o.oprcode)
        || CASE WHEN o.oprleft <> 0 THEN format(E',\\n    LEFTARG = %s', format_type(o.oprleft, NULL)) ELSE '' END
        || CASE WHEN o.oprright <> 0 THEN format(E',\\n    RIGHTARG = %s', format_type(o.oprright, NULL)) ELSE '' END
        || coalesce((SELECT format(E',\\n    COMMUTATOR = OPERATOR(%I.%s)', on1.nspname, o1.oprname) FROM pg_operator o1
             JOIN pg_namespace on1 ON on1.oid = o1.oprnamespace WHERE o1.oid = o.oprcom), '')
        || coalesce((SELECT format(E',\\n    NEGATOR = OPERATOR(%I.%s)', on2.nspname, o2.oprname) FROM pg_operator o2
             JOIN pg_namespace on2 ON on2.oid = o2.oprnamespace WHERE o2.oid = o.oprnegate), '')
        || CASE WHEN o.oprrest <> 0 THEN format(E',\\n    RESTRICT = %s', o.oprrest) ELSE '' END
        || CASE WHEN o.oprjoin <> 0 THEN format(E',\\n    JOIN = %s', o.oprjoin) ELSE '' END
        || CASE WHEN o.oprcanhash THEN E',\\n    HASHES' ELSE '' END
        || CASE WHEN o.oprcanmerge THEN E',\\n    MERGES' ELSE '' END
        || E'\\n)'],
        NULL,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_operator'::regclass AND d.objoid = o.oid)
     FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE o.oprcode <> 0 AND ",
    object_selected!("'pg_operator'::regclass", "o.oid"),
);

const SEARCH: &str = concat!(
    "SELECT 'text search dictionary', 'pg_ts_dict', s.oid::int8, n.nspname::text, s.dictname::text, format('%I.%I', n.nspname, s.dictname),
        ARRAY[format(E'CREATE TEXT SEARCH DICTIONARY %I.%I (\\n    TEMPLATE = %I.%I', n.nspname, s.dictname, tn.nspname, m.tmplname)
            || coalesce(E',\\n    ' || s.dictinitoption, '') || E'\\n)'],
        NULL::int8,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_ts_dict'::regclass AND d.objoid = s.oid)
     FROM pg_ts_dict s JOIN pg_namespace n ON n.oid = s.dictnamespace
     JOIN pg_ts_template m ON m.oid = s.dicttemplate JOIN pg_namespace tn ON tn.oid = m.tmplnamespace
     WHERE s.oid >= 16384 AND ",
    object_selected!("'pg_ts_dict'::regclass", "s.oid"),
    " UNION ALL
     SELECT 'text search configuration', 'pg_ts_config', s.oid::int8, n.nspname::text, s.cfgname::text, format('%I.%I', n.nspname, s.cfgname),
        ARRAY[(SELECT format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)', n.nspname, s.cfgname, pn.nspname, p.prsname)
               FROM pg_ts_parser p JOIN pg_namespace pn ON pn.oid = p.prsnamespace WHERE p.oid = s.cfgparser)]
        || ARRAY(SELECT format('ALTER TEXT SEARCH CONFIGURATION %I.%I ADD MAPPING FOR %I WITH %s', n.nspname, s.cfgname, t.alias,
                   string_agg(format('%I.%I', dn.nspname, dd.dictname), ', ' ORDER BY m.mapseqno))
             FROM pg_ts_config_map m JOIN pg_ts_dict dd ON dd.oid = m.mapdict JOIN pg_namespace dn ON dn.oid = dd.dictnamespace
             JOIN LATERAL ts_token_type(s.cfgparser) t ON t.tokid = m.maptokentype
             WHERE m.mapcfg = s.oid GROUP BY t.alias ORDER BY t.alias),
        NULL,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_ts_config'::regclass AND d.objoid = s.oid)
     FROM pg_ts_config s JOIN pg_namespace n ON n.oid = s.cfgnamespace
     WHERE s.oid >= 16384 AND ",
    object_selected!("'pg_ts_config'::regclass", "s.oid"),
);

const ON_TABLES: &str = concat!(
    "SELECT 'rule', 'pg_rewrite', w.oid::int8, n.nspname::text, w.rulename::text, format('%I ON %I.%I', w.rulename, n.nspname, c.relname),
        ARRAY[rtrim(pg_get_ruledef(w.oid), '; ')]
        || CASE WHEN w.ev_enabled = 'O' THEN '{}'::text[] ELSE ARRAY[format('ALTER TABLE %I.%I %s RULE %I', n.nspname, c.relname,
             CASE w.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, w.rulename)] END,
        c.oid::int8,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_rewrite'::regclass AND d.objoid = w.oid)
     FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE w.rulename <> '_RETURN' AND c.relkind IN ('r', 'p', 'v', 'm') AND ",
    relation_selected!(),
    " UNION ALL
     SELECT 'statistics', 'pg_statistic_ext', st.oid::int8, sn.nspname::text, st.stxname::text, format('%I.%I', sn.nspname, st.stxname),
        ARRAY[pg_get_statisticsobjdef(st.oid)]
        || CASE WHEN {target} < 0 THEN '{}'::text[]
             ELSE ARRAY[format('ALTER STATISTICS %I.%I SET STATISTICS %s', sn.nspname, st.stxname, {target})] END,
        c.oid::int8,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_statistic_ext'::regclass AND d.objoid = st.oid)
     FROM pg_statistic_ext st JOIN pg_namespace sn ON sn.oid = st.stxnamespace
     JOIN pg_class c ON c.oid = st.stxrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ",
    relation_selected!(),
);

/// What is in no namespace.
const GLOBAL: &str = concat!(
    "SELECT 'cast', 'pg_cast', k.oid::int8, '', '',
        format('(%s AS %s)', format_type(k.castsource, NULL), format_type(k.casttarget, NULL)),
        ARRAY[format('CREATE CAST (%s AS %s) %s%s', format_type(k.castsource, NULL), format_type(k.casttarget, NULL),
            CASE k.castmethod WHEN 'b' THEN 'WITHOUT FUNCTION' WHEN 'i' THEN 'WITH INOUT'
              ELSE (SELECT format('WITH FUNCTION %I.%I(%s)', fn.nspname, f.proname, pg_get_function_identity_arguments(f.oid))
                    FROM pg_proc f JOIN pg_namespace fn ON fn.oid = f.pronamespace WHERE f.oid = k.castfunc) END,
            CASE k.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END)],
        NULL::int8,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_cast'::regclass AND d.objoid = k.oid)
     FROM pg_cast k JOIN pg_type ts ON ts.oid = k.castsource JOIN pg_type tt ON tt.oid = k.casttarget
     JOIN pg_namespace n ON n.oid = CASE WHEN tt.typnamespace = 'pg_catalog'::regnamespace THEN ts.typnamespace ELSE tt.typnamespace END
     WHERE k.oid >= 16384 AND $2::text[] IS NULL AND $3::text[] IS NOT NULL
       AND ($1::text[] IS NULL OR ",
    namespace_selected!(),
    ")
       AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_cast'::regclass AND x.objid = k.oid AND x.deptype IN ('e', 'i'))
     UNION ALL
     SELECT 'event trigger', 'pg_event_trigger', v.oid::int8, '', v.evtname::text, format('%I', v.evtname),
        ARRAY[format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE FUNCTION %I.%I()', v.evtname, v.evtevent,
            coalesce(E'\\n    WHEN TAG IN (' || (SELECT string_agg(quote_literal(g.tag), ', ' ORDER BY g.tag) FROM unnest(v.evttags) g(tag)) || ')', ''),
            fn.nspname, f.proname)]
        || CASE WHEN v.evtenabled = 'O' THEN '{}'::text[] ELSE ARRAY[format('ALTER EVENT TRIGGER %I %s', v.evtname,
             CASE v.evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END)] END,
        NULL,
        (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_event_trigger'::regclass AND d.objoid = v.oid)
     FROM pg_event_trigger v JOIN pg_proc f ON f.oid = v.evtfoid JOIN pg_namespace fn ON fn.oid = f.pronamespace
     WHERE $1::text[] IS NULL AND $2::text[] IS NULL AND $3::text[] IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_event_trigger'::regclass AND x.objid = v.oid AND x.deptype = 'e')"
);

pub(in crate::postgres) struct DefinedRow {
    pub(in crate::postgres) kind: String,
    /// The kind of its [place](super::dependencies::Place), and its number.
    pub(in crate::postgres) place: (String, i64),
    pub(in crate::postgres) name: ObjectName,
    pub(in crate::postgres) identity: String,
    pub(in crate::postgres) definition: Vec<String>,
    /// The table or view that it goes with.
    pub(in crate::postgres) on: Option<i64>,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<DefinedRow> {
    let mut fields = Fields::of(row);
    Ok(DefinedRow {
        kind: fields.next()?,
        place: (fields.next()?, fields.next()?),
        name: ObjectName {
            namespace: fields.next()?,
            name: fields.next()?,
        },
        identity: fields.next()?,
        definition: fields.texts()?,
        on: fields.next()?,
        comment: fields.next()?,
    })
}

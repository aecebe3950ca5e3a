use underpin_core::{Result, ValueRow};

use crate::postgres::fields::Fields;

/// What views, functions, the expressions of tables and domains, and what is carried as statements
/// are made of, each part counted as the object that it belongs to. What the columns say by their types, and foreign
/// keys and inheritance by their names, is left out. (`coalesce` keeps the planner from taking
/// `IS NULL` for rare.)
pub(in crate::postgres) const SQL: &str = "SELECT DISTINCT
    CASE WHEN x.classid = 'pg_proc'::regclass THEN 'function'
         WHEN x.classid = 'pg_type'::regclass OR k.contypid <> 0 THEN 'type'
         WHEN x.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass)
           OR w.rulename = '_RETURN' THEN 'relation'
         ELSE x.classid::regclass::text END,
    coalesce(CASE WHEN w.rulename = '_RETURN' THEN w.ev_class END, v.adrelid, nullif(k.contypid, 0), k.conrelid, i.indrelid, x.objid)::int8,
    CASE WHEN x.refclassid = 'pg_proc'::regclass THEN 'function'
         WHEN x.refclassid = 'pg_type'::regclass AND coalesce(e.typrelid, t.typrelid) = 0 THEN 'type'
         WHEN x.refclassid IN ('pg_type'::regclass, 'pg_class'::regclass) THEN 'relation'
         ELSE x.refclassid::regclass::text END,
    (CASE WHEN x.refclassid = 'pg_type'::regclass
          THEN coalesce(nullif(coalesce(e.typrelid, t.typrelid), 0), e.oid, t.oid)
          ELSE x.refobjid END)::int8
  FROM pg_depend x
  LEFT JOIN pg_rewrite w ON x.classid = 'pg_rewrite'::regclass AND w.oid = x.objid
  LEFT JOIN pg_attrdef v ON x.classid = 'pg_attrdef'::regclass AND v.oid = x.objid
  LEFT JOIN pg_constraint k ON x.classid = 'pg_constraint'::regclass AND k.oid = x.objid
  LEFT JOIN pg_index i ON x.classid = 'pg_class'::regclass AND i.indexrelid = x.objid
  LEFT JOIN pg_type t ON x.refclassid = 'pg_type'::regclass AND t.oid = x.refobjid
  LEFT JOIN pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem
  WHERE x.deptype = 'n' AND x.objid >= 16384 AND x.refobjid >= 16384
    AND x.classid IN ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass,
                      'pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_operator'::regclass,
                      'pg_cast'::regclass, 'pg_ts_config'::regclass, 'pg_ts_dict'::regclass,
                      'pg_event_trigger'::regclass, 'pg_statistic_ext'::regclass)
    AND (x.refclassid IN ('pg_operator'::regclass, 'pg_collation'::regclass, 'pg_ts_config'::regclass, 'pg_ts_dict'::regclass,
                          'pg_opclass'::regclass, 'pg_language'::regclass, 'pg_am'::regclass,
                          'pg_ts_parser'::regclass, 'pg_ts_template'::regclass)
      OR x.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass)
        AND coalesce(i.indisexclusion, true)
        AND coalesce(k.contype IN ('c', 'x'), true)
        AND (x.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass) OR x.refclassid = 'pg_proc'::regclass
          OR x.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = x.objid AND c.relkind = 'c')
          OR x.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type r WHERE r.oid = x.objid AND r.typtype = 'r')))
    AND $1::text[] IS NOT DISTINCT FROM $1 AND $2::text[] IS NOT DISTINCT FROM $2 AND $3::text[] IS NOT NULL";

pub(in crate::postgres) struct DependencyRow {
    pub(in crate::postgres) from: Place,
    pub(in crate::postgres) to: Place,
}

/// A kind, `relation`, `type`, `function` or a catalog, and the number within it.
pub(in crate::postgres) type Place = (String, i64);

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<DependencyRow> {
    let mut fields = Fields::of(row);
    Ok(DependencyRow {
        from: (fields.next()?, fields.next()?),
        to: (fields.next()?, fields.next()?),
    })
}

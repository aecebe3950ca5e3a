use underpin_core::{Result, ValueRow};

use super::{namespace_selected, object_selected, relation_selected};
use crate::postgres::fields::Fields;

/// The owners and privileges that differ from those of every new object of the reading role, and
/// default privileges. Privileges are told apart from those that the server gives by itself.
pub(in crate::postgres) fn sql(version: i32) -> String {
    // In a new database, the schema `public` has privileges of its own.
    let of_public = match version {
        150_000.. => "ARRAY[makeaclitem(0, u.owner, 'USAGE', false)]",
        _ => {
            "ARRAY[makeaclitem(0, u.owner, 'USAGE', false), makeaclitem(0, u.owner, 'CREATE', false)]"
        }
    };
    let owner_of_public = match version {
        150_000.. => "'pg_database_owner'::regrole",
        _ => "10::oid",
    };
    SQL.replace("{of_public}", of_public)
        .replace("{owner_of_public}", owner_of_public)
}

const SQL: &str = concat!(
    "SELECT u.kind, u.oid::int8, u.sub, u.role, u.namespace,
        CASE WHEN u.owner <> u.usual THEN pg_get_userbyid(u.owner)::text END,
        l.granted, l.grantors, l.grantees, l.privileges, l.grantable
     FROM (
       SELECT 'relation' AS kind, c.oid, NULL::text AS sub, NULL::text AS role, NULL::text AS namespace,
           c.relowner AS owner, me.oid AS usual, c.relacl AS acl,
           acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner) AS normal
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_roles me
         WHERE me.rolname = current_user AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
           AND (c.relacl IS NOT NULL OR c.relowner <> me.oid) AND c.relpersistence <> 't' AND ",
    relation_selected!(),
    "  UNION ALL
       SELECT 'column', c.oid, a.attname, NULL, NULL, c.relowner, c.relowner, a.attacl, acldefault('c', c.relowner)
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm') AND ",
    relation_selected!(),
    "  UNION ALL
       SELECT 'namespace', n.oid, n.nspname, NULL, NULL, n.nspowner,
           CASE WHEN n.nspname = 'public' THEN {owner_of_public} ELSE me.oid END, n.nspacl, acldefault('n', n.nspowner)
         FROM pg_namespace n, pg_roles me
         WHERE me.rolname = current_user AND $2::text[] IS NULL AND $3::text[] IS NOT NULL AND ",
    namespace_selected!(),
    "      AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_namespace'::regclass
                           AND x.objid = n.oid AND x.deptype = 'e')
       UNION ALL
       SELECT 'function', f.oid, NULL, NULL, NULL, f.proowner, me.oid, f.proacl, acldefault('f', f.proowner)
         FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace, pg_roles me
         WHERE me.rolname = current_user AND (f.proacl IS NOT NULL OR f.proowner <> me.oid) AND ",
    object_selected!("'pg_proc'::regclass", "f.oid"),
    "  UNION ALL
       SELECT CASE WHEN t.typtype = 'c' THEN 'relation' ELSE 'type' END,
           CASE WHEN t.typtype = 'c' THEN t.typrelid ELSE t.oid END, NULL, NULL, NULL,
           t.typowner, me.oid, t.typacl, acldefault('T', t.typowner)
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace, pg_roles me
         WHERE me.rolname = current_user AND (t.typacl IS NOT NULL OR t.typowner <> me.oid)
           AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND EXISTS (
             SELECT FROM pg_class k WHERE k.oid = t.typrelid AND k.relkind = 'c')) AND ",
    // The relation of a composite type brings the type.
    namespace_selected!(),
    "      AND $2::text[] IS NULL AND $3::text[] IS NOT NULL
           AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
       UNION ALL
       SELECT d.class, d.oid, NULL, NULL, NULL, d.owner, me.oid, NULL::aclitem[], NULL::aclitem[]
         FROM (
           SELECT 'pg_operator' AS class, oid, oprowner AS owner, oprnamespace AS namespace FROM pg_operator
           UNION ALL SELECT 'pg_collation', oid, collowner, collnamespace FROM pg_collation
           UNION ALL SELECT 'pg_ts_config', oid, cfgowner, cfgnamespace FROM pg_ts_config
           UNION ALL SELECT 'pg_ts_dict', oid, dictowner, dictnamespace FROM pg_ts_dict
           UNION ALL SELECT 'pg_statistic_ext', oid, stxowner, stxnamespace FROM pg_statistic_ext
         ) d JOIN pg_namespace n ON n.oid = d.namespace, pg_roles me
         WHERE me.rolname = current_user AND d.owner <> me.oid AND d.oid >= 16384 AND ",
    object_selected!("d.class::regclass", "d.oid"),
    "  UNION ALL
       SELECT 'default', e.oid, CASE e.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
             WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
           CASE WHEN e.defaclrole <> me.oid THEN pg_get_userbyid(e.defaclrole)::text END, n.nspname,
           e.defaclrole, e.defaclrole, e.defaclacl,
           CASE WHEN e.defaclnamespace = 0
             THEN acldefault(CASE e.defaclobjtype WHEN 'S' THEN 's' ELSE e.defaclobjtype END, e.defaclrole) END
         FROM pg_default_acl e LEFT JOIN pg_namespace n ON n.oid = e.defaclnamespace, pg_roles me
         WHERE me.rolname = current_user AND $2::text[] IS NULL
           AND CASE WHEN e.defaclnamespace = 0 THEN $1::text[] IS NULL ELSE ",
    namespace_selected!(),
    " END
     ) u
     CROSS JOIN LATERAL (
       SELECT array_agg(p.granted) AS granted,
         array_agg(CASE WHEN p.grantor <> u.owner THEN pg_get_userbyid(p.grantor)::text END) AS grantors,
         array_agg(CASE WHEN p.grantee = 0 THEN 'p' WHEN p.grantee = u.owner AND u.kind <> 'column' THEN 'o'
                        ELSE 'r' || pg_get_userbyid(p.grantee) END) AS grantees,
         array_agg(p.privilege_type) AS privileges, array_agg(p.is_grantable) AS grantable
       FROM (
         (SELECT true AS granted, * FROM aclexplode(u.acl)
          EXCEPT SELECT true, * FROM aclexplode(CASE WHEN u.kind = 'namespace' AND u.sub = 'public'
            THEN u.normal || {of_public} ELSE u.normal END))
         UNION ALL
         (SELECT false, * FROM aclexplode(CASE WHEN u.kind = 'namespace' AND u.sub = 'public'
            THEN u.normal || {of_public} ELSE u.normal END)
          WHERE u.acl IS NOT NULL OR u.kind = 'namespace' AND u.sub = 'public'
          EXCEPT SELECT false, * FROM aclexplode(CASE WHEN u.acl IS NULL THEN u.normal ELSE u.acl END))
       ) p
     ) l
     WHERE l.granted IS NOT NULL OR u.owner <> u.usual"
);

pub(in crate::postgres) struct AccessRow {
    /// As in a [place](super::dependencies::Place); `column`, `namespace` or `default` beside.
    pub(in crate::postgres) kind: String,
    pub(in crate::postgres) oid: i64,
    /// The column, the namespace, or the kind of objects that have default privileges.
    pub(in crate::postgres) part: Option<String>,
    /// Whose default privileges they are, and where.
    pub(in crate::postgres) role: Option<String>,
    pub(in crate::postgres) namespace: Option<String>,
    pub(in crate::postgres) owner: Option<String>,
    pub(in crate::postgres) privileges: Vec<PrivilegeRow>,
}

pub(in crate::postgres) struct PrivilegeRow {
    /// Whether it was granted, beyond what is usual; else it was taken away.
    pub(in crate::postgres) granted: bool,
    pub(in crate::postgres) grantor: Option<String>,
    /// `p` for all, `o` for the owner, else `r` and the role.
    pub(in crate::postgres) grantee: String,
    pub(in crate::postgres) privilege: String,
    pub(in crate::postgres) grantable: bool,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<AccessRow> {
    let mut fields = Fields::of(row);
    Ok(AccessRow {
        kind: fields.next()?,
        oid: fields.next()?,
        part: fields.next()?,
        role: fields.next()?,
        namespace: fields.next()?,
        owner: fields.next()?,
        privileges: privileges(&mut fields)?,
    })
}

fn privileges(fields: &mut Fields<'_>) -> Result<Vec<PrivilegeRow>> {
    let granted: Option<Vec<bool>> = fields.next()?;
    let grantors: Option<Vec<Option<String>>> = fields.next()?;
    let (grantees, privileges) = (fields.texts()?, fields.texts()?);
    let grantable: Option<Vec<bool>> = fields.next()?;
    let (granted, grantors) = (granted.unwrap_or_default(), grantors.unwrap_or_default());
    let rows = granted.into_iter().zip(grantors).zip(grantees);
    let rows = rows.zip(privileges).zip(grantable.unwrap_or_default());
    Ok(rows
        .map(
            |((((granted, grantor), grantee), privilege), grantable)| PrivilegeRow {
                granted,
                grantor,
                grantee,
                privilege,
                grantable,
            },
        )
        .collect())
}

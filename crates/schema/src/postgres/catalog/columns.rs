use underpin_core::{Result, ValueRow};

use super::relation_selected;
use crate::postgres::fields::Fields;
use crate::{NotNull, ObjectName};

/// The columns of tables, views and materialized views, in no order: the rows are wide, and to
/// sort them costs the server more than all else here. Only what is generated names columns, and
/// the server looks up all columns of a table for each text that could.
pub(in crate::postgres) fn sql(version: i32) -> String {
    // What refuses NULL is a constraint of its own from then on.
    let (constraint, join) = match version {
        180_000.. => (
            "nn.conname::text, nn.connoinherit, NOT nn.convalidated, NOT nn.conislocal AND nn.coninhcount > 0, nnd.description",
            "LEFT JOIN pg_constraint nn ON nn.conrelid = a.attrelid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]
     LEFT JOIN pg_description nnd ON nnd.classoid = 'pg_constraint'::regclass AND nnd.objoid = nn.oid",
        ),
        _ => ("NULL::text, NULL::bool, NULL::bool, NULL::bool, NULL::text", ""),
    };
    SQL.replace("{constraint}", constraint)
        .replace("{join}", join)
}

const SQL: &str = concat!(
    "SELECT a.attrelid::int8, a.attnum, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        pg_get_expr(v.adbin, CASE a.attgenerated WHEN '' THEN 0 ELSE v.adrelid END), a.attidentity::text, a.attgenerated::text, a.attislocal,
        a.attcollation::int8, cn.nspname::text, co.collname::text, d.description,
        {constraint}, a.attoptions
     FROM pg_attribute a
     JOIN pg_class c ON c.oid = a.attrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_type t ON t.oid = a.atttypid
     LEFT JOIN pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
     LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation
     LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
     LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = a.attrelid AND d.objsubid = a.attnum
     {join}
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND ",
    relation_selected!(),
);

pub(in crate::postgres) struct ColumnRow {
    pub(in crate::postgres) relation: i64,
    pub(in crate::postgres) number: i16,
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) data_type: String,
    pub(in crate::postgres) not_null: bool,
    pub(in crate::postgres) default: Option<String>,
    pub(in crate::postgres) identity: String,
    pub(in crate::postgres) generated: String,
    pub(in crate::postgres) is_local: bool,
    /// Its collation, by number, whether it is its type's or not.
    pub(in crate::postgres) collation_oid: i64,
    pub(in crate::postgres) collation: Option<ObjectName>,
    pub(in crate::postgres) comment: Option<String>,
    pub(in crate::postgres) not_null_constraint: Option<NotNull>,
    /// As they are stored.
    pub(in crate::postgres) options: Vec<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<ColumnRow> {
    let mut fields = Fields::of(row);
    Ok(ColumnRow {
        relation: fields.next()?,
        number: fields.next()?,
        name: fields.next()?,
        data_type: fields.next()?,
        not_null: fields.next()?,
        default: fields.next()?,
        identity: fields.next()?,
        generated: fields.next()?,
        is_local: fields.next()?,
        collation_oid: fields.next()?,
        collation: fields.name()?,
        comment: fields.next()?,
        not_null_constraint: not_null(&mut fields)?,
        options: fields.texts()?,
    })
}

fn not_null(fields: &mut Fields<'_>) -> Result<Option<NotNull>> {
    let name: Option<String> = fields.next()?;
    let (no_inherit, not_valid): (Option<bool>, Option<bool>) = (fields.next()?, fields.next()?);
    let inherited: Option<bool> = fields.next()?;
    let comment = fields.next()?;
    Ok(name.map(|name| NotNull {
        name,
        no_inherit: no_inherit.unwrap_or_default(),
        not_valid: not_valid.unwrap_or_default(),
        inherited: inherited.unwrap_or_default(),
        comment,
    }))
}

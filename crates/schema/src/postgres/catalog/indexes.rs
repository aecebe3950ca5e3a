use std::collections::BTreeMap;

use underpin_core::{Result, ValueRow};

use super::relation_selected;
use crate::ObjectName;
use crate::postgres::fields::Fields;
use crate::postgres::listed::{is_private, split};

/// All indexes, those of constraints too. The whole text is asked for only where a key is
/// an expression.
pub(in crate::postgres) fn sql(version: i32) -> String {
    let nulls_not_distinct = match version {
        150_000.. => "i.indnullsnotdistinct",
        _ => "false",
    };
    SQL.replace("{nulls_not_distinct}", nulls_not_distinct)
}

const SQL: &str = concat!(
    "SELECT i.indexrelid::int8, i.indrelid::int8, ic.relname::text, am.amname::text, i.indisunique, i.indisvalid,
        {nulls_not_distinct}, i.indnkeyatts, i.indkey::int2[], i.indoption::int2[],
        i.indclass::oid[]::int8[], i.indcollation::oid[]::int8[],
        CASE WHEN i.indexprs IS NOT NULL THEN pg_get_indexdef(i.indexrelid) END,
        pg_get_expr(i.indpred, i.indrelid), ic.reloptions, pn.nspname::text, p.relname::text,
        o.numbers, o.options, d.description
     FROM pg_index i
     JOIN pg_class c ON c.oid = i.indrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_class ic ON ic.oid = i.indexrelid
     JOIN pg_am am ON am.oid = ic.relam
     LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
     LEFT JOIN pg_class p ON p.oid = h.inhparent
     LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
     LEFT JOIN (SELECT a.attrelid, array_agg(a.attnum) AS numbers, array_agg(array_to_string(a.attoptions, chr(31))) AS options
                FROM pg_attribute a JOIN pg_class k ON k.oid = a.attrelid
                WHERE k.relkind IN ('i', 'I') AND a.attoptions IS NOT NULL GROUP BY a.attrelid) o ON o.attrelid = i.indexrelid
     LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = i.indexrelid AND d.objsubid = 0
     WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND ",
    relation_selected!(),
);

/// What is between two options in [`SQL`].
const SEPARATOR: char = '\u{1f}';

pub(in crate::postgres) struct IndexRow {
    pub(in crate::postgres) oid: i64,
    pub(in crate::postgres) relation: i64,
    pub(in crate::postgres) name: String,
    pub(in crate::postgres) method: String,
    pub(in crate::postgres) unique: bool,
    pub(in crate::postgres) valid: bool,
    pub(in crate::postgres) nulls_not_distinct: bool,
    /// How many of the columns are keys; the rest is INCLUDE.
    pub(in crate::postgres) keys: usize,
    /// The columns by number; 0 for an expression.
    pub(in crate::postgres) columns: Vec<i16>,
    /// Bit 0: descending; bit 1: NULLs first.
    pub(in crate::postgres) order: Vec<i16>,
    pub(in crate::postgres) operator_classes: Vec<i64>,
    pub(in crate::postgres) collations: Vec<i64>,
    /// All of it, where a key is an expression.
    pub(in crate::postgres) definition: Option<String>,
    pub(in crate::postgres) predicate: Option<String>,
    /// As they are stored.
    pub(in crate::postgres) options: Vec<String>,
    pub(in crate::postgres) parent: Option<ObjectName>,
    /// Options of operator classes, by the number of the key from 1. Only the class knows which
    /// it has.
    pub(in crate::postgres) class_options: BTreeMap<i16, BTreeMap<String, String>>,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<IndexRow> {
    let mut fields = Fields::of(row);
    Ok(IndexRow {
        oid: fields.next()?,
        relation: fields.next()?,
        name: fields.next()?,
        method: fields.next()?,
        unique: fields.next()?,
        valid: fields.next()?,
        nulls_not_distinct: fields.next()?,
        keys: fields.next()?,
        columns: fields.next()?,
        order: fields.next()?,
        operator_classes: fields.next()?,
        collations: fields.next()?,
        definition: fields.next()?,
        predicate: fields.next()?,
        options: fields.texts()?,
        parent: fields.name()?,
        class_options: class_options(&mut fields)?,
        comment: fields.next()?,
    })
}

fn class_options(fields: &mut Fields<'_>) -> Result<BTreeMap<i16, BTreeMap<String, String>>> {
    let numbers: Option<Vec<i16>> = fields.next()?;
    let numbers = numbers.unwrap_or_default().into_iter();
    let all = numbers.zip(fields.texts()?).map(|(number, stored)| {
        let options = stored.split(SEPARATOR).map(split);
        let options = options.filter(|(name, _)| !is_private(name));
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (number, options.collect::<BTreeMap<_, _>>())
    });
    Ok(all.filter(|(_, options)| !options.is_empty()).collect())
}

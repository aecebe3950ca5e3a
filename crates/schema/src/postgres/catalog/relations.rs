use underpin_core::{Result, ValueRow};

use super::relation_selected;
use crate::postgres::fields::Fields;
use crate::{ColumnRef, ObjectName};

/// Tables, views, materialized views and sequences. A sequence is selected with the table
/// that owns it.
pub(in crate::postgres) const SQL: &str = concat!(
    "SELECT r.oid::int8, r.relkind::text, rn.nspname::text, r.relname::text, r.relpersistence::text,
        r.relrowsecurity, r.relforcerowsecurity, r.reloptions, toast.reloptions,
        CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
        CASE WHEN r.relkind = 'p' THEN pg_get_partkeydef(r.oid) END,
        pk.partattrs::int2[], pk.partcollation::oid[]::int8[],
        r.relispartition, pg_get_expr(r.relpartbound, r.oid),
        parents.namespaces, parents.names,
        format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
        own.deptype::text, own.refobjid::int8,
        (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = own.refobjid AND a.attnum = own.refobjsubid),
        CASE WHEN own.objid IS NOT NULL THEN n.nspname::text END,
        CASE WHEN own.objid IS NOT NULL THEN c.relname::text END,
        d.description
     FROM pg_class r
     JOIN pg_namespace rn ON rn.oid = r.relnamespace
     LEFT JOIN pg_class toast ON toast.oid = r.reltoastrelid AND toast.reloptions IS NOT NULL
     LEFT JOIN pg_partitioned_table pk ON pk.partrelid = r.oid
     LEFT JOIN (SELECT h.inhrelid, array_agg(pn.nspname::text ORDER BY h.inhseqno) AS namespaces,
                       array_agg(p.relname::text ORDER BY h.inhseqno) AS names
                FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent
                JOIN pg_namespace pn ON pn.oid = p.relnamespace
                WHERE p.relkind IN ('r', 'p', 'f')
                GROUP BY h.inhrelid) parents ON parents.inhrelid = r.oid
     LEFT JOIN pg_sequence s ON s.seqrelid = r.oid
     LEFT JOIN pg_depend own ON r.relkind = 'S' AND own.classid = 'pg_class'::regclass AND own.objid = r.oid
        AND own.objsubid = 0 AND own.refclassid = 'pg_class'::regclass AND own.deptype IN ('a', 'i')
     LEFT JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid AND d.objsubid = 0
     JOIN pg_class c ON c.oid = coalesce(own.refobjid, r.oid)
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE r.relkind IN ('r', 'p', 'v', 'm', 'S') AND (r.relkind <> 'S' OR own.objid IS NOT NULL OR $2::text[] IS NULL)
        AND r.relpersistence <> 't' AND ",
    relation_selected!(),
);

pub(in crate::postgres) struct RelationRow {
    pub(in crate::postgres) oid: i64,
    pub(in crate::postgres) kind: String,
    pub(in crate::postgres) name: ObjectName,
    pub(in crate::postgres) persistence: String,
    pub(in crate::postgres) row_security: (bool, bool),
    /// As they are stored.
    pub(in crate::postgres) options: Vec<String>,
    pub(in crate::postgres) toast_options: Vec<String>,
    pub(in crate::postgres) definition: Option<String>,
    pub(in crate::postgres) partition_key: Option<PartitionKeyText>,
    pub(in crate::postgres) is_partition: bool,
    pub(in crate::postgres) bound: Option<String>,
    pub(in crate::postgres) parents: Vec<ObjectName>,
    pub(in crate::postgres) sequence: Option<SequenceRow>,
    pub(in crate::postgres) comment: Option<String>,
}

pub(in crate::postgres) struct PartitionKeyText {
    pub(in crate::postgres) text: String,
    /// The columns by number; 0 for an expression.
    pub(in crate::postgres) columns: Vec<i16>,
    pub(in crate::postgres) collations: Vec<i64>,
}

pub(in crate::postgres) struct SequenceRow {
    pub(in crate::postgres) data_type: String,
    pub(in crate::postgres) start: i64,
    pub(in crate::postgres) increment: i64,
    pub(in crate::postgres) min: i64,
    pub(in crate::postgres) max: i64,
    pub(in crate::postgres) cache: i64,
    pub(in crate::postgres) cycle: bool,
    pub(in crate::postgres) owner: Option<SequenceOwner>,
}

pub(in crate::postgres) struct SequenceOwner {
    /// Whether the sequence is that of an identity column.
    pub(in crate::postgres) identity: bool,
    pub(in crate::postgres) table: i64,
    pub(in crate::postgres) column: ColumnRef,
}

pub(in crate::postgres) fn read(row: &ValueRow) -> Result<RelationRow> {
    let mut fields = Fields::of(row);
    Ok(RelationRow {
        oid: fields.next()?,
        kind: fields.next()?,
        name: ObjectName {
            namespace: fields.next()?,
            name: fields.next()?,
        },
        persistence: fields.next()?,
        row_security: (fields.next()?, fields.next()?),
        options: fields.texts()?,
        toast_options: fields.texts()?,
        definition: fields.next()?,
        partition_key: partition_key(&mut fields)?,
        is_partition: fields.next()?,
        bound: fields.next()?,
        parents: parents(&mut fields)?,
        sequence: sequence(&mut fields)?,
        comment: fields.next()?,
    })
}

fn partition_key(fields: &mut Fields<'_>) -> Result<Option<PartitionKeyText>> {
    let text: Option<String> = fields.next()?;
    let columns: Option<Vec<i16>> = fields.next()?;
    let collations: Option<Vec<i64>> = fields.next()?;
    Ok(text.map(|text| PartitionKeyText {
        text,
        columns: columns.unwrap_or_default(),
        collations: collations.unwrap_or_default(),
    }))
}

fn parents(fields: &mut Fields<'_>) -> Result<Vec<ObjectName>> {
    let namespaces: Option<Vec<String>> = fields.next()?;
    let names: Option<Vec<String>> = fields.next()?;
    let pairs = namespaces.unwrap_or_default().into_iter();
    let pairs = pairs.zip(names.unwrap_or_default());
    Ok(pairs
        .map(|(namespace, name)| ObjectName { namespace, name })
        .collect())
}

fn sequence(fields: &mut Fields<'_>) -> Result<Option<SequenceRow>> {
    let data_type: Option<String> = fields.next()?;
    let [start, increment, min, max, cache]: [Option<i64>; 5] = [
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    ];
    let cycle: Option<bool> = fields.next()?;
    let owner = owner(fields)?;
    let (Some(start), Some(increment)) = (start, increment) else {
        return Ok(None);
    };
    Ok(Some(SequenceRow {
        data_type: data_type.unwrap_or_default(),
        start,
        increment,
        min: min.unwrap_or_default(),
        max: max.unwrap_or_default(),
        cache: cache.unwrap_or_default(),
        cycle: cycle.unwrap_or_default(),
        owner,
    }))
}

fn owner(fields: &mut Fields<'_>) -> Result<Option<SequenceOwner>> {
    let kind: Option<String> = fields.next()?;
    let table: Option<i64> = fields.next()?;
    let column: Option<String> = fields.next()?;
    let name = fields.name()?;
    let (Some(oid), Some(column), Some(table)) = (table, column, name) else {
        return Ok(None);
    };
    Ok(Some(SequenceOwner {
        identity: kind.as_deref() == Some("i"),
        table: oid,
        column: ColumnRef { table, column },
    }))
}

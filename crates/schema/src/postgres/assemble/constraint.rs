use underpin_core::Result;

use super::names_by_oid::Names;
use super::relation::Relation;
use super::{missing, unknown_code};
use crate::postgres::catalog::constraints::ConstraintRow;
use crate::postgres::error::CatalogError;
use crate::{
    Action, Check, Deferral, Exclusion, ExclusionElement, ForeignKey, Index, KeyTarget, Match,
    PrimaryKey, Unique, sql_text,
};

/// Adds a constraint to its table. Where it has an index, that was among the table's own
/// until now.
pub(super) fn add(
    relation: &mut Relation,
    index: Option<String>,
    row: ConstraintRow,
    names: &Names,
) -> Result<()> {
    match row.kind.as_str() {
        "c" => {
            let (name, check) = check(row);
            relation.table()?.checks.insert(name, check);
        }
        "f" => {
            let key = foreign_key(relation, &row)?;
            relation.table()?.foreign_keys.insert(row.name, key);
        }
        "p" => {
            let index = take_index(relation, index, &row)?;
            let key = primary_key(index, row)?;
            relation.table()?.primary_key = Some(key);
        }
        "u" => {
            let index = take_index(relation, index, &row)?;
            let name = row.name.clone();
            let unique = unique(index, row)?;
            relation.table()?.uniques.insert(name, unique);
        }
        "x" => {
            let index = take_index(relation, index, &row)?;
            let name = row.name.clone();
            let exclusion = exclusion(index, row, names)?;
            relation.table()?.exclusions.insert(name, exclusion);
        }
        kind => return Err(unknown_code("contype", kind, &row.name).into()),
    }
    Ok(())
}

pub(super) fn check(row: ConstraintRow) -> (String, Check) {
    let expression = row.expression.unwrap_or_default();
    let check = Check {
        expression: sql_text::unwrapped(&expression).into(),
        no_inherit: row.no_inherit && row.domain == 0,
        not_valid: !row.valid && row.enforced,
        not_enforced: !row.enforced,
        inherited: !row.is_local && row.domain == 0,
        comment: row.comment,
    };
    (row.name, check)
}

fn take_index(
    relation: &mut Relation,
    index: Option<String>,
    row: &ConstraintRow,
) -> Result<Index, CatalogError> {
    let index = index.and_then(|name| relation.table().ok()?.indexes.remove(&name));
    index.ok_or_else(|| missing(format_args!("index {}", row.index), &row.name))
}

fn deferral(row: &ConstraintRow) -> Deferral {
    match (row.deferrable, row.deferred) {
        (false, _) => Deferral::NotDeferrable,
        (true, false) => Deferral::InitiallyImmediate,
        (true, true) => Deferral::InitiallyDeferred,
    }
}

/// The keys of an index that are columns, as those of all primary keys and uniques are.
fn key_columns(index: &Index, of: &str) -> Result<Vec<String>, CatalogError> {
    let columns = index.keys.iter().map(|key| match &key.target {
        KeyTarget::Column(name) => Ok(name.clone()),
        KeyTarget::Expression(text) => Err(missing(format_args!("column {text}"), of)),
    });
    columns.collect()
}

fn primary_key(index: Index, row: ConstraintRow) -> Result<PrimaryKey, CatalogError> {
    Ok(PrimaryKey {
        columns: key_columns(&index, &row.name)?,
        include: index.include,
        without_overlaps: row.period,
        deferral: deferral(&row),
        options: index.options,
        parent: index.parent,
        comment: row.comment,
        name: row.name,
        ..PrimaryKey::default()
    })
}

fn unique(index: Index, row: ConstraintRow) -> Result<Unique, CatalogError> {
    Ok(Unique {
        columns: key_columns(&index, &row.name)?,
        include: index.include,
        nulls_not_distinct: index.nulls_not_distinct,
        without_overlaps: row.period,
        deferral: deferral(&row),
        options: index.options,
        parent: index.parent,
        comment: row.comment,
        ..Unique::default()
    })
}

fn exclusion(index: Index, row: ConstraintRow, names: &Names) -> Result<Exclusion, CatalogError> {
    let elements = index.keys.into_iter().zip(&row.operators);
    let elements = elements.map(|(key, oid)| {
        let operator = names.operator(*oid);
        let missing = || missing(format_args!("operator {oid}"), &row.name);
        let operator = operator.ok_or_else(missing)?;
        Ok(ExclusionElement { key, operator })
    });
    Ok(Exclusion {
        method: index.method,
        elements: elements.collect::<Result<_, CatalogError>>()?,
        include: index.include,
        predicate: index.predicate,
        deferral: deferral(&row),
        options: index.options,
        parent: index.parent,
        comment: row.comment,
    })
}

fn foreign_key(relation: &Relation, row: &ConstraintRow) -> Result<ForeignKey, CatalogError> {
    let references = row.references.clone();
    let matching = match row.matching.as_str() {
        "s" => Match::Simple,
        "f" => Match::Full,
        code => return Err(unknown_code("confmatchtype", code, &row.name)),
    };
    Ok(ForeignKey {
        columns: relation.column_names(&row.columns)?,
        references: references.ok_or_else(|| missing("a table", &row.name))?,
        referenced_columns: row.referenced_columns.clone(),
        on_update: action("confupdtype", &row.on_update, row)?,
        on_delete: action("confdeltype", &row.on_delete, row)?,
        on_delete_columns: relation.column_names(&row.on_delete_columns)?,
        matching,
        deferral: deferral(row),
        not_valid: !row.valid && row.enforced,
        not_enforced: !row.enforced,
        period: row.period,
        inherited: !row.is_local,
        comment: row.comment.clone(),
    })
}

fn action(column: &'static str, code: &str, row: &ConstraintRow) -> Result<Action, CatalogError> {
    Ok(match code {
        "a" => Action::NoAction,
        "r" => Action::Restrict,
        "c" => Action::Cascade,
        "n" => Action::SetNull,
        "d" => Action::SetDefault,
        code => return Err(unknown_code(column, code, &row.name)),
    })
}

use std::collections::BTreeMap;

use underpin_core::Result;

use crate::postgres::catalog::columns::ColumnRow;
use crate::{Column, Expression, Generated, GeneratedKind, Identity, Type, ViewColumn, sql_text};

pub(super) fn of_table(
    row: ColumnRow,
    options: BTreeMap<String, String>,
    identity: Option<Identity>,
) -> Result<Column> {
    let always = match row.identity.as_str() {
        "" | "d" => false,
        "a" => true,
        code => return Err(super::unknown_code("attidentity", code, &row.name).into()),
    };
    let kind = match row.generated.as_str() {
        "" => None,
        "s" => Some(GeneratedKind::Stored),
        "v" => Some(GeneratedKind::Virtual),
        code => return Err(super::unknown_code("attgenerated", code, &row.name).into()),
    };
    let default = row.default.as_deref();
    let generated = kind.map(|kind| Generated {
        expression: sql_text::unwrapped(default.unwrap_or_default()).into(),
        kind,
    });
    Ok(Column {
        data_type: Type::parse(&row.data_type)?,
        not_null: row.not_null,
        default: default.filter(|_| kind.is_none()).map(Expression::from),
        identity: identity.map(|identity| Identity { always, ..identity }),
        generated,
        collation: row.collation,
        not_null_constraint: row.not_null_constraint,
        inherited: !row.is_local,
        options,
        comment: row.comment,
        name: row.name,
        ..Column::default()
    })
}

pub(super) fn of_view(row: ColumnRow, options: BTreeMap<String, String>) -> Result<ViewColumn> {
    Ok(ViewColumn {
        data_type: Type::parse(&row.data_type)?,
        default: row.default.map(Into::into),
        options,
        comment: row.comment,
        name: row.name,
    })
}

use std::collections::HashMap;

use underpin_core::Result;

use crate::postgres::catalog::constraints::ConstraintRow;
use crate::postgres::catalog::dependencies::Place;
use crate::postgres::catalog::types::TypeRow;
use crate::{Domain, EnumType, ObjectName, ObjectRef, Schema, Type};

pub(super) fn add(
    schema: &mut Schema,
    objects: &mut HashMap<Place, ObjectRef>,
    domains: &mut HashMap<i64, ObjectName>,
    row: TypeRow,
) -> Result<()> {
    let place = ("type".to_owned(), row.oid);
    match row.kind.as_str() {
        "e" => {
            objects.insert(place, ObjectRef::Enum(row.name.clone()));
            let labels = row.labels.unwrap_or_default();
            let comment = row.comment;
            schema.enums.insert(row.name, EnumType { labels, comment });
        }
        "d" => {
            objects.insert(place, ObjectRef::Domain(row.name.clone()));
            domains.insert(row.oid, row.name.clone());
            let domain = Domain {
                base: Type::parse(&row.base.unwrap_or_default())?,
                collation: row.collation,
                default: row.default.map(Into::into),
                not_null: row.not_null,
                comment: row.comment,
                ..Domain::default()
            };
            schema.domains.insert(row.name, domain);
        }
        kind => return Err(super::unknown_code("typtype", kind, &row.name).into()),
    }
    Ok(())
}

pub(super) fn add_check(
    schema: &mut Schema,
    domains: &HashMap<i64, ObjectName>,
    oid: i64,
    row: ConstraintRow,
) -> Result<()> {
    let domain = domains
        .get(&oid)
        .and_then(|name| schema.domains.get_mut(name));
    let domain = domain.ok_or_else(|| super::missing(format_args!("domain {oid}"), &row.name))?;
    let (name, check) = super::constraint::check(row);
    domain.checks.insert(name, check);
    Ok(())
}

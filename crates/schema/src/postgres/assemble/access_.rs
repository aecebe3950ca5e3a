use std::collections::HashMap;

use underpin_core::Result;

use crate::postgres::catalog::access::{AccessRow, PrivilegeRow};
use crate::postgres::catalog::dependencies::Place;
use crate::{Access, AccessOn, Future, Grant, Grantee, ObjectRef, Schema};

/// Adds what is said of an object that was read. What was not read is another's.
pub(super) fn add(
    schema: &mut Schema,
    objects: &HashMap<Place, ObjectRef>,
    row: AccessRow,
) -> Result<()> {
    let relation = |kind: &str| objects.get(&(kind.to_owned(), row.oid)).cloned();
    let part = row.part.clone().unwrap_or_default();
    let on = match row.kind.as_str() {
        "namespace" => Some(AccessOn::Object(ObjectRef::Namespace(part))),
        "column" => relation("relation").map(|object| AccessOn::Column(object, part)),
        "default" => Some(AccessOn::Future(Future {
            role: row.role.clone(),
            namespace: row.namespace.clone(),
            objects: part,
        })),
        kind => relation(kind).map(AccessOn::Object),
    };
    let Some(on) = on else {
        return Ok(());
    };
    let mut access = Access {
        owner: row.owner,
        ..Access::default()
    };
    for privilege in row.privileges {
        let given = privilege.granted;
        let grant = grant(privilege)?;
        match given {
            true => access.granted.insert(grant),
            false => access.revoked.insert(grant),
        };
    }
    schema.access.insert(on, access);
    Ok(())
}

fn grant(row: PrivilegeRow) -> Result<Grant> {
    let grantee = match row.grantee.split_at_checked(1) {
        Some(("p", "")) => Grantee::Public,
        Some(("o", "")) => Grantee::Owner,
        Some(("r", name)) => Grantee::Role(name.to_owned()),
        _ => return Err(super::unknown_code("the grantee", &row.grantee, row.privilege).into()),
    };
    Ok(Grant {
        grantor: row.grantor,
        grantee,
        grantable: row.grantable,
        privilege: row.privilege,
    })
}

use std::collections::HashMap;

use underpin_core::Result;

use crate::postgres::catalog::defined::DefinedRow;
use crate::postgres::catalog::dependencies::Place;
use crate::{Defined, DefinedKind, DefinedName, ObjectRef, Schema};

pub(super) fn add(
    schema: &mut Schema,
    objects: &mut HashMap<Place, ObjectRef>,
    row: DefinedRow,
) -> Result<()> {
    let kind = DefinedKind::of_words(&row.kind)
        .ok_or_else(|| super::unknown_code("the kind", &row.kind, &row.identity))?;
    let on = row.on.map(|oid| ("relation".to_owned(), oid));
    let on = on.and_then(|place| objects.get(&place)).cloned();
    let name = DefinedName {
        kind,
        name: row.name,
        identity: row.identity,
    };
    objects.insert(row.place, ObjectRef::Defined(name.clone()));
    let defined = Defined {
        definition: row.definition.into_iter().map(Into::into).collect(),
        depends_on: on.iter().cloned().collect(),
        on,
        comment: row.comment,
    };
    schema.defined.insert(name, defined);
    Ok(())
}

use std::collections::HashMap;

use underpin_core::Result;

use crate::postgres::catalog::dependencies::Place;
use crate::postgres::catalog::functions::FunctionRow;
use crate::{Function, FunctionKind, ObjectRef, Schema};
use std::collections::BTreeSet;

pub(super) fn add(
    schema: &mut Schema,
    objects: &mut HashMap<Place, ObjectRef>,
    row: FunctionRow,
) -> Result<()> {
    let kind = match row.kind.as_str() {
        "f" | "w" => FunctionKind::Function,
        "p" => FunctionKind::Procedure,
        kind => return Err(super::unknown_code("prokind", kind, &row.name).into()),
    };
    let place = ("function".to_owned(), row.oid);
    objects.insert(place, ObjectRef::Function(row.name.clone()));
    let function = Function {
        kind,
        definition: row.definition.trim_end().into(),
        arguments: row.arguments,
        returns: row.returns,
        depends_on: BTreeSet::new(),
        comment: row.comment,
    };
    schema.functions.insert(row.name, function);
    Ok(())
}

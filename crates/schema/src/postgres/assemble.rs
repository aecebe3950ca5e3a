use std::collections::{BTreeSet, HashMap};

use underpin_core::{Result, ValueRow};

use super::catalog::{
    access, columns, constraints, defined, dependencies, functions, indexes, names, policies,
    relations, settings, triggers, types, unsupported,
};
use super::error::CatalogError;
use crate::{CastUse, Extension, Namespace, ObjectRef, Schema, Unsupported};

mod access_;
mod column;
mod constraint;
mod defined_;
mod function;
mod index;
mod key;
mod names_by_oid;
mod policy;
mod relation;
mod setting;
mod trigger;
mod type_;

use names_by_oid::Names;
use relation::Relations;

/// How many statements have an answer.
const STATEMENTS: usize = 14;

/// The schema, from the answers to [`statements`](super::statements) in the same order.
///
/// # Errors
/// A [`CatalogError`] as the source: [`Class::Data`](underpin_core::Class::Data) for an answer
/// that cannot be understood, [`Class::Config`](underpin_core::Class::Config) where answers are
/// missing.
pub fn assemble(answers: &[Vec<ValueRow>]) -> Result<Schema> {
    let [
        name_rows,
        type_rows,
        relation_rows,
        column_rows,
        constraint_rows,
        index_rows,
        function_rows,
        trigger_rows,
        policy_rows,
        dependency_rows,
        unsupported_rows,
        defined_rows,
        setting_rows,
        access_rows,
    ] = answers
    else {
        return Err(CatalogError::Answers {
            statements: STATEMENTS,
            answers: answers.len(),
        }
        .into());
    };
    let mut schema = Schema::default();
    let mut names = Names::default();
    for row in name_rows {
        name(&mut schema, &mut names, names::read(row)?)?;
    }
    let mut objects: HashMap<dependencies::Place, ObjectRef> = HashMap::new();
    let mut domains = HashMap::new();
    for row in type_rows {
        type_::add(&mut schema, &mut objects, &mut domains, types::read(row)?)?;
    }
    let mut relations = Relations::default();
    for row in relation_rows {
        relations.add(relations::read(row)?, &names)?;
    }
    for row in in_order(column_rows)? {
        relations.add_column(row, &names)?;
    }
    relations.number_partition_keys(&names)?;
    for row in index_rows {
        relations.add_index(indexes::read(row)?, &names)?;
    }
    for row in constraint_rows {
        let row = constraints::read(row)?;
        match row.domain {
            0 => relations.add_constraint(row, &names)?,
            domain => type_::add_check(&mut schema, &domains, domain, row)?,
        }
    }
    for row in trigger_rows {
        relations.add_trigger(triggers::read(row)?)?;
    }
    for row in policy_rows {
        relations.add_policy(policies::read(row)?)?;
    }
    for row in function_rows {
        function::add(&mut schema, &mut objects, functions::read(row)?)?;
    }
    relations.refer(&mut objects);
    relations.finish(&mut schema)?;
    for row in defined_rows {
        defined_::add(&mut schema, &mut objects, defined::read(row)?)?;
    }
    let mut left_out: HashMap<dependencies::Place, Unsupported> = HashMap::new();
    for row in unsupported_rows {
        let row = unsupported::read(row)?;
        schema.unsupported.insert(row.named.clone());
        left_out.insert(row.place, row.named);
    }
    for row in dependency_rows {
        depend(
            &mut schema,
            (&objects, &left_out),
            &dependencies::read(row)?,
        );
    }
    for row in setting_rows {
        setting::add(&mut schema, settings::read(row)?)?;
    }
    for row in access_rows {
        access_::add(&mut schema, &objects, access::read(row)?)?;
    }
    usual_not_nulls(&mut schema);
    Ok(schema)
}

fn in_order(rows: &[ValueRow]) -> Result<Vec<columns::ColumnRow>> {
    let rows = rows.iter().map(columns::read);
    let mut rows = rows.collect::<Result<Vec<_>>>()?;
    rows.sort_by_key(|row| (row.relation, row.number));
    Ok(rows)
}

fn name(schema: &mut Schema, names: &mut Names, row: names::Name) -> Result<(), CatalogError> {
    match row.kind.as_str() {
        "namespace" => {
            let comment = row.comment;
            schema.namespaces.insert(row.name, Namespace { comment });
        }
        "extension" => {
            let extension = Extension {
                namespace: row.namespace.unwrap_or_default(),
                version: row.version.unwrap_or_default(),
                requires: row.requires.into_iter().collect(),
                comment: row.comment,
            };
            schema.extensions.insert(row.name, extension);
        }
        "cast" => {
            let to = row.version.unwrap_or_default();
            let of = match row.comment.as_deref() {
                Some("e") => CastUse::Written,
                _ => CastUse::Assigned,
            };
            schema.casts.of_types.insert((row.name, to), of);
        }
        "server" => {
            schema.casts.names_not_null = row.oid >= 180_000;
            names.add(row)?;
        }
        "text" => drop(schema.casts.texts.insert(row.name)),
        _ => names.add(row)?,
    }
    Ok(())
}

/// A column that refuses NULL by the constraint that every such column has says nothing about it,
/// nor does one that has the column and the constraint from a table which it inherits from.
fn usual_not_nulls(schema: &mut Schema) {
    let mut given = BTreeSet::new();
    for (name, table) in &schema.tables {
        let parents = table.inherits.iter();
        let parents = parents.filter_map(|parent| schema.tables.get(parent));
        for parent in parents {
            let refuse = parent.columns.iter().filter(|column| column.not_null);
            let refuse = refuse.filter(|column| {
                let constraint = column.not_null_constraint.as_ref();
                constraint.is_none_or(|constraint| !constraint.no_inherit)
            });
            given.extend(refuse.map(|column| (name.clone(), column.name.clone())));
        }
    }
    for (name, table) in &mut schema.tables {
        for column in &mut table.columns {
            let Some(mut constraint) = column.not_null_constraint.take() else {
                continue;
            };
            // A partition is made as a table of its own, and a constraint stays marked where the
            // parent has lost its column.
            let comes_along = given.contains(&(name.clone(), column.name.clone()));
            constraint.inherited &= comes_along;
            let columns = [column.name.clone()];
            let usual = crate::constraint_name(&name.name, &columns, "not_null", &BTreeSet::new());
            let special =
                constraint.no_inherit || constraint.not_valid || constraint.comment.is_some();
            let is_usual = match column.inherited && comes_along {
                true => constraint.inherited,
                false => constraint.name == usual && !constraint.inherited,
            };
            column.not_null_constraint = Some(constraint).filter(|_| special || !is_usual);
        }
    }
}

/// Notes what an object is made of. What was not read is left out: it is another's, the
/// engine's, an extension's, or not selected.
fn depend(
    schema: &mut Schema,
    (objects, left_out): (
        &HashMap<dependencies::Place, ObjectRef>,
        &HashMap<dependencies::Place, Unsupported>,
    ),
    row: &dependencies::DependencyRow,
) {
    if let (Some(from), Some(to)) = (objects.get(&row.from), left_out.get(&row.to)) {
        let needs = schema.needs_unsupported.entry(from.clone()).or_default();
        needs.insert(to.clone());
    }
    let (Some(from), Some(to)) = (objects.get(&row.from), objects.get(&row.to)) else {
        return;
    };
    if from != to
        && let Some(depends_on) = depends_on(schema, from)
    {
        depends_on.insert(to.clone());
    }
}

fn depends_on<'s>(schema: &'s mut Schema, of: &ObjectRef) -> Option<&'s mut BTreeSet<ObjectRef>> {
    Some(match of {
        ObjectRef::Domain(name) => &mut schema.domains.get_mut(name)?.depends_on,
        ObjectRef::Defined(name) => &mut schema.defined.get_mut(name)?.depends_on,
        ObjectRef::Function(name) => &mut schema.functions.get_mut(name)?.depends_on,
        ObjectRef::Table(name) => &mut schema.tables.get_mut(name)?.depends_on,
        ObjectRef::View(name) => &mut schema.views.get_mut(name)?.depends_on,
        ObjectRef::MaterializedView(name) => {
            &mut schema.materialized_views.get_mut(name)?.depends_on
        }
        ObjectRef::Namespace(_)
        | ObjectRef::Extension(_)
        | ObjectRef::Enum(_)
        | ObjectRef::Sequence(_) => return None,
    })
}

/// The error for a code that means nothing.
fn unknown_code(column: &'static str, code: &str, of: impl std::fmt::Display) -> CatalogError {
    CatalogError::Code {
        column,
        code: code.to_owned(),
        of: of.to_string(),
    }
}

/// The error for a reference to what was not read.
fn missing(what: impl std::fmt::Display, of: impl std::fmt::Display) -> CatalogError {
    CatalogError::Missing {
        what: what.to_string(),
        of: of.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use underpin_core::{Class, Columns, Value};

    use super::*;

    fn row(values: &[Value]) -> ValueRow {
        let column = |_: &Value| underpin_core::Column {
            name: "x".to_owned(),
            type_name: "text".into(),
        };
        let columns = Columns(values.iter().map(column).collect());
        ValueRow::new(Arc::new(columns), values.to_vec())
    }

    #[test]
    fn answers_that_are_missing_are_counted() {
        let error = assemble(&[]).unwrap_err();
        assert_eq!(error.class(), Class::Config);
        assert!(
            error
                .to_string()
                .contains("14 statements, but there are 0 answers"),
            "{error}"
        );
    }

    #[test]
    fn no_rows_are_an_empty_schema() {
        assert_eq!(
            assemble(&vec![Vec::new(); STATEMENTS]).unwrap(),
            Schema::default()
        );
    }

    #[test]
    fn a_code_without_meaning_and_a_missing_relation_are_errors() {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut answers = vec![Vec::new(); STATEMENTS];
        let null = Value::Null;
        let mut enum_of_kind_z = vec![Value::I64(7), text("z"), text("public"), text("mood")];
        enum_of_kind_z.extend([null.clone(), null.clone(), Value::Bool(false)]);
        enum_of_kind_z.extend(vec![null.clone(); 4]);
        answers[1] = vec![row(&enum_of_kind_z)];
        let error = assemble(&answers).unwrap_err();
        assert_eq!(error.class(), Class::Data);
        let said = error.to_string();
        assert!(said.contains("\"z\" in typtype of public.mood"), "{said}");

        answers[1] = Vec::new();
        let mut trigger = vec![
            Value::I64(42),
            text("t"),
            text("CREATE TRIGGER"),
            text("s"),
            text("f"),
        ];
        trigger.extend([text("O"), Value::Bool(false), null]);
        answers[7] = vec![row(&trigger)];
        let said = assemble(&answers).unwrap_err().to_string();
        assert!(said.contains("t refers to relation 42"), "{said}");
    }
}

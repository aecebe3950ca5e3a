use underpin_core::Result;

use crate::postgres::ddl::comment::{Subject, set};
use crate::{Defined, DefinedKind, DefinedName, ObjectName, Schema, Table};

/// The comment that every new database has on `public`.
const OF_PUBLIC: &str = "standard public schema";

/// Every comment of the schema.
pub(super) fn all(schema: &Schema, out: &mut Vec<String>) -> Result<()> {
    of_public(schema, out)?;
    let mut comments = Comments { out };
    for (name, of) in schema
        .namespaces
        .iter()
        .filter(|(name, _)| *name != "public")
    {
        comments.add(Subject::Namespace(name), &of.comment)?;
    }
    for (name, of) in &schema.extensions {
        comments.add(Subject::Extension(name), &of.comment)?;
    }
    for (name, of) in &schema.enums {
        comments.add(Subject::Enum(name), &of.comment)?;
    }
    for (name, of) in &schema.domains {
        comments.add(Subject::Domain(name), &of.comment)?;
        for (check, of) in &of.checks {
            comments.add(Subject::DomainCheck(name, check), &of.comment)?;
        }
    }
    for (name, of) in &schema.defined {
        if name.kind != DefinedKind::EventTrigger {
            comments.add(Subject::Defined(name), &of.comment)?;
        }
    }
    for (name, of) in &schema.sequences {
        comments.add(Subject::Sequence(name), &of.comment)?;
    }
    for (name, of) in &schema.functions {
        comments.add(Subject::Function(name, of.kind), &of.comment)?;
    }
    for (name, of) in &schema.tables {
        comments.add(Subject::Table(name), &of.comment)?;
        comments.of_table(name, of)?;
    }
    for (name, of) in &schema.views {
        comments.add(Subject::View(name), &of.comment)?;
        for column in &of.columns {
            comments.add(Subject::Column(name, &column.name), &column.comment)?;
        }
        for (trigger, of) in &of.triggers {
            comments.add(Subject::Trigger(name, trigger), &of.comment)?;
        }
    }
    for (name, of) in &schema.materialized_views {
        comments.add(Subject::MaterializedView(name), &of.comment)?;
        for column in &of.columns {
            comments.add(Subject::Column(name, &column.name), &column.comment)?;
        }
        for (index, of) in &of.indexes {
            comments.add(Subject::Index(&name.sibling(index)), &of.comment)?;
        }
    }
    Ok(())
}

/// Where the schema has another comment on `public`, or none, the usual one has to go.
fn of_public(schema: &Schema, out: &mut Vec<String>) -> Result<()> {
    if let Some(public) = schema.namespaces.get("public")
        && public.comment.as_deref() != Some(OF_PUBLIC)
    {
        out.push(set(
            Subject::Namespace("public"),
            public.comment.as_deref(),
        )?);
    }
    Ok(())
}

/// The comment on one, where there is one.
pub(super) fn on_defined(name: &DefinedName, of: &Defined) -> Result<Option<String>> {
    let comment = of.comment.as_deref();
    comment
        .map(|text| set(Subject::Defined(name), Some(text)))
        .transpose()
}

struct Comments<'o> {
    out: &'o mut Vec<String>,
}

impl Comments<'_> {
    fn add(&mut self, subject: Subject<'_>, comment: &Option<String>) -> Result<()> {
        if let Some(text) = comment {
            self.out.push(set(subject, Some(text))?);
        }
        Ok(())
    }

    fn of_table(&mut self, name: &ObjectName, table: &Table) -> Result<()> {
        for column in &table.columns {
            self.add(Subject::Column(name, &column.name), &column.comment)?;
            if let Some(constraint) = &column.not_null_constraint {
                self.add(
                    Subject::Constraint(name, &constraint.name),
                    &constraint.comment,
                )?;
            }
        }
        let primary_key = table
            .primary_key
            .iter()
            .map(|key| (&key.name, &key.comment));
        let uniques = table.uniques.iter().map(|(name, of)| (name, &of.comment));
        let checks = table.checks.iter().map(|(name, of)| (name, &of.comment));
        let foreign_keys = table
            .foreign_keys
            .iter()
            .map(|(name, of)| (name, &of.comment));
        let exclusions = table
            .exclusions
            .iter()
            .map(|(name, of)| (name, &of.comment));
        let constraints = primary_key.chain(uniques).chain(checks);
        for (constraint, comment) in constraints.chain(foreign_keys).chain(exclusions) {
            self.add(Subject::Constraint(name, constraint), comment)?;
        }
        for (index, of) in &table.indexes {
            self.add(Subject::Index(&name.sibling(index)), &of.comment)?;
        }
        for (trigger, of) in &table.triggers {
            self.add(Subject::Trigger(name, trigger), &of.comment)?;
        }
        for (policy, of) in &table.policies {
            self.add(Subject::Policy(name, policy), &of.comment)?;
        }
        Ok(())
    }
}

use std::collections::BTreeSet;

use underpin_config::Config;
use underpin_core::Result;
use underpin_migrate::{HISTORY_TABLE, OpenDatabase};
use underpin_model::Models;
use underpin_schema::{AccessCompared, Diff, Hints, Schema, SchemaDialect, Selection, Unsupported};

use crate::selected::selected;
use crate::{introspect, of_models, settle};

/// What a database has, or is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The schema, as the server renders it.
    pub schema: Schema,
    /// What it says of names that something had before.
    pub hints: Hints,
    /// Whether it was described, by SQL, models or revisions, and not found in a database that
    /// somebody uses. What is described is compared with a database in the
    /// [namespaces](Target::namespaces) that it names, and extensions that it does not name are
    /// left alone.
    pub described: bool,
}

impl Target {
    /// What was made in a scratch database. The namespace that is there from the beginning, such
    /// as `public`, is part of it only where something is in it, or where there is no other.
    pub fn described(mut schema: Schema, hints: Hints, dialect: &SchemaDialect) -> Self {
        let others = schema.namespaces.len() > 1;
        if others && !occupied(&schema).contains(dialect.first_namespace) {
            schema.namespaces.remove(dialect.first_namespace);
        }
        Target {
            schema,
            hints,
            described: true,
        }
    }

    /// What a database was found to have.
    pub fn found(schema: Schema) -> Self {
        Target {
            schema,
            ..Target::default()
        }
    }

    /// What models want of a database that has the schema `now`, in the namespaces that they
    /// name. What they cannot say is as in `now`: see [`of_models`]. The scratch database is made
    /// beside the database of the configuration.
    ///
    /// # Errors
    /// As for [`of_models`].
    ///
    /// # Cancel safety
    /// As for [`of_models`].
    pub async fn of_models<D: OpenDatabase>(
        models: &Models,
        config: &Config,
        now: &Schema,
    ) -> Result<Target> {
        let engine = config.engine();
        let hints = models.hints(engine);
        let schema = of_models::<D>(models, config, now, &hints).await?;
        let named = Selection {
            namespaces: models.schema(engine)?.namespaces.into_keys().collect(),
            ..without_history(&Selection::default())
        };
        Ok(Target {
            schema: selected(schema, &named),
            hints,
            described: true,
        })
    }

    /// What it takes to get from this to another, of which the hints are. Options that no list
    /// of the engine has count only between two databases: no description can ask for them.
    pub fn diff(&self, to: &Target, dialect: &SchemaDialect) -> Diff {
        let mut diff = (dialect.diff)(&self.schema, &to.schema, &self.hints_for(to));
        if !self.described && !to.described {
            let (from, to) = (&self.schema.unlisted_options, &to.schema.unlisted_options);
            diff.unsupported
                .extend(from.symmetric_difference(to).cloned());
        }
        diff
    }

    /// The hints by which this is compared with another. Of two databases, everything counts:
    /// privileges, and partitions that only one has.
    fn hints_for(&self, to: &Target) -> Hints {
        let mut hints = to.hints.clone();
        if !self.described && !to.described {
            hints.names_partitions = true;
            if hints.access == AccessCompared::WhereSaid {
                hints.access = AccessCompared::Always;
            }
        }
        hints
    }

    /// Lets the server decide which expressions of this and of another are one: see [`settle`]. The
    /// other one's hints have what it said.
    ///
    /// # Errors
    /// As for [`settle`].
    ///
    /// # Cancel safety
    /// As for [`settle`].
    pub async fn settle<D: OpenDatabase>(&self, to: &mut Target, config: &Config) -> Result<()> {
        settle::<D>(&self.schema, &to.schema, &mut to.hints, config).await
    }

    /// Whether it has something that no change can be about.
    pub fn has(&self, one: &Unsupported) -> bool {
        self.schema.unsupported.contains(one) || self.schema.unlisted_options.contains(one)
    }

    /// The namespaces that it names, and those in which it has something.
    pub fn namespaces(&self) -> Vec<String> {
        let own = self.schema.namespaces.keys().map(String::as_str);
        let all: BTreeSet<&str> = own.chain(occupied(&self.schema)).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// What a database has of what this describes: its namespaces, where the selection names
    /// none, and no extensions but those that it names. Of a target that is not described,
    /// everything that is selected.
    ///
    /// # Errors
    /// As for [`introspect`](crate::introspect()).
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    pub async fn counterpart<D: OpenDatabase>(
        &self,
        db: &D,
        selection: &Selection,
    ) -> Result<Target> {
        let all = without_history(selection);
        if !self.described || !selection.namespaces.is_empty() {
            return Ok(Target::found(introspect(db, &all).await?));
        }
        let narrowed = Selection {
            namespaces: self.namespaces(),
            ..all.clone()
        };
        let mut schema = introspect(db, &narrowed).await?;
        let named = &self.schema.extensions;
        schema.extensions.retain(|name, _| named.contains_key(name));
        let named = &self.schema.unsupported;
        let mut outside = self.schema.defined.keys();
        if !named.is_subset(&schema.unsupported)
            || outside.any(|name| name.name.namespace.is_empty())
        {
            // What is in no namespace is read only with all of them.
            let has = introspect(db, &all).await?;
            let same = |one: &Unsupported, other: &Unsupported| {
                (&one.kind, &one.name) == (&other.kind, &other.name)
            };
            let of_both = has.unsupported.into_iter();
            let of_both = of_both.filter(|one| named.iter().any(|other| same(one, other)));
            schema.unsupported.extend(of_both);
            for (name, of) in has.defined {
                if self.schema.defined.contains_key(&name) {
                    schema.defined.insert(name, of);
                }
            }
        }
        Ok(Target::found(schema))
    }
}

/// The namespaces in which the schema has something.
fn occupied(schema: &Schema) -> BTreeSet<&str> {
    let extensions = schema.extensions.values().map(|of| of.namespace.as_str());
    let functions = schema.functions.keys().map(|name| name.namespace.as_str());
    let objects = schema.tables.keys().chain(schema.views.keys());
    let objects = objects.chain(schema.materialized_views.keys());
    let objects = objects
        .chain(schema.enums.keys())
        .chain(schema.domains.keys());
    let objects = objects.chain(schema.sequences.keys());
    let objects = objects.chain(schema.defined.keys().map(|name| &name.name));
    let objects = objects.map(|name| name.namespace.as_str());
    let objects = objects.filter(|namespace| !namespace.is_empty());
    extensions.chain(functions).chain(objects).collect()
}

/// The same selection, without the table in which Underpin keeps the history of migrations,
/// unless it is selected by its name.
pub(super) fn without_history(selection: &Selection) -> Selection {
    let mut selection = selection.clone();
    let history = HISTORY_TABLE.to_owned();
    if !selection.tables.contains(&history) {
        selection.exclude.push(history);
    }
    selection
}

#[cfg(test)]
mod tests {
    use underpin_schema::{Namespace, ObjectName, Table, postgres};

    use super::*;

    fn schema(namespaces: &[&str], tables: &[(&str, &str)]) -> Schema {
        let mut schema = Schema::default();
        for name in namespaces {
            let name = (*name).to_owned();
            schema.namespaces.insert(name, Namespace::default());
        }
        for (namespace, name) in tables {
            let name = ObjectName::new(*namespace, *name);
            schema.tables.insert(name, Table::default());
        }
        schema
    }

    #[test]
    fn public_counts_where_something_is_in_it_or_nothing_else_is_there() {
        let named = |namespaces: &[&str], tables: &[(&str, &str)]| {
            let schema = schema(namespaces, tables);
            Target::described(schema, Hints::default(), &postgres::DIALECT).namespaces()
        };
        assert_eq!(named(&["public"], &[]), ["public"]);
        assert_eq!(named(&["public", "shop"], &[("shop", "t")]), ["shop"]);
        let both = [("public", "t"), ("shop", "t")];
        assert_eq!(named(&["public", "shop"], &both), ["public", "shop"]);
    }

    #[test]
    fn the_history_is_read_only_by_name() {
        let by_name = Selection {
            tables: vec![HISTORY_TABLE.to_owned()],
            ..Selection::default()
        };
        assert_eq!(without_history(&by_name).exclude, [""; 0]);
        let all = Selection::default();
        assert_eq!(without_history(&all).exclude, [HISTORY_TABLE]);
    }
}

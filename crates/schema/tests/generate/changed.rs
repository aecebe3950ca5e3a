//! A schema with changes here and there.

use fastrand::Rng;
use underpin::schema::{
    Check, Column, Deferral, Expression, FunctionName, ObjectName, ObjectRef, Schema, Table,
    TriggerState, Type,
};

use super::{Generator, Server};

/// The schema with some changes, the same for the same seed.
pub(crate) fn changed(seed: u64, server: &Server, schema: &Schema) -> Schema {
    let mut generator = Generator {
        rng: Rng::with_seed(seed ^ 0x5eed),
        names: 10_000,
        server: server.clone(),
        schema: schema.clone(),
    };
    for _ in 0..generator.rng.usize(3..12) {
        generator.change();
        generator.inherit();
    }
    generator.schema
}

/// Whether a text of JSON names it, in quotes or not.
fn names_it(text: &str, name: &str) -> bool {
    [name, &super::ident(name)].into_iter().any(|name| {
        let json = serde_json::to_string(name).unwrap();
        has(text, &json[1..json.len() - 1])
    })
}

/// Whether a text has a word.
fn has(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

impl Generator {
    /// Children have the columns that their parents have by now.
    fn inherit(&mut self) {
        let tables = self.schema.tables.clone();
        for table in self.schema.tables.values_mut() {
            for parent in table.inherits.clone() {
                for column in &tables[&parent].columns {
                    if table.column(&column.name).is_none() {
                        table
                            .columns
                            .push(super::references::inherited_column(column));
                    }
                }
            }
        }
    }

    fn change(&mut self) {
        match self.rng.u8(0..26) {
            0 => self.table(),
            1 => self.enum_type(),
            2 => self.domain(),
            3 => self.sequence(),
            4 => self.views(),
            5 => self.foreign_key(),
            6 => self.functions_anew(),
            7 => self.add_columns(),
            8 => self.add_parts(),
            9 => self.drop_parts(),
            10 => self.drop_column(),
            11 => self.drop_table(),
            12 => self.drop_views(),
            13 => self.other_comments(),
            14 => self.other_defaults(),
            15 => self.other_nulls(),
            16 | 17 => self.other_types(),
            18 => self.more_labels(),
            19 => self.other_options(),
            20 => self.other_states(),
            21 => self.other_domains(),
            22 => self.other_keys(),
            23 => self.inheritance(),
            24 => self.other_functions(),
            _ => self.partitioned(),
        }
    }

    /// A table that stands for itself.
    fn plain_table(&mut self) -> Option<ObjectName> {
        let parents: Vec<ObjectName> = self
            .schema
            .tables
            .values()
            .flat_map(|table| table.inherits.clone())
            .collect();
        let names = self.schema.tables.iter().filter(|(name, table)| {
            let child = table.partition_of.is_some() || !table.inherits.is_empty();
            !child && table.partition_by.is_none() && !parents.contains(name)
        });
        let names: Vec<ObjectName> = names.map(|(name, _)| name.clone()).collect();
        self.rng.choice(names)
    }

    fn with_table(&mut self, change: impl FnOnce(&mut Self, &ObjectName, &mut Table)) {
        let Some(name) = self.plain_table() else {
            return;
        };
        let mut table = self.schema.tables.remove(&name).unwrap();
        change(self, &name, &mut table);
        self.add_table(name, table);
    }

    fn add_columns(&mut self) {
        self.with_table(|this, _, table| {
            for _ in 0..this.rng.usize(1..4) {
                this.column(table);
                // A row that is there needs something in it.
                let column = table.columns.last_mut().unwrap();
                column.not_null &= column.default.is_some();
            }
            this.generated_column(table);
        });
    }

    fn add_parts(&mut self) {
        self.with_table(|this, name, table| {
            this.index(table);
            this.constraints(table);
            this.triggers(name, table);
            this.policies(table);
        });
    }

    fn drop_parts(&mut self) {
        let referenced: Vec<(ObjectName, Vec<String>)> = self
            .schema
            .tables
            .values()
            .flat_map(|table| table.foreign_keys.values())
            .map(|key| (key.references.clone(), key.referenced_columns.clone()))
            .collect();
        self.with_table(|this, name, table| {
            let rng = &mut this.rng;
            table.indexes.retain(|_, _| rng.bool());
            table.checks.retain(|_, _| rng.bool());
            table.triggers.retain(|_, _| rng.bool());
            table.policies.retain(|_, _| rng.bool());
            table.exclusions.retain(|_, _| rng.bool());
            table.foreign_keys.retain(|_, _| rng.bool());
            table.uniques.retain(|_, unique| {
                let used = (name.clone(), unique.columns.clone());
                referenced.contains(&used) || rng.bool()
            });
        });
    }

    /// A column that nothing names.
    fn free_column(&mut self) -> Option<(ObjectName, usize)> {
        let table = self.plain_table()?;
        let of = &self.schema.tables[&table];
        let free = (0..of.columns.len()).filter(|place| {
            let column = &of.columns[*place];
            let mut without = self.schema.clone();
            let mut rest = of.clone();
            rest.columns.remove(*place);
            without.tables.insert(table.clone(), rest);
            let text = serde_json::to_string(&without).unwrap();
            !names_it(&text, &column.name)
                && column.identity.is_none()
                && !column
                    .default
                    .as_ref()
                    .is_some_and(|default| default.as_str().contains("nextval"))
        });
        let free: Vec<usize> = free.collect();
        let place = self.rng.choice(free)?;
        Some((table, place))
    }

    fn drop_column(&mut self) {
        if let Some((name, place)) = self.free_column() {
            let mut table = self.schema.tables.remove(&name).unwrap();
            if table.columns.len() > 1 {
                table.columns.remove(place);
            }
            self.add_table(name, table);
        }
    }

    /// A table that nothing names.
    fn drop_table(&mut self) {
        let Some(name) = self.plain_table() else {
            return;
        };
        let mut without = self.schema.clone();
        without.tables.remove(&name);
        without.sequences.retain(|_, sequence| {
            let owner = sequence.owned_by.as_ref();
            owner.is_none_or(|owner| owner.table != name)
        });
        let text = serde_json::to_string(&without).unwrap();
        if !names_it(&text, &name.name) {
            self.schema = without;
        }
    }

    fn drop_views(&mut self) {
        if self.rng.bool() {
            self.schema.materialized_views.clear();
        }
        let text = |schema: &Schema| {
            let views = serde_json::to_string(&(&schema.views, &schema.materialized_views));
            views.unwrap()
        };
        let names: Vec<ObjectName> = self.schema.views.keys().cloned().collect();
        for name in names {
            let mut without = self.schema.clone();
            without.views.remove(&name);
            if self.rng.bool() && !names_it(&text(&without), &name.name) {
                self.schema = without;
            }
        }
    }

    fn other_comments(&mut self) {
        let names: Vec<ObjectName> = self.schema.tables.keys().cloned().collect();
        let name = self.rng.choice(names).unwrap();
        let (comment, of_column) = (self.comment(), self.comment());
        let options = self.column_options();
        let table = self.schema.tables.get_mut(&name).unwrap();
        table.comment = comment;
        table.columns[0].comment = of_column;
        table.columns[0].options = options;
        let comment = self.comment();
        for domain in self.schema.domains.values_mut() {
            domain.comment.clone_from(&comment);
        }
        for function in self.schema.functions.values_mut() {
            function.comment.clone_from(&comment);
        }
    }

    fn other_defaults(&mut self) {
        self.with_table(|this, _, table| {
            let circular = table.depends_on.iter().any(
                |one| matches!(one, ObjectRef::Function(name) if name.name.contains("count_of")),
            );
            for column in &mut table.columns {
                let plain = column.generated.is_none() && column.identity.is_none();
                let of = &column.data_type;
                if !plain || of.array || of.namespace.is_some() || circular {
                    continue;
                }
                let other = match of.name.as_str() {
                    "integer" => Some("11"),
                    "text" => Some("'other'::text"),
                    "date" => Some("CURRENT_DATE"),
                    _ => None,
                };
                if let Some(other) = other {
                    column.default = this.rng.bool().then(|| other.into());
                }
            }
        });
    }

    fn other_nulls(&mut self) {
        self.with_table(|this, _, table| {
            let mut keys = table.primary_key.iter().flat_map(|key| key.columns.clone());
            let keys: Vec<String> = keys.by_ref().collect();
            let pointing: Vec<String> = table
                .foreign_keys
                .values()
                .flat_map(|key| key.columns.clone())
                .collect();
            for column in &mut table.columns {
                let free = !keys.contains(&column.name) && column.identity.is_none();
                let filled = !pointing.contains(&column.name) && column.generated.is_none();
                if free && filled {
                    column.not_null = this.rng.bool();
                }
            }
        });
    }

    /// Another type of a column that only views and indexes without expressions name. Names
    /// are of one thing only, so that it is changed wherever it is.
    fn other_types(&mut self) {
        let Some(table) = self.plain_table() else {
            return;
        };
        let of = &self.schema.tables[&table];
        let pairs: [(&str, &[&str], &str, &[&str]); 8] = [
            ("smallint", &[], "integer", &[]),
            ("integer", &[], "bigint", &[]),
            ("numeric", &["10", "2"], "numeric", &["12", "2"]),
            ("numeric", &["10", "2"], "integer", &[]),
            ("character varying", &["20"], "text", &[]),
            ("text", &[], "character varying", &["30"]),
            ("date", &[], "timestamp without time zone", &[]),
            ("boolean", &[], "text", &[]),
        ];
        let mut texts = of.clone();
        for column in &mut texts.columns {
            column.name.clear();
        }
        texts.comment = None;
        texts.uniques.clear();
        texts.indexes.retain(|_, index| {
            let plain = |key: &underpin::schema::IndexKey| {
                matches!(key.target, underpin::schema::KeyTarget::Column(_))
                    && key.operator_class.is_none()
                    && key.collation.is_none()
            };
            index.predicate.is_some() || !index.keys.iter().all(plain) || index.method != "btree"
        });
        let text = serde_json::to_string(&texts).unwrap();
        let others: Vec<String> = self
            .schema
            .tables
            .values()
            .flat_map(|table| table.foreign_keys.values())
            .flat_map(|key| key.referenced_columns.clone())
            .collect();
        let mut choices = Vec::new();
        for column in &of.columns {
            let named = names_it(&text, &column.name) || others.contains(&column.name);
            let made = column.identity.is_some() || column.generated.is_some();
            for (name, parameters, new, new_parameters) in &pairs {
                let same = column.data_type.name == *name
                    && column.data_type.parameters == *parameters
                    && column.data_type.namespace.is_none();
                if same && !named && !made && !column.data_type.array {
                    choices.push((column.name.clone(), *new, *new_parameters));
                }
            }
        }
        if let Some((column, name, parameters)) = self.rng.choice(choices) {
            let data_type = Type {
                parameters: parameters.iter().map(|one| (*one).to_owned()).collect(),
                ..Type::named(name)
            };
            self.retype(&column, &data_type);
        }
    }

    fn retype(&mut self, column: &str, data_type: &Type) {
        let collated = matches!(data_type.name.as_str(), "text" | "character varying");
        for table in self.schema.tables.values_mut() {
            for one in table.columns.iter_mut().filter(|one| one.name == column) {
                one.data_type = data_type.clone();
                one.default = None;
                if !collated {
                    one.collation = None;
                }
            }
        }
        let views = self.schema.views.values_mut();
        let views = views.map(|view| &mut view.columns);
        let kept = self.schema.materialized_views.values_mut();
        for columns in views.chain(kept.map(|view| &mut view.columns)) {
            for one in columns.iter_mut().filter(|one| one.name == column) {
                one.data_type = data_type.clone();
            }
        }
    }

    fn more_labels(&mut self) {
        for of in self.schema.enums.values_mut() {
            let place = self.rng.usize(0..=of.labels.len());
            let label = format!("new {}", of.labels.len());
            if !of.labels.contains(&label) {
                of.labels.insert(place, label);
            }
        }
        // One that is used at once.
        let Some((name, of)) = self.schema.enums.iter().next() else {
            return;
        };
        let (name, label) = (name.clone(), of.labels.last().unwrap().clone());
        self.with_table(|_, _, table| {
            for column in &mut table.columns {
                let is = column.data_type.namespace.as_deref() == Some(&name.namespace)
                    && column.data_type.name == name.name;
                if is && !column.data_type.array {
                    let label = label.replace('\'', "''");
                    let of = super::names::qualified(&name);
                    column.default = Some(format!("'{label}'::{of}").into());
                }
            }
        });
    }

    fn other_options(&mut self) {
        for sequence in self.schema.sequences.values_mut() {
            if sequence.owned_by.is_none() && self.rng.bool() {
                sequence.options.cycle = !sequence.options.cycle;
                sequence.options.cache = 7;
            }
        }
        self.with_table(|this, _, table| {
            table.options = this.fillfactor();
            for index in table
                .indexes
                .values_mut()
                .filter(|one| one.method == "btree")
            {
                index.options = this.fillfactor();
            }
        });
    }

    fn other_states(&mut self) {
        self.with_table(|this, _, table| {
            for trigger in table.triggers.values_mut() {
                trigger.state = TriggerState::Always;
            }
            table.row_security.enabled = this.rng.bool();
            table.row_security.forced = this.rng.bool();
            for check in table.checks.values_mut() {
                check.not_valid = false;
            }
            for key in table.foreign_keys.values_mut() {
                key.not_valid = false;
                key.deferral = this.deferral();
            }
            for policy in table.policies.values_mut() {
                policy.permissive = !policy.permissive;
            }
        });
    }

    fn other_domains(&mut self) {
        for domain in self.schema.domains.values_mut() {
            if self.rng.bool() {
                domain.default = None;
            }
            for check in domain.checks.values_mut() {
                check.not_valid = false;
            }
            if self.rng.bool() {
                domain.checks.pop_first();
            }
            domain.not_null &= self.rng.bool();
            let check = Check {
                expression: Expression::from("VALUE IS NOT NULL OR true"),
                ..Check::default()
            };
            if self.rng.u8(0..4) == 0 {
                let expression = "(VALUE IS NOT NULL) OR true".into();
                let check = Check {
                    expression,
                    ..check
                };
                domain.checks.insert("always".to_owned(), check);
            }
        }
    }

    fn other_keys(&mut self) {
        self.with_table(|this, _, table| {
            for unique in table.uniques.values_mut() {
                unique.deferral = Deferral::NotDeferrable;
            }
            for index in table.indexes.values_mut() {
                index.unique = false;
                index.nulls_not_distinct = false;
                for key in &mut index.keys {
                    if index.method == "btree" {
                        key.descending = this.rng.bool();
                    }
                }
            }
            if let Some(key) = &mut table.primary_key {
                key.name = this.name("pkey");
            }
        });
    }

    fn functions_anew(&mut self) {
        let sets: Vec<FunctionName> = self
            .schema
            .functions
            .iter()
            .filter(|(name, _)| name.name.contains("all_of") || name.name.contains("count_of"))
            .map(|(name, _)| name.clone())
            .collect();
        for name in sets {
            let used = |column: &Column| {
                let default = column.default.as_ref();
                default.is_some_and(|text| text.as_str().contains(&name.name))
            };
            let mut tables = self.schema.tables.values();
            if !tables.any(|table| table.columns.iter().any(used)) {
                self.schema.functions.remove(&name);
            }
        }
        if self.rng.bool() {
            self.routines_over_tables();
        }
    }

    fn other_functions(&mut self) {
        for function in self.schema.functions.values_mut() {
            let text = function.definition.as_str();
            let other = text
                .replace("n * 2", "n * 4")
                .replace("t || more", "more || t");
            function.definition = other.replace("n := 1", "n := 2").into();
        }
    }
}

use std::collections::BTreeMap;

use underpin::schema::{
    Check, Column, ColumnRef, Deferral, Exclusion, ExclusionElement, Expression, Generated,
    GeneratedKind, Identity, Index, IndexKey, ObjectName, OperatorClass, Policy, PolicyCommand,
    PrimaryKey, RowSecurity, Sequence, SequenceOptions, Table, Trigger, TriggerState, Type, Unique,
};

use super::names::qualified;
use super::types::{on, tables_persistence};
use super::{Generator, ident};

const COMMANDS: [PolicyCommand; 5] = [
    PolicyCommand::All,
    PolicyCommand::Select,
    PolicyCommand::Insert,
    PolicyCommand::Update,
    PolicyCommand::Delete,
];

impl Generator {
    pub(super) fn table(&mut self) {
        let name = self.object_name("tb");
        let mut table = Table {
            persistence: tables_persistence(self.chance(10)),
            comment: self.comment(),
            ..Table::default()
        };
        self.key_columns(&name, &mut table);
        for _ in 0..self.rng.usize(1..8) {
            self.column(&mut table);
        }
        self.generated_column(&mut table);
        self.primary_key(&mut table);
        self.constraints(&mut table);
        for _ in 0..self.rng.usize(0..4) {
            self.index(&mut table);
        }
        self.triggers(&name, &mut table);
        self.policies(&mut table);
        if self.chance(30) {
            let options = [("fillfactor", "70"), ("autovacuum_enabled", "false")];
            let options = options.map(|(key, value)| (key.to_owned(), value.to_owned()));
            table.options = options.into();
            if table
                .columns
                .iter()
                .any(|column| column.data_type.name == "text")
            {
                let toast = "toast.autovacuum_enabled".to_owned();
                table.options.insert(toast, "false".to_owned());
            }
        }
        self.add_table(name, table);
    }

    pub(super) fn add_table(&mut self, name: ObjectName, mut table: Table) {
        let defaults = table
            .columns
            .iter()
            .filter_map(|column| column.default.as_ref());
        let generated = table
            .columns
            .iter()
            .filter_map(|column| column.generated.as_ref());
        let checks = table.checks.values().map(|check| &check.expression);
        let texts = defaults
            .chain(generated.map(|one| &one.expression))
            .chain(checks);
        let texts: Vec<&str> = texts.map(Expression::as_str).collect();
        table.depends_on = self.named_in(&texts);
        self.schema.tables.insert(name, table);
    }

    /// One or two columns that can be a key: by hand, by identity or by a sequence.
    fn key_columns(&mut self, table: &ObjectName, of: &mut Table) {
        let mut key = Column {
            name: self.name("id"),
            data_type: Type::named("bigint"),
            not_null: true,
            comment: self.comment(),
            ..Column::default()
        };
        match self.rng.u8(0..4) {
            0 => {
                key.identity = Some(Identity {
                    always: self.rng.bool(),
                    sequence: Some(table.sibling(self.name("count"))),
                    options: self.sequence_options("bigint"),
                });
            }
            1 => {
                let sequence = table.sibling(self.name("serial"));
                let text = qualified(&sequence).replace('\'', "''");
                // In quotes, what needs an escape in SQL needs none in a name.
                key.default = Some(format!("nextval('{text}'::regclass)").into());
                let owned_by = Some(ColumnRef {
                    table: table.clone(),
                    column: key.name.clone(),
                });
                let sequence_of = Sequence {
                    options: SequenceOptions::of_type("bigint"),
                    owned_by,
                    // Those of unlogged tables are permanent before version 15.
                    persistence: match self.server.version {
                        150_000.. => of.persistence,
                        _ => tables_persistence(false),
                    },
                    comment: self.comment(),
                };
                self.schema.sequences.insert(sequence, sequence_of);
            }
            _ => {}
        }
        of.columns.push(key);
        if self.chance(30) {
            of.columns.push(Column {
                name: self.name("part"),
                data_type: Type::named("integer"),
                not_null: true,
                default: self.chance(50).then(|| self.call("3").into()),
                ..Column::default()
            });
        }
    }

    pub(super) fn column(&mut self, table: &mut Table) {
        let sample = self.sample();
        let name = self.name("col");
        let text = sample.data_type.name == "text" && !sample.data_type.array;
        if self.chance(25) {
            let check = Check {
                expression: on(&sample.condition, &name),
                no_inherit: self.chance(20),
                not_valid: self.chance(20),
                comment: self.comment(),
                ..Check::default()
            };
            let name = self.name("check");
            table.checks.insert(name, check);
        }
        table.columns.push(Column {
            name,
            data_type: sample.data_type,
            not_null: self.chance(30),
            default: sample.default.filter(|_| self.chance(40)),
            collation: (text && self.chance(40)).then(|| ObjectName::new("pg_catalog", "C")),
            options: self.column_options(),
            comment: self.comment(),
            ..Column::default()
        });
    }

    /// What a column may tell the planner, by how many names there are so far: all else stays as
    /// it is for the same seed.
    pub(super) fn column_options(&self) -> BTreeMap<String, String> {
        let mut rng = fastrand::Rng::with_seed(self.names as u64);
        let mut options = BTreeMap::new();
        for name in ["n_distinct", "n_distinct_inherited"] {
            if rng.u8(0..10) == 0 {
                let value = ["-0.5", "7", "100"][rng.usize(0..3)];
                options.insert(name.to_owned(), value.to_owned());
            }
        }
        options
    }

    pub(super) fn generated_column(&mut self, table: &mut Table) {
        let number = table
            .columns
            .iter()
            .find(|one| one.data_type.name == "integer" && !one.data_type.array);
        let Some(number) = number
            .map(|column| ident(&column.name))
            .filter(|_| self.chance(60))
        else {
            return;
        };
        let expression = match self.rng.bool() {
            true => format!("{number} + 1"),
            false => self.call(&number),
        };
        table.columns.push(Column {
            name: self.name("made"),
            data_type: Type::named("integer"),
            generated: Some(Generated {
                expression: expression.into(),
                kind: GeneratedKind::Stored,
            }),
            ..Column::default()
        });
    }

    fn primary_key(&mut self, table: &mut Table) {
        let keys = table
            .columns
            .iter()
            .filter(|column| column.not_null)
            .take(2);
        let keys: Vec<String> = keys.map(|column| column.name.clone()).collect();
        let many = self.rng.usize(1..=keys.len());
        let rest = table.columns.last().unwrap().name.clone();
        let include = self.chance(15) && !keys.contains(&rest);
        table.primary_key = Some(PrimaryKey {
            name: self.name("pkey"),
            columns: keys[..many].to_vec(),
            include: if include { vec![rest] } else { Vec::new() },
            options: self.fillfactor(),
            comment: self.comment(),
            ..PrimaryKey::default()
        });
    }

    pub(super) fn constraints(&mut self, table: &mut Table) {
        for _ in 0..self.rng.usize(0..3) {
            let column = self.some_column(table);
            let unique = Unique {
                columns: vec![column],
                nulls_not_distinct: self.server.version >= 150_000 && self.chance(40),
                deferral: self.deferral(),
                options: self.fillfactor(),
                comment: self.comment(),
                ..Unique::default()
            };
            let name = self.name("key");
            table.uniques.insert(name, unique);
        }
        let range = table
            .columns
            .iter()
            .find(|column| column.data_type.name == "int4range");
        if let Some(range) = range.map(|column| column.name.clone()) {
            let exclusion = Exclusion {
                method: "gist".to_owned(),
                elements: vec![ExclusionElement {
                    key: IndexKey::column(range.clone()),
                    operator: ObjectName::new("pg_catalog", "&&"),
                }],
                predicate: self
                    .chance(50)
                    .then(|| format!("NOT isempty({})", ident(&range)).into()),
                deferral: self.deferral(),
                comment: self.comment(),
                ..Exclusion::default()
            };
            let name = self.name("excl");
            table.exclusions.insert(name, exclusion);
        }
        let first = ident(&table.columns[0].name);
        if self.chance(20) {
            let expression = format!("{} > 0", self.call(&format!("({first})::integer"))).into();
            let check = Check {
                expression,
                ..Check::default()
            };
            let name = self.name("check");
            table.checks.insert(name, check);
        }
    }

    pub(super) fn index(&mut self, table: &mut Table) {
        let column = self.some_column(table);
        let (name, data_type) = {
            let column = table.column(&column).unwrap();
            (column.name.clone(), column.data_type.clone())
        };
        let mut key = IndexKey::column(name.clone());
        let mut index = Index {
            comment: self.comment(),
            options: self.fillfactor(),
            ..Index::default()
        };
        match (data_type.name.as_str(), data_type.array) {
            ("text", false) if self.chance(60) => match self.rng.u8(0..3) {
                0 => key = IndexKey::expression(format!("lower({})", ident(&name))),
                1 => {
                    key.operator_class = Some(OperatorClass {
                        name: ObjectName::new("pg_catalog", "text_pattern_ops"),
                        options: Default::default(),
                    });
                }
                _ => key.collation = Some(ObjectName::new("pg_catalog", "POSIX")),
            },
            ("integer", false) if self.chance(50) => {
                key = IndexKey::expression(format!("{} + 1", ident(&name)));
            }
            ("jsonb", false) | ("integer", true) => index.method = "gin".to_owned(),
            ("uuid", false) => index.method = "hash".to_owned(),
            _ => {}
        }
        if index.method == "gin" {
            index.options = Default::default();
        }
        if index.method == "btree" {
            key.descending = self.rng.bool();
            key.nulls_first = self.rng.bool();
            let another = self.some_column(table);
            if self.chance(30) && another != name {
                index.include = vec![another];
            }
            index.unique = self.chance(20);
            index.nulls_not_distinct =
                index.unique && self.server.version >= 150_000 && self.rng.bool();
        }
        if self.chance(30) {
            index.predicate = Some(format!("{} IS NOT NULL", ident(&name)).into());
        }
        index.keys = vec![key];
        let name = self.name("idx");
        table.indexes.insert(name, index);
    }

    pub(super) fn triggers(&mut self, name: &ObjectName, table: &mut Table) {
        if !self.chance(40) {
            return;
        }
        let (trigger, function) = (self.name("trg"), self.trigger_function());
        let column = ident(&table.columns[0].name);
        let run = format!("{}.{}()", ident(&function.namespace), ident(&function.name));
        let states = [
            TriggerState::Disabled,
            TriggerState::Replica,
            TriggerState::Always,
        ];
        let state = self.rng.choice(states).unwrap();
        let definition = format!(
            "CREATE TRIGGER {} BEFORE UPDATE OF {column} ON {} FOR EACH ROW \
             WHEN ((old.{column} IS DISTINCT FROM new.{column})) EXECUTE FUNCTION {run}",
            ident(&trigger),
            qualified(name)
        );
        let built = Trigger {
            definition: definition.into(),
            function: Some(function),
            state: if self.rng.bool() {
                state
            } else {
                TriggerState::Enabled
            },
            inherited: false,
            comment: self.comment(),
        };
        table.triggers.insert(trigger, built);
    }

    pub(super) fn policies(&mut self, table: &mut Table) {
        if !self.chance(40) {
            return;
        }
        table.row_security = RowSecurity {
            enabled: self.rng.bool(),
            forced: self.rng.bool(),
        };
        let condition: Expression = format!("{} > 0", ident(&table.columns[0].name)).into();
        let command = self.rng.choice(COMMANDS).unwrap();
        let (reads, writes) = match command {
            PolicyCommand::Select | PolicyCommand::Delete => (true, false),
            PolicyCommand::Insert => (false, true),
            PolicyCommand::All | PolicyCommand::Update => (true, true),
        };
        let policy = Policy {
            permissive: self.rng.bool(),
            command,
            roles: if self.rng.bool() {
                vec![self.server.role.clone()]
            } else {
                Vec::new()
            },
            using: reads.then(|| condition.clone()),
            check: writes.then_some(condition),
            comment: self.comment(),
        };
        let name = self.name("policy");
        table.policies.insert(name, policy);
    }

    pub(super) fn some_column(&mut self, table: &Table) -> String {
        let names: Vec<&String> = table.columns.iter().map(|column| &column.name).collect();
        self.rng.choice(names).unwrap().clone()
    }

    pub(super) fn deferral(&mut self) -> Deferral {
        let all = [
            Deferral::NotDeferrable,
            Deferral::InitiallyImmediate,
            Deferral::InitiallyDeferred,
        ];
        self.rng.choice(all).unwrap()
    }

    pub(super) fn fillfactor(&mut self) -> std::collections::BTreeMap<String, String> {
        let option = ("fillfactor".to_owned(), "80".to_owned());
        if self.chance(20) {
            [option].into()
        } else {
            Default::default()
        }
    }
}

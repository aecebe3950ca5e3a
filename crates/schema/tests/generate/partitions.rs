use underpin::schema::{
    Bound, Check, Column, Expression, ForeignKey, Index, IndexKey, KeyTarget, ObjectName,
    OperatorClass, PartitionBy, PartitionKey, PartitionOf, PartitionStrategy, PrimaryKey, Table,
    Trigger, Type,
};

use super::names::qualified;
use super::references::{inherited_check, inherited_column};
use super::{Generator, ident};

impl Generator {
    /// A table split by range, and its parts again by list; one by hash; one by an expression.
    pub(super) fn partitioned(&mut self) {
        self.by_range_and_list();
        self.by_hash();
        self.by_expression();
    }

    fn by_range_and_list(&mut self) {
        let root = self.object_name("events");
        let mut table = self.plain_partitioned(PartitionStrategy::Range, "at");
        let [at, kind] = [1, 2].map(|place| table.columns[place].name.clone());
        table.primary_key = Some(PrimaryKey {
            name: self.name("pkey"),
            columns: table
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
            ..PrimaryKey::default()
        });
        let check = Check {
            expression: format!("{} <> 'x'::text", ident(&kind)).into(),
            ..Check::default()
        };
        let name = self.name("check");
        table.checks.insert(name, check);
        let index = Index {
            keys: vec![IndexKey::column(at)],
            ..Index::default()
        };
        let name = self.name("idx");
        table.indexes.insert(name, index);
        self.reference(&mut table);
        self.triggers(&root, &mut table);
        let (first, last) = (
            bound("FROM ('2020-01-01') TO ('2021-01-01')"),
            Bound::Default,
        );
        let mut middle = self.partition(&root, &table, first);
        middle.1.partition_by = Some(PartitionBy {
            strategy: PartitionStrategy::List,
            keys: vec![column_key(&kind)],
        });
        let leaf = self.partition(&middle.0, &middle.1, bound("IN ('it''s', 'b')"));
        let other = self.partition(&root, &table, last);
        for (name, table) in [(root, table), middle, leaf, other] {
            self.add_table(name, table);
        }
    }

    fn by_hash(&mut self) {
        let root = self.object_name("hashed");
        let mut table = self.plain_partitioned(PartitionStrategy::Hash, "key");
        if let Some(by) = &mut table.partition_by {
            let mut key = column_key(&table.columns[2].name);
            key.operator_class = Some(OperatorClass {
                name: ObjectName::new("pg_catalog", "text_pattern_ops"),
                options: Default::default(),
            });
            by.keys.push(key);
        }
        let part = self.partition(&root, &table, bound("WITH (modulus 2, remainder 0)"));
        let index = Index {
            keys: vec![IndexKey::column(table.columns[0].name.clone())],
            valid: false,
            ..Index::default()
        };
        let name = self.name("idx");
        table.indexes.insert(name, index);
        self.add_table(root, table);
        self.add_table(part.0, part.1);
    }

    fn by_expression(&mut self) {
        let root = self.object_name("listed");
        let mut table = self.plain_partitioned(PartitionStrategy::List, "key");
        let text = Expression(format!("lower({})", ident(&table.columns[2].name)));
        if let Some(by) = &mut table.partition_by {
            by.keys = vec![PartitionKey {
                target: KeyTarget::Expression(text),
                collation: Some(ObjectName::new("pg_catalog", "C")),
                operator_class: None,
            }];
        }
        let part = self.partition(&root, &table, bound("IN ('a', NULL)"));
        self.add_table(root, table);
        self.add_table(part.0, part.1);
    }

    /// A number, a day and a text, split by the day.
    fn plain_partitioned(&mut self, strategy: PartitionStrategy, stem: &str) -> Table {
        let columns = [("id", "bigint"), (stem, "date"), ("kind", "text")];
        let columns = columns.map(|(stem, name)| Column {
            name: self.name(stem),
            data_type: Type::named(name),
            not_null: true,
            comment: self.comment(),
            ..Column::default()
        });
        let keys = vec![column_key(&columns[1].name)];
        Table {
            columns: columns.into(),
            partition_by: Some(PartitionBy { strategy, keys }),
            comment: self.comment(),
            ..Table::default()
        }
    }

    fn reference(&mut self, table: &mut Table) {
        let target = self.schema.tables.iter().find(|(_, of)| {
            let one = |key: &PrimaryKey| key.columns.len() == 1;
            of.primary_key.as_ref().is_some_and(one)
                && of.persistence == table.persistence
                && of
                    .column(&of.primary_key.as_ref().unwrap().columns[0])
                    .unwrap()
                    .data_type
                    .name
                    == "bigint"
        });
        let Some((references, of)) = target else {
            return;
        };
        let key = ForeignKey {
            columns: vec![table.columns[0].name.clone()],
            references: references.clone(),
            referenced_columns: of.primary_key.as_ref().unwrap().columns.clone(),
            ..ForeignKey::default()
        };
        let name = self.name("fkey");
        table.foreign_keys.insert(name, key);
    }

    /// A partition: everything that its parent gives it, under names of its own.
    fn partition(&mut self, parent: &ObjectName, of: &Table, bound: Bound) -> (ObjectName, Table) {
        let name = ObjectName::new(parent.namespace.clone(), self.name("part"));
        let mut table = Table {
            columns: of.columns.iter().map(inherited_column).collect(),
            partition_of: Some(PartitionOf {
                parent: parent.clone(),
                bound,
            }),
            comment: self.comment(),
            ..Table::default()
        };
        if self.rng.bool() {
            table.columns.reverse();
        }
        table.primary_key = of.primary_key.as_ref().map(|key| PrimaryKey {
            name: self.name("pkey"),
            parent: Some(parent.sibling(key.name.clone())),
            comment: None,
            ..key.clone()
        });
        let checks = of.checks.iter();
        table.checks = checks
            .map(|(name, check)| (name.clone(), inherited_check(check)))
            .collect();
        for (above, index) in &of.indexes {
            let index = Index {
                parent: Some(parent.sibling(above.clone())),
                comment: None,
                ..index.clone()
            };
            let name = self.name("idx");
            table.indexes.insert(name, index);
        }
        for (above, key) in &of.foreign_keys {
            let key = ForeignKey {
                inherited: true,
                comment: None,
                ..key.clone()
            };
            let name = if self.rng.bool() {
                above.clone()
            } else {
                self.name("fkey")
            };
            table.foreign_keys.insert(name, key);
        }
        for (above, trigger) in &of.triggers {
            let definition = trigger.definition.as_str();
            let definition = definition.replace(&qualified(parent), &qualified(&name));
            let trigger = Trigger {
                definition: definition.into(),
                inherited: true,
                comment: None,
                ..trigger.clone()
            };
            table.triggers.insert(above.clone(), trigger);
        }
        (name, table)
    }
}

fn column_key(name: &str) -> PartitionKey {
    PartitionKey {
        target: KeyTarget::Column(name.to_owned()),
        collation: None,
        operator_class: None,
    }
}

fn bound(values: &str) -> Bound {
    Bound::Values(format!("FOR VALUES {values}").into())
}

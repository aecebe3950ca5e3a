use std::collections::BTreeSet;

use underpin::schema::{
    Action, Check, Deferral, ForeignKey, KeyOrder, Match, ObjectName, Table, Unique,
    constraint_name,
};

use super::Generator;
use super::names::ident;
use super::tables::plain_columns;

const ACTIONS: [Action; 5] = [
    Action::NoAction,
    Action::Restrict,
    Action::Cascade,
    Action::SetNull,
    Action::SetDefault,
];

impl Generator {
    pub(super) fn constraints(&mut self, name: &ObjectName, table: &mut Table) {
        for _ in 0..self.rng.usize(0..3) {
            self.unique(name, table);
        }
        for _ in 0..self.rng.usize(0..4) {
            self.check(name, table);
        }
    }

    pub(super) fn unique(&mut self, name: &ObjectName, table: &mut Table) {
        let mut columns = plain_columns(table);
        self.rng.shuffle(&mut columns);
        let many = self.rng.usize(1..3);
        columns.truncate(many);
        let mut unique = Unique {
            conflict: self.conflict(),
            comment: self.comment(),
            ..Unique::default()
        };
        let own = &table.column(&columns[0]).unwrap().collation;
        if self.chance(30) && own.is_none() {
            let order = KeyOrder {
                collation: Some(ObjectName::new("main", "NOCASE")),
                descending: self.chance(50),
            };
            unique.orders.insert(columns[0].clone(), order);
        }
        let name = self.constraint(name, table, &columns, "key");
        unique.columns = columns;
        // Of two that are alike, SQLite takes none that goes on otherwise than the other one.
        let same = |columns: &Vec<String>| *columns == unique.columns;
        let keys = table.primary_key.iter().map(|key| &key.columns);
        let others = table.uniques.values().map(|unique| &unique.columns);
        if !keys.chain(others).any(same) {
            table.uniques.insert(name, unique);
        }
    }

    pub(super) fn check(&mut self, name: &ObjectName, table: &mut Table) {
        let mut columns = plain_columns(table);
        self.rng.shuffle(&mut columns);
        let [one, other] = [0, columns.len() - 1].map(|at| ident(&columns[at]));
        let (expression, many) = match self.rng.u8(0..5) {
            0 => (format!("{one} IS NULL OR {one} <> 'bad'"), 1),
            1 => (format!("length({one}) < 100"), 1),
            2 => (format!("{one} IS NOT NULL OR {other} IS NULL"), 2),
            3 => (
                format!("{one} NOT IN (99, -1) AND (typeof({one}) <> 'x') = 1"),
                1,
            ),
            _ => ("1 = 1".to_owned(), 0),
        };
        let many = many.min(columns.len());
        let named: &[String] = if many == 1 { &columns[..1] } else { &[] };
        let name = self.constraint(name, table, named, "check");
        let check = Check {
            expression: expression.into(),
            comment: self.comment(),
            ..Check::default()
        };
        table.checks.insert(name, check);
    }

    /// A foreign key to the primary key of some table, of new columns or of the key itself.
    pub(super) fn foreign_key(&mut self) {
        let (child, parent) = (self.some_table(), self.some_table());
        let Some(key) = self.schema.tables[&parent].primary_key.clone() else {
            return;
        };
        // What it refers to must be unique as its columns compare.
        if key.orders.values().any(|order| order.collation.is_some()) {
            return;
        }
        let mut columns = Vec::new();
        for name in &key.columns {
            let data_type = self.schema.tables[&parent]
                .column(name)
                .unwrap()
                .data_type
                .clone();
            let mut column = self.column(&self.schema.tables[&child].clone());
            (column.default, column.collation) = (None, None);
            column.data_type = data_type;
            columns.push(column.name.clone());
            let table = self.schema.tables.get_mut(&child).unwrap();
            table.columns.push(column);
        }
        let deferral = [
            Deferral::NotDeferrable,
            Deferral::InitiallyImmediate,
            Deferral::InitiallyDeferred,
        ];
        let foreign = ForeignKey {
            references: parent,
            referenced_columns: key.columns,
            on_update: self.rng.choice(ACTIONS).unwrap(),
            on_delete: self.rng.choice(ACTIONS).unwrap(),
            matching: if self.chance(20) {
                Match::Full
            } else {
                Match::Simple
            },
            deferral: self.rng.choice(deferral).unwrap(),
            comment: self.comment(),
            columns,
            ..ForeignKey::default()
        };
        let table = self.schema.tables[&child].clone();
        let name = self.constraint(&child, &table, &foreign.columns, "fkey");
        let table = self.schema.tables.get_mut(&child).unwrap();
        table.foreign_keys.insert(name, foreign);
    }

    /// The name that a constraint gets by itself, or another.
    fn constraint(
        &mut self,
        name: &ObjectName,
        table: &Table,
        columns: &[String],
        label: &str,
    ) -> String {
        let keys = table.primary_key.iter().map(|key| &key.name);
        let taken: BTreeSet<String> = keys
            .chain(table.uniques.keys())
            .chain(table.checks.keys())
            .chain(table.foreign_keys.keys())
            .cloned()
            .collect();
        match self.chance(60) {
            true => constraint_name(&name.name, columns, label, &taken),
            false => self.name(label),
        }
    }
}

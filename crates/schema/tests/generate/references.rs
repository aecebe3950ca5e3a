use underpin::schema::{Action, Check, Column, ForeignKey, Match, ObjectName, Table};

use super::Generator;

impl Generator {
    /// A foreign key from any table to any, itself too, over columns of its own.
    pub(super) fn foreign_key(&mut self) {
        let own = self
            .schema
            .tables
            .iter()
            .filter(|(_, table)| table.partition_of.is_none());
        let own =
            own.filter(|(_, table)| table.inherits.is_empty() && table.partition_by.is_none());
        let own: Vec<ObjectName> = own.map(|(name, _)| name.clone()).collect();
        let keyed = self
            .schema
            .tables
            .iter()
            .filter(|(_, table)| table.primary_key.is_some());
        let keyed: Vec<ObjectName> = keyed.map(|(name, _)| name.clone()).collect();
        let (Some(from), Some(to)) = (self.rng.choice(own), self.rng.choice(keyed)) else {
            return;
        };
        let permanent = underpin::schema::Persistence::Permanent;
        let target = &self.schema.tables[&to];
        if self.schema.tables[&from].persistence == permanent && target.persistence != permanent {
            return;
        }
        let referenced_columns = target.primary_key.as_ref().unwrap().columns.clone();
        let types = referenced_columns
            .iter()
            .map(|name| target.column(name).unwrap());
        let types: Vec<_> = types
            .map(|column| (column.data_type.clone(), column.collation.clone()))
            .collect();
        let mut columns = Vec::new();
        for (data_type, collation) in types {
            let name = self.name("ref");
            columns.push(name.clone());
            let column = Column {
                name,
                data_type,
                collation,
                ..Column::default()
            };
            self.schema
                .tables
                .get_mut(&from)
                .unwrap()
                .columns
                .push(column);
        }
        let actions = [
            Action::NoAction,
            Action::Restrict,
            Action::Cascade,
            Action::SetNull,
            Action::SetDefault,
        ];
        let on_delete = self.rng.choice(actions).unwrap();
        let some =
            on_delete == Action::SetNull && self.server.version >= 150_000 && self.rng.bool();
        let key = ForeignKey {
            on_delete_columns: if some {
                columns[..1].to_vec()
            } else {
                Vec::new()
            },
            columns,
            references: to,
            referenced_columns,
            on_update: self.rng.choice(actions).unwrap(),
            on_delete,
            matching: self.rng.choice([Match::Simple, Match::Full]).unwrap(),
            deferral: self.deferral(),
            not_valid: self.chance(20),
            comment: self.comment(),
            ..ForeignKey::default()
        };
        let name = self.name("fkey");
        let table = self.schema.tables.get_mut(&from).unwrap();
        table.foreign_keys.insert(name, key);
    }

    /// A table that inherits from another, with a column of its own and a default changed.
    pub(super) fn inheritance(&mut self) {
        let parents = self.schema.tables.iter().filter(|(_, table)| {
            let made = |column: &Column| column.generated.is_some() || column.identity.is_some();
            let split = table.partition_by.is_some() || table.partition_of.is_some();
            !split && !table.columns.iter().any(made)
        });
        let parents: Vec<ObjectName> = parents.map(|(name, _)| name.clone()).collect();
        let Some(parent) = self.rng.choice(parents) else {
            return;
        };
        let above = self.schema.tables[&parent].clone();
        let mut table = Table {
            inherits: vec![parent],
            persistence: above.persistence,
            comment: self.comment(),
            ..Table::default()
        };
        table.columns = above.columns.iter().map(inherited_column).collect();
        if let Some(column) = table
            .columns
            .iter_mut()
            .find(|one| one.data_type.name == "integer" && !one.data_type.array)
        {
            column.default = Some("9".into());
        }
        let checks = above.checks.iter().filter(|(_, check)| !check.no_inherit);
        table.checks = checks
            .map(|(name, check)| (name.clone(), inherited_check(check)))
            .collect();
        self.column(&mut table);
        let name = self.object_name("child");
        self.add_table(name, table);
    }
}

pub(super) fn inherited_column(column: &Column) -> Column {
    Column {
        inherited: true,
        options: Default::default(),
        comment: None,
        ..column.clone()
    }
}

pub(super) fn inherited_check(check: &Check) -> Check {
    Check {
        inherited: true,
        comment: None,
        ..check.clone()
    }
}

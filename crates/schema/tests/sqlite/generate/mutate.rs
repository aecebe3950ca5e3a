//! A schema like another one, and the renames that lead to it.

use underpin::schema::{
    Conflict, Expression, Hints, Index, KeyTarget, ObjectName, ObjectRef, Rename, Schema, Table,
};

use super::Generator;
use super::names::{ident, quoted};
use super::tables::plain_columns;

/// A schema like the one given, with some changes of every kind.
pub(crate) fn mutated(seed: u64, schema: &Schema) -> (Schema, Hints) {
    let mut generator = Generator::new(seed);
    generator.names = 1000;
    generator.schema = schema.clone();
    let mut hints = Hints::default();
    for _ in 0..generator.rng.usize(1..7) {
        generator.mutate(&mut hints);
    }
    (generator.schema, hints)
}

impl Generator {
    fn mutate(&mut self, hints: &mut Hints) {
        match self.rng.u8(0..22) {
            0 => self.table(),
            1 => self.drop_table(),
            2 => self.rename_table(hints),
            3 | 4 => self.rename_column(hints),
            5 => self.foreign_key(),
            6 => self.views(),
            7 => self.drop_view(),
            8..=10 => self.with_table(Generator::change_column),
            11 | 12 => self.with_table(Generator::drop_column),
            13 | 14 => self.with_table(|generator, _, table| {
                let mut column = generator.column(table);
                column.not_null &= column.default.is_some() || generator.chance(30);
                if !column.not_null {
                    column.not_null_conflict = Conflict::Abort;
                }
                table.columns.push(column);
            }),
            15 => self.with_table(|generator, _, table| generator.generated_column(table)),
            16 => self.with_table(Generator::check),
            17 => self.with_table(Generator::unique),
            18 => self.with_table(|generator, _, table| generator.index(table)),
            19 => self.with_table(Generator::trigger),
            20 => self.with_table(|generator, _, table| table.comment = generator.comment()),
            _ => self.with_table(Generator::drop_part),
        }
    }

    fn with_table(&mut self, change: impl FnOnce(&mut Generator, &ObjectName, &mut Table)) {
        if self.schema.tables.is_empty() {
            return;
        }
        let name = self.some_table();
        let mut table = self.schema.tables.remove(&name).unwrap();
        change(self, &name, &mut table);
        self.schema.tables.insert(name, table);
    }

    fn drop_table(&mut self) {
        if self.schema.tables.len() < 2 {
            return;
        }
        let name = self.some_table();
        self.schema.tables.remove(&name);
        for table in self.schema.tables.values_mut() {
            table.foreign_keys.retain(|_, key| key.references != name);
        }
        self.drop_views_of(ObjectRef::Table(name));
    }

    fn drop_view(&mut self) {
        let names: Vec<ObjectName> = self.schema.views.keys().cloned().collect();
        if let Some(name) = self.rng.choice(names) {
            self.schema.views.remove(&name);
            self.drop_views_of(ObjectRef::View(name));
        }
    }

    /// Drops the views that are of this, and those of them.
    fn drop_views_of(&mut self, of: ObjectRef) {
        let views = self.schema.views.iter();
        let over = views.filter(|(_, view)| view.depends_on.contains(&of));
        let over: Vec<ObjectName> = over.map(|(name, _)| name.clone()).collect();
        for name in over {
            self.schema.views.remove(&name);
            self.drop_views_of(ObjectRef::View(name));
        }
    }

    fn drop_part(&mut self, _: &ObjectName, table: &mut Table) {
        match self.rng.u8(0..5) {
            0 => drop(table.checks.pop_first()),
            1 => drop(table.uniques.pop_first()),
            2 => drop(table.indexes.pop_first()),
            3 => drop(table.triggers.pop_first()),
            _ => drop(table.foreign_keys.pop_first()),
        }
    }

    /// Another type, default, collation, comment; whether it may be NULL, and what then.
    fn change_column(&mut self, _: &ObjectName, table: &mut Table) {
        let mut columns = plain_columns(table);
        let keys = table.primary_key.iter().flat_map(|key| &key.columns);
        let keys = keys.chain(table.foreign_keys.values().flat_map(|key| &key.columns));
        let keys: Vec<String> = keys.cloned().collect();
        columns.retain(|name| !keys.contains(name));
        let Some(name) = self.rng.choice(columns) else {
            return;
        };
        let other = self.column(table);
        let ordered = table
            .uniques
            .values()
            .any(|one| one.orders.contains_key(&name));
        let indexed = table.indexes.values().flat_map(|index| &index.keys);
        let indexed = indexed.filter(|key| key.collation.is_some()).count() > 0;
        let column = table
            .columns
            .iter_mut()
            .find(|one| one.name == name)
            .unwrap();
        match self.rng.u8(0..5) {
            0 => column.data_type = other.data_type,
            1 if other
                .default
                .as_ref()
                .is_none_or(|text| text.as_str() != "NULL") =>
            {
                column.default = other.default;
            }
            2 if !ordered && !indexed => column.collation = other.collation,
            3 => column.comment = other.comment,
            _ => {
                let null = column
                    .default
                    .as_ref()
                    .is_some_and(|text| text.as_str() == "NULL");
                column.not_null = other.not_null && !null;
                let conflict = other.not_null_conflict;
                column.not_null_conflict = if column.not_null {
                    conflict
                } else {
                    Default::default()
                };
            }
        }
    }

    fn drop_column(&mut self, name: &ObjectName, table: &mut Table) {
        let mut columns = plain_columns(table);
        let keys = table.primary_key.iter().flat_map(|key| &key.columns);
        let keys: Vec<&String> = keys.collect();
        columns.retain(|name| !keys.contains(&name));
        if columns.len() < 2 {
            return;
        }
        let column = self.rng.choice(columns).unwrap();
        let named = |text: &Expression| mentions(text, &column);
        table
            .uniques
            .retain(|_, unique| !unique.columns.contains(&column));
        table
            .foreign_keys
            .retain(|_, key| !key.columns.contains(&column));
        table.checks.retain(|_, check| !named(&check.expression));
        table
            .triggers
            .retain(|_, trigger| !mentions(&trigger.definition, &column));
        let of_index = |index: &Index| {
            index.predicate.as_ref().is_some_and(named)
                || index.keys.iter().any(|key| match &key.target {
                    KeyTarget::Column(name) => *name == column,
                    KeyTarget::Expression(text) => named(text),
                })
        };
        table.indexes.retain(|_, index| !of_index(index));
        table.columns.retain(|one| {
            one.name != column
                && !one
                    .generated
                    .as_ref()
                    .is_some_and(|of| named(&of.expression))
        });
        self.drop_views_of(ObjectRef::Table(name.clone()));
    }

    fn rename_table(&mut self, hints: &mut Hints) {
        let old = self.some_table();
        let new = self.main("moved");
        let taken = |rename: &Rename| match rename {
            Rename::Table { to, .. } => *to == old,
            Rename::Column { table, .. } => *table == old,
            Rename::Label { .. } | Rename::Sequence { .. } => false,
        };
        if hints.renames.iter().any(taken) {
            return;
        }
        let mut table = self.schema.tables.remove(&old).unwrap();
        each_name(&mut table, &|name| follow(&old.name, &new.name, name));
        self.schema.tables.insert(new.clone(), table);
        for table in self.schema.tables.values_mut() {
            for key in table
                .foreign_keys
                .values_mut()
                .filter(|key| key.references == old)
            {
                key.references = new.clone();
            }
        }
        self.rename_in_texts(&old.name, &new.name);
        let (from, to) = (ObjectRef::Table(old.clone()), ObjectRef::Table(new.clone()));
        for view in self.schema.views.values_mut() {
            if view.depends_on.remove(&from) {
                view.depends_on.insert(to.clone());
            }
        }
        hints.renames.push(Rename::Table { from: old, to: new });
    }

    fn rename_column(&mut self, hints: &mut Hints) {
        let table = self.some_table();
        let of = &self.schema.tables[&table];
        let columns: Vec<String> = of.columns.iter().map(|one| one.name.clone()).collect();
        let old = self.rng.choice(columns).unwrap();
        // What was made or renamed just now has no old name.
        let number = old.chars().filter(char::is_ascii_digit).collect::<String>();
        if number.parse::<usize>().is_ok_and(|number| number >= 1000) {
            return;
        }
        let new = self.name("Called");
        for (name, of) in &mut self.schema.tables {
            for key in of.foreign_keys.values_mut() {
                if key.references == table {
                    let columns = key.referenced_columns.iter_mut();
                    columns
                        .filter(|one| **one == old)
                        .for_each(|one| one.clone_from(&new));
                }
            }
            if *name == table {
                rename_in_table(of, &old, &new);
            }
        }
        self.rename_in_texts(&old, &new);
        let (from, to) = (old, new);
        hints.renames.push(Rename::Column { table, from, to });
    }

    fn rename_in_texts(&mut self, old: &str, new: &str) {
        let replace = |text: &mut Expression| {
            *text = text.as_str().replace(&quoted(old), &quoted(new)).into();
        };
        for table in self.schema.tables.values_mut() {
            for trigger in table.triggers.values_mut() {
                replace(&mut trigger.definition);
            }
        }
        for view in self.schema.views.values_mut() {
            replace(&mut view.definition);
            for trigger in view.triggers.values_mut() {
                replace(&mut trigger.definition);
            }
        }
    }
}

/// The name of a constraint that was called after the table.
fn follow(old: &str, new: &str, name: &str) -> String {
    match name.strip_prefix(old) {
        Some(rest) if rest.starts_with('_') && new.len() + rest.len() < 63 => {
            format!("{new}{rest}")
        }
        _ => name.to_owned(),
    }
}

fn each_name(table: &mut Table, new: &dyn Fn(&str) -> String) {
    if let Some(key) = &mut table.primary_key {
        key.name = new(&key.name);
    }
    fn all<V>(of: &mut std::collections::BTreeMap<String, V>, new: &dyn Fn(&str) -> String) {
        let taken = std::mem::take(of).into_iter();
        *of = taken.map(|(name, one)| (new(&name), one)).collect();
    }
    all(&mut table.uniques, new);
    all(&mut table.checks, new);
    all(&mut table.foreign_keys, new);
}

fn rename_in_table(table: &mut Table, old: &str, new: &str) {
    let text = |text: &mut Expression| *text = replaced(text.as_str(), old, new).into();
    let list = |columns: &mut Vec<String>| {
        let columns = columns.iter_mut().filter(|one| **one == old);
        columns.for_each(|one| new.clone_into(one));
    };
    for column in &mut table.columns {
        if column.name == old {
            new.clone_into(&mut column.name);
        }
        if let Some(generated) = &mut column.generated {
            text(&mut generated.expression);
        }
    }
    let orders = |of: &mut std::collections::BTreeMap<String, _>| {
        if let Some(order) = of.remove(old) {
            of.insert(new.to_owned(), order);
        }
    };
    if let Some(key) = &mut table.primary_key {
        list(&mut key.columns);
        orders(&mut key.orders);
    }
    for unique in table.uniques.values_mut() {
        list(&mut unique.columns);
        orders(&mut unique.orders);
    }
    for key in table.foreign_keys.values_mut() {
        list(&mut key.columns);
    }
    for check in table.checks.values_mut() {
        text(&mut check.expression);
    }
    for index in table.indexes.values_mut() {
        index.predicate.iter_mut().for_each(text);
        for key in &mut index.keys {
            match &mut key.target {
                KeyTarget::Column(name) if name == old => new.clone_into(name),
                KeyTarget::Column(_) => {}
                KeyTarget::Expression(of) => text(of),
            }
        }
    }
}

fn mentions(text: &Expression, name: &str) -> bool {
    replaced(text.as_str(), name, "?") != text.as_str() || text.as_str().contains(&quoted(name))
}

/// The text with another name for a column.
fn replaced(text: &str, old: &str, new: &str) -> String {
    let (old, new) = (ident(old), ident(new));
    if old.starts_with('"') {
        return text.replace(&old, &new);
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        let inside = before.chars().chain(out.chars().rev()).next_back();
        let begins = before
            .chars()
            .next_back()
            .or(inside)
            .is_none_or(|c| !word(c));
        let ends = after.chars().next().is_none_or(|c| !word(c));
        out.push_str(before);
        out.push_str(if begins && ends { &new } else { &old });
        rest = after;
    }
    out + rest
}

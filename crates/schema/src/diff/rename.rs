//! A schema in which things have other names.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hints, Rename};
use crate::object_name::plain;
use crate::{
    AccessOn, ColumnRef, DefinedKind, DefinedName, Expression, KeyOrder, KeyTarget, NotNull,
    ObjectName, ObjectRef, Schema, Setting, Table, Type, sql_token,
};

/// The hints that apply: the first schema has the old name and not the new one, the second the
/// new one and not the old one.
pub(super) fn applicable(from: &Schema, to: &Schema, hints: &Hints) -> Vec<Rename> {
    let tables = |rename: &&Rename| match rename {
        Rename::Table { from: old, to: new } => {
            // Two can take one another's names.
            let leaves = |name: &ObjectName| {
                let mut all = hints.renames.iter();
                all.any(|one| matches!(one, Rename::Table { from, .. } if from == name))
            };
            let comes = |name: &ObjectName| {
                let mut all = hints.renames.iter();
                all.any(|one| matches!(one, Rename::Table { to, .. } if to == name))
            };
            let done = [old, new].iter().all(|name| {
                from.tables.contains_key(*name) && from.tables.get(*name) == to.tables.get(*name)
            });
            let was = old.namespace == new.namespace
                && !done
                && from.tables.contains_key(old)
                && (!from.tables.contains_key(new) || leaves(new));
            was && to.tables.contains_key(new) && (!to.tables.contains_key(old) || comes(old))
        }
        _ => false,
    };
    let mut renames: Vec<Rename> = Vec::new();
    for rename in hints.renames.iter().filter(tables) {
        let Rename::Table { from: old, to: new } = rename else {
            continue;
        };
        let taken = |other: &Rename| match other {
            Rename::Table { from, to } => from == old || to == new,
            _ => false,
        };
        if !renames.iter().any(taken) {
            renames.push(rename.clone());
        }
    }
    let old_table = |new: &ObjectName| {
        let renamed = renames.iter().find_map(|rename| match rename {
            Rename::Table { from, to } if to == new => Some(from.clone()),
            _ => None,
        });
        renamed.unwrap_or_else(|| new.clone())
    };
    let others = hints.renames.iter().filter(|rename| match rename {
        Rename::Table { .. } | Rename::Sequence { .. } => false,
        Rename::Column {
            table,
            from: old,
            to: new,
        } => {
            let sides = (from.tables.get(&old_table(table)), to.tables.get(table));
            let (Some(left), Some(right)) = sides else {
                return false;
            };
            let crosses = |name: &str, leaves: bool| {
                let mut all = hints.renames.iter();
                all.any(|one| match one {
                    Rename::Column {
                        table: of,
                        from,
                        to,
                    } => of == table && (if leaves { from } else { to }) == name,
                    _ => false,
                })
            };
            let done = [old, new]
                .iter()
                .all(|name| left.column(name).is_some() && left.column(name) == right.column(name));
            !done
                && left.column(old).is_some_and(|column| !column.inherited)
                && (left.column(new).is_none() || crosses(new, true))
                && right.column(new).is_some()
                && (right.column(old).is_none() || crosses(old, false))
        }
        Rename::Label {
            name,
            from: old,
            to: new,
        } => {
            let (Some(left), Some(right)) = (from.enums.get(name), to.enums.get(name)) else {
                return false;
            };
            left.labels.contains(old)
                && !left.labels.contains(new)
                && right.labels.contains(new)
                && !right.labels.contains(old)
        }
    });
    let others: Vec<Rename> = others.cloned().collect();
    renames.extend(others);
    sequences(from, to, hints, &mut renames);
    renames
}

/// The sequences that hints rename, and those whose column owns one of another name: they go on
/// counting.
fn sequences(from: &Schema, to: &Schema, hints: &Hints, renames: &mut Vec<Rename>) {
    let mut names = Names::of(renames);
    names.of_children(from);
    let free = |old: &ObjectName, new: &ObjectName| {
        old.namespace == new.namespace
            && from.sequences.contains_key(old)
            && !from.sequences.contains_key(new)
            && to.sequences.contains_key(new)
            && !to.sequences.contains_key(old)
    };
    let hinted = hints.renames.iter().filter_map(|rename| match rename {
        Rename::Sequence { from, to } => Some((from.clone(), to.clone())),
        _ => None,
    });
    let owned = from.sequences.iter().filter_map(|(old, sequence)| {
        let owner = names.column_ref(sequence.owned_by.as_ref()?);
        let mut of_owner = to.sequences.iter();
        let of_owner = of_owner
            .by_ref()
            .filter(|(_, one)| one.owned_by.as_ref() == Some(&owner));
        let mut of_owner = of_owner.map(|(name, _)| name);
        let new = of_owner.next().filter(|_| of_owner.next().is_none())?;
        Some((old.clone(), new.clone()))
    });
    let mut found: Vec<(ObjectName, ObjectName)> = Vec::new();
    for (old, new) in hinted.chain(owned) {
        let taken = found.iter().any(|(from, to)| *from == old || *to == new);
        if !taken && free(&old, &new) {
            found.push((old, new));
        }
    }
    renames.extend(
        found
            .into_iter()
            .map(|(from, to)| Rename::Sequence { from, to }),
    );
}

/// The schema after the renames.
pub(crate) fn renamed(schema: &Schema, renames: &[Rename]) -> Schema {
    let mut names = Names::of(renames);
    names.of_children(schema);
    names.of_not_nulls = schema.casts.names_not_null;
    let mut out = schema.clone();
    out.tables = std::mem::take(&mut out.tables)
        .into_iter()
        .map(|(name, table)| names.table(name, table))
        .collect();
    out.sequences = std::mem::take(&mut out.sequences)
        .into_iter()
        .map(|(name, sequence)| (names.sequence(&name), sequence))
        .collect();
    out.settings = std::mem::take(&mut out.settings)
        .into_iter()
        .map(|(setting, value)| (names.setting(&setting), value))
        .collect();
    out.access = std::mem::take(&mut out.access)
        .into_iter()
        .map(|(on, access)| (names.access_on(&on), access))
        .collect();
    for defined in out.defined.values_mut() {
        defined.depends_on = names.references(std::mem::take(&mut defined.depends_on));
        defined.on = defined.on.take().map(|on| names.reference(on));
        for text in &mut defined.definition {
            *text = names.text(text, None);
        }
    }
    out.defined = std::mem::take(&mut out.defined)
        .into_iter()
        .map(|(name, defined)| (names.defined(name), defined))
        .collect();
    for sequence in out.sequences.values_mut() {
        if let Some(owner) = &mut sequence.owned_by {
            *owner = names.column_ref(owner);
        }
    }
    for view in out.views.values_mut() {
        view.depends_on = names.references(std::mem::take(&mut view.depends_on));
        view.definition = names.text(&view.definition, None);
        for trigger in view.triggers.values_mut() {
            trigger.definition = names.text(&trigger.definition, None);
        }
    }
    for view in out.materialized_views.values_mut() {
        view.depends_on = names.references(std::mem::take(&mut view.depends_on));
        view.definition = names.text(&view.definition, None);
    }
    for function in out.functions.values_mut() {
        function.depends_on = names.references(std::mem::take(&mut function.depends_on));
    }
    for rename in renames {
        if let Rename::Label { name, from, to } = rename
            && let Some(of) = out.enums.get_mut(name)
        {
            for label in of.labels.iter_mut().filter(|label| *label == from) {
                label.clone_from(to);
            }
        }
    }
    out
}

/// The new names. Tables have their old ones as keys, columns the new ones of their tables.
#[derive(Default)]
struct Names {
    tables: BTreeMap<ObjectName, ObjectName>,
    columns: BTreeMap<ObjectName, BTreeMap<String, String>>,
    sequences: BTreeMap<ObjectName, ObjectName>,
    /// Whether constraints by which columns refuse NULL have names, which they keep.
    of_not_nulls: bool,
}

impl Names {
    fn of(renames: &[Rename]) -> Self {
        let mut names = Names::default();
        for rename in renames {
            match rename {
                Rename::Table { from, to } => {
                    names.tables.insert(from.clone(), to.clone());
                }
                Rename::Column { table, from, to } => {
                    let columns = names.columns.entry(table.clone()).or_default();
                    columns.insert(from.clone(), to.clone());
                }
                Rename::Sequence { from, to } => {
                    names.sequences.insert(from.clone(), to.clone());
                }
                Rename::Label { .. } => {}
            }
        }
        names
    }

    fn sequence(&self, name: &ObjectName) -> ObjectName {
        self.sequences.get(name).unwrap_or(name).clone()
    }

    fn setting(&self, setting: &Setting) -> Setting {
        let relation = self.renamed(setting.relation());
        let table = relation.clone();
        setting.renamed(
            relation,
            |column| self.column(&table, column),
            str::to_owned,
        )
    }

    fn access_on(&self, on: &AccessOn) -> AccessOn {
        match on {
            AccessOn::Object(object) => AccessOn::Object(self.reference(object.clone())),
            AccessOn::Column(object, column) => {
                let object = self.reference(object.clone());
                let column = match &object {
                    ObjectRef::Table(table) => self.column(table, column),
                    _ => column.clone(),
                };
                AccessOn::Column(object, column)
            }
            AccessOn::Future(_) => on.clone(),
        }
    }

    /// A rule has the name of its table in its own.
    fn defined(&self, mut name: DefinedName) -> DefinedName {
        if name.kind == DefinedKind::Rule {
            let identity = Expression(std::mem::take(&mut name.identity));
            name.identity = self.text(&identity, None).0;
        }
        name
    }

    fn reference(&self, object: ObjectRef) -> ObjectRef {
        match object {
            ObjectRef::Table(name) => ObjectRef::Table(self.renamed(&name)),
            ObjectRef::Sequence(name) => ObjectRef::Sequence(self.sequence(&name)),
            other => other,
        }
    }

    /// The default with the new names of sequences, which stand in it as texts.
    fn of_default(&self, default: &mut Expression) {
        for (from, to) in &self.sequences {
            let [from, to] = [from, to]
                .map(|name| format!("'{}'::regclass", name.to_string().replace('\'', "''")));
            if default.as_str().contains(&from) {
                *default = default.as_str().replace(&from, &to).into();
            }
        }
    }

    /// A column that is renamed is renamed in all tables that have it from there.
    fn of_children(&mut self, schema: &Schema) {
        loop {
            let mut more = Vec::new();
            for (name, table) in &schema.tables {
                let parents = table
                    .inherits
                    .iter()
                    .chain(table.partition_of.iter().map(|of| &of.parent));
                for parent in parents {
                    let Some(columns) = self.columns.get(&self.renamed(parent)) else {
                        continue;
                    };
                    let name = self.renamed(name);
                    let known = self.columns.get(&name);
                    let missing = columns
                        .iter()
                        .filter(|(old, _)| known.is_none_or(|known| !known.contains_key(*old)));
                    more.extend(missing.map(|(old, new)| (name.clone(), old.clone(), new.clone())));
                }
            }
            if more.is_empty() {
                return;
            }
            for (table, old, new) in more {
                self.columns.entry(table).or_default().insert(old, new);
            }
        }
    }

    fn renamed(&self, table: &ObjectName) -> ObjectName {
        self.tables.get(table).unwrap_or(table).clone()
    }

    fn column(&self, table: &ObjectName, column: &str) -> String {
        let columns = self.columns.get(table);
        let new = columns.and_then(|columns| columns.get(column));
        new.map_or_else(|| column.to_owned(), String::clone)
    }

    fn columns(&self, table: &ObjectName, columns: &mut [String]) {
        for column in columns {
            *column = self.column(table, column);
        }
    }

    fn orders(&self, table: &ObjectName, orders: &mut BTreeMap<String, KeyOrder>) {
        let all = std::mem::take(orders).into_iter();
        *orders = all
            .map(|(column, order)| (self.column(table, &column), order))
            .collect();
    }

    fn column_ref(&self, of: &ColumnRef) -> ColumnRef {
        let table = self.renamed(&of.table);
        let column = self.column(&table, &of.column);
        ColumnRef { table, column }
    }

    fn references(
        &self,
        of: impl IntoIterator<Item = ObjectRef>,
    ) -> std::collections::BTreeSet<ObjectRef> {
        of.into_iter().map(|one| self.reference(one)).collect()
    }

    fn data_type(&self, of: &mut Type) {
        if let Some(namespace) = &of.namespace {
            let new = self.renamed(&ObjectName::new(namespace.clone(), of.name.clone()));
            (of.namespace, of.name) = (Some(new.namespace), new.name);
        }
    }

    /// The text with the new names; of a table where its columns can stand alone.
    fn text(&self, text: &Expression, table: Option<&ObjectName>) -> Expression {
        if self.tables.is_empty() && self.columns.is_empty() {
            return text.clone();
        }
        let own = table.and_then(|table| self.columns.get(table));
        let with = |before: Option<&str>, name: &str| {
            if let Some(new) = own.and_then(|columns| columns.get(name)) {
                return Some(new.clone());
            }
            let renamed = self.tables.iter().find(|(old, _)| {
                old.name == name && before.is_none_or(|before| before == old.namespace)
            });
            if let Some((_, new)) = renamed {
                return Some(new.name.clone());
            }
            let of = self.columns.iter().filter(|_| table.is_none());
            let mut of = of.filter(|(table, _)| before.is_none_or(|before| before == table.name));
            of.find_map(|(_, columns)| columns.get(name).cloned())
        };
        sql_token::replaced(text.as_str(), &with, &|name| plain(name).into_owned()).into()
    }

    fn target(&self, target: &mut KeyTarget, table: &ObjectName) {
        match target {
            KeyTarget::Column(column) => *column = self.column(table, column),
            KeyTarget::Expression(text) => *text = self.text(text, Some(table)),
        }
    }

    fn table(&self, name: ObjectName, mut table: Table) -> (ObjectName, Table) {
        let (old, name) = (name.clone(), self.renamed(&name));
        for column in &mut table.columns {
            let old_column = column.name.clone();
            column.name = self.column(&name, &column.name);
            let other = old != name || old_column != column.name;
            let given = column.inherited && table.partition_of.is_none();
            if self.of_not_nulls && other && column.not_null && !given {
                column.not_null_constraint.get_or_insert_with(|| NotNull {
                    name: crate::constraint_name(
                        &old.name,
                        &[old_column],
                        "not_null",
                        &BTreeSet::new(),
                    ),
                    ..NotNull::default()
                });
            }
            self.data_type(&mut column.data_type);
            if let Some(default) = &mut column.default {
                self.of_default(default);
            }
            if let Some(generated) = &mut column.generated {
                generated.expression = self.text(&generated.expression, Some(&name));
            }
        }
        if let Some(key) = &mut table.primary_key {
            self.columns(&name, &mut key.columns);
            self.orders(&name, &mut key.orders);
            self.columns(&name, &mut key.include);
        }
        for unique in table.uniques.values_mut() {
            self.columns(&name, &mut unique.columns);
            self.orders(&name, &mut unique.orders);
            self.columns(&name, &mut unique.include);
        }
        for check in table.checks.values_mut() {
            check.expression = self.text(&check.expression, Some(&name));
        }
        for key in table.foreign_keys.values_mut() {
            self.columns(&name, &mut key.columns);
            self.columns(&name, &mut key.on_delete_columns);
            key.references = self.renamed(&key.references);
            let (references, columns) = (&key.references, &mut key.referenced_columns);
            self.columns(references, columns);
        }
        self.indexes(&name, &mut table);
        self.rest(&name, &mut table);
        (name, table)
    }

    fn indexes(&self, name: &ObjectName, table: &mut Table) {
        for exclusion in table.exclusions.values_mut() {
            for element in &mut exclusion.elements {
                self.target(&mut element.key.target, name);
            }
            self.columns(name, &mut exclusion.include);
            if let Some(predicate) = &mut exclusion.predicate {
                *predicate = self.text(predicate, Some(name));
            }
        }
        for index in table.indexes.values_mut() {
            for key in &mut index.keys {
                self.target(&mut key.target, name);
            }
            self.columns(name, &mut index.include);
            if let Some(predicate) = &mut index.predicate {
                *predicate = self.text(predicate, Some(name));
            }
        }
    }

    fn rest(&self, name: &ObjectName, table: &mut Table) {
        for trigger in table.triggers.values_mut() {
            trigger.definition = self.text(&trigger.definition, Some(name));
        }
        for policy in table.policies.values_mut() {
            for text in [&mut policy.using, &mut policy.check].into_iter().flatten() {
                *text = self.text(text, Some(name));
            }
        }
        if let Some(by) = &mut table.partition_by {
            for key in &mut by.keys {
                self.target(&mut key.target, name);
            }
        }
        if let Some(of) = &mut table.partition_of {
            of.parent = self.renamed(&of.parent);
        }
        for parent in &mut table.inherits {
            *parent = self.renamed(parent);
        }
        table.depends_on = self.references(std::mem::take(&mut table.depends_on));
    }
}

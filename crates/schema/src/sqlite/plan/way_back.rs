//! Whether what a plan takes from a table can be restored.

use std::collections::BTreeSet;

use crate::object_name::plain;
use crate::sqlite::expression::{Scope, columns_in};
use crate::sqlite::token::Tokens;
use crate::{Check, Column, Expression, ForeignKey, KeyTarget, ObjectName, Schema, Table};

/// A table before and after, and all that is there after.
#[derive(Clone, Copy)]
pub(super) struct Ways<'s> {
    pub(super) name: &'s ObjectName,
    pub(super) now: &'s Table,
    pub(super) then: &'s Table,
    pub(super) to: &'s Schema,
}

impl Ways<'_> {
    /// Why the rows that are there after would not fit the table as it was, in a sentence; none
    /// where they do. What the rows have lost comes back as the default of its column.
    pub(super) fn blocked(&self) -> Option<String> {
        let (table, now) = (self.name, self.now);
        let columns = now.columns.iter();
        let lost = columns.filter(|column| column.generated.is_none() && !self.stays(column));
        let lost: Vec<&Column> = lost.collect();
        let filled = |column: &&&Column| column.default.is_some();
        if let Some(column) = lost
            .iter()
            .find(|column| column.not_null && !filled(column))
        {
            let name = plain(&column.name);
            let why = "which refuses NULL";
            return Some(format!(
                "The rows have no value left for {table}.{name}, {why}."
            ));
        }
        if let Some(column) = lost.iter().find(|column| self.is_unique(column)) {
            let name = plain(&column.name);
            let why = "which must be unique";
            return Some(format!(
                "The rows would all have the same {table}.{name}, {why}."
            ));
        }
        for (name, check) in &now.checks {
            if !self.passes(check, &lost) {
                let name = plain(name);
                return Some(format!(
                    "The rows may no longer pass the check {name} of {table}."
                ));
            }
        }
        for (name, key) in &now.foreign_keys {
            let points = lost
                .iter()
                .filter(filled)
                .any(|one| key.columns.contains(&one.name));
            if points || self.has_lost_its_parent(name, key) {
                let name = plain(name);
                let why = "may no longer exist";
                return Some(format!(
                    "The target of the foreign key {name} of {table} {why}."
                ));
            }
        }
        None
    }

    /// Whether the values of a column are there after.
    fn stays(&self, column: &Column) -> bool {
        self.then.column(&column.name).is_some()
    }

    /// Whether rows of the same value in a column can be in the way of one another. Those of
    /// NULL are not, but in a primary key or an expression.
    fn is_unique(&self, column: &Column) -> bool {
        let now = self.now;
        let within = |list: &[String]| list.contains(&column.name);
        let value = column.default.is_some();
        let key = now.primary_key.as_ref();
        let mut uniques = now.uniques.values();
        let mut indexes = now.indexes.values().filter(|index| index.unique);
        key.is_some_and(|key| within(&key.columns))
            || value && uniques.any(|unique| within(&unique.columns))
            || indexes.any(|index| {
                index.keys.iter().any(|key| match &key.target {
                    KeyTarget::Column(name) => value && *name == column.name,
                    KeyTarget::Expression(text) => self.named_in(text).contains(&column.name),
                })
            })
    }

    /// Whether rows that have lost these columns pass a check for certain: it is of one of them
    /// alone, and says nothing of NULL.
    fn passes(&self, check: &Check, lost: &[&Column]) -> bool {
        let named = self.named_in(&check.expression);
        if !lost.iter().any(|column| named.contains(&column.name)) {
            return true;
        }
        let of_null = ["IS", "ISNULL", "NOTNULL", "CASE", "EXISTS"];
        let calls = ["coalesce", "ifnull", "iif", "typeof", "quote"];
        let tokens = Tokens::of(check.expression.as_str());
        let tokens = tokens.map(|of| of.tokens).unwrap_or_default();
        let plain = tokens.iter().all(|token| {
            let mut words = of_null.iter().chain(&calls);
            !words.any(|word| token.is(word))
        });
        named.len() == 1 && plain
    }

    fn has_lost_its_parent(&self, name: &str, key: &ForeignKey) -> bool {
        if self.then.foreign_keys.get(name) == Some(key) {
            return false;
        }
        match self.to.tables.get(&key.references) {
            None => true,
            Some(parent) => {
                let mut columns = key.referenced_columns.iter();
                columns.any(|column| parent.column(column).is_none())
            }
        }
    }

    fn named_in(&self, text: &Expression) -> BTreeSet<String> {
        let columns = self.now.columns.iter().map(|column| column.name.clone());
        let columns: Vec<String> = columns.collect();
        let scope = Scope {
            table: &self.name.name,
            columns: &columns,
        };
        columns_in(text, scope).into_iter().collect()
    }
}

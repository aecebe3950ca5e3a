//! Rust structs that stand for tables. `#[derive(Model)]` makes one: from the struct come the
//! [table](Model::table) that the database is to have, what is read from its rows, and the
//! calls that insert, get, change, delete and load them. All else is SQL.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod advance;
mod carry_over;
mod data_type;
mod description;
mod dialect;
mod field;
mod models;
pub mod postgres;
mod reference;
#[doc(hidden)]
pub mod sealed;
mod sql;
pub mod sqlite;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::hash::Hash;

use underpin_core::{Class, Effect, Engine, Error, Executor, FromRow, Params, Result, Value};
use underpin_schema::Table;

pub use carry_over::{carry_over, completed, needed_by_tables};
pub use description::{
    Check, Column, Counter, Description, ForeignKey, Index, IndexKey, Key, OnUpdate, Over,
    Partition, Spelling, SqliteOptions, Target, Unique,
};
pub use dialect::{Counters, Fit, ModelDialect, Readable, TableOptions, TypeCheck};
pub use field::Field;
pub use models::Models;
pub use reference::Reference;
pub use underpin_core::{DataType, Enumeration, Label};
pub use underpin_schema::{Action, Deferral, Match, PartitionStrategy};

/// A struct that stands for a table. Only the derive macro implements it.
///
/// Calls that need a primary key exist if the model has one; it is then [`Keyed`].
pub trait Model: sealed::Derived + FromRow + Send + 'static {
    /// The values for a new row: `NewUser` of `User`. A column that cannot be left out
    /// is a value; one that takes NULL is a [`Field`]; another that the database fills is an
    /// `Option`, where `None` leaves it to the database.
    type New: Given;
    /// The values for a change of a row: `UserChanges` of `User`. Columns that are left out stay.
    type Changes: Given + Default;
    /// The description that the derive macro has written.
    const DESCRIPTION: &'static Description;

    /// Returns the changes that make `before` the same as this, which may be empty. Columns that
    /// the database fills are not compared.
    fn changes_since(&self, before: &Self) -> Self::Changes;

    /// The table on an engine.
    ///
    /// # Errors
    /// `Class::Config` for a type that is none, two constraints of one name, and a column
    /// that cannot advance by itself.
    fn table(engine: Engine) -> Result<Table> {
        table::table(Self::DESCRIPTION, ModelDialect::of(engine)?)
    }

    /// Inserts a row and gives it as the database has it, with its defaults.
    ///
    /// # Errors
    /// `Class::Constraint` where the schema forbids it.
    ///
    /// # Cancel safety
    /// Dropped half-way, the row may be there.
    fn insert(at: &impl Executor, new: Self::New) -> impl Future<Output = Result<Self>> + Send {
        let made = ModelDialect::of(at.engine())
            .and_then(|dialect| sql::insert(Self::DESCRIPTION, dialect, new.given()));
        async move {
            let (sql, values) = made?;
            at.query_one(&sql, values).await
        }
    }

    /// Inserts many rows by the fastest way the engine has, and gives their number. Those
    /// that give the same columns are inserted together, either all or no row. To insert all of
    /// the rows or no row, call it in a transaction.
    ///
    /// # Errors
    /// As for [`insert`](Model::insert).
    ///
    /// # Cancel safety
    /// Dropped half-way, some of the rows may be there.
    fn insert_many(
        at: &impl Executor,
        rows: impl IntoIterator<Item = Self::New>,
    ) -> impl Future<Output = Result<u64>> + Send {
        let mut groups: BTreeMap<Vec<&'static str>, Vec<Params>> = BTreeMap::new();
        for row in rows {
            let (columns, values) = row.given().into_iter().unzip();
            groups.entry(columns).or_default().push(values);
        }
        async move {
            let dialect = ModelDialect::of(at.engine())?;
            for (columns, rows) in &mut groups {
                sql::fit_rows(Self::DESCRIPTION, dialect, columns, rows)?;
            }
            let table = sql::bulk_address(Self::DESCRIPTION, dialect)?;
            let mut inserted = 0;
            for (columns, rows) in groups {
                if columns.is_empty() {
                    let (sql, _) = sql::insert(Self::DESCRIPTION, dialect, Vec::new())?;
                    for _ in rows {
                        inserted += at.query(&sql, ()).await?.len() as u64;
                    }
                    continue;
                }
                inserted += at.bulk_insert(&table, &columns, rows).await?;
            }
            Ok(inserted)
        }
    }

    /// Inserts a row or, where there is one with the same values in the columns `on`, sets
    /// of that what is given here, and gives the row as it is then. The columns are those of
    /// the primary key or of a unique constraint.
    ///
    /// # Errors
    /// `Class::Config` where `on` is not a key; `Class::Constraint` where the schema forbids the
    /// row.
    ///
    /// # Cancel safety
    /// Dropped half-way, the row may be there, or changed.
    fn upsert(
        at: &impl Executor,
        new: Self::New,
        on: &[&'static str],
    ) -> impl Future<Output = Result<Self>> + Send {
        let made = ModelDialect::of(at.engine())
            .and_then(|dialect| sql::upsert(Self::DESCRIPTION, dialect, new.given(), on));
        async move {
            let (sql, values) = made?;
            at.query_one(&sql, values).await
        }
    }

    /// The row with this primary key, if there is one.
    ///
    /// # Errors
    /// The error of the query.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    fn get(at: &impl Executor, key: Self::Key) -> impl Future<Output = Result<Option<Self>>> + Send
    where
        Self: Keyed,
    {
        let sql =
            ModelDialect::of(at.engine()).and_then(|dialect| sql::get(Self::DESCRIPTION, dialect));
        let values = Self::key_values(key);
        async move { at.query_optional(&sql?, values).await }
    }

    /// The rows with these primary keys, by their keys: in one query, or on SQLite one for
    /// each 30,000 of them. A key without a row is not in the map.
    ///
    /// # Errors
    /// The error of the query.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    fn load(
        at: &impl Executor,
        keys: impl IntoIterator<Item = Self::Key>,
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self>>> + Send
    where
        Self: Keyed,
    {
        let keys = reference::distinct::<Self>(keys);
        async move {
            let columns = Self::DESCRIPTION.key_columns();
            let rows: Vec<Self> = reference::load(at, columns, keys).await?;
            Ok(rows.into_iter().map(|row| (row.key(), row)).collect())
        }
    }

    /// Changes of the row with this primary key what is given and nothing else, and gives
    /// the row as it is then. Columns with `on_update` move by themselves.
    ///
    /// All columns of a row that was read are `User::update(at, user.id, user.into())`; those
    /// alone that have changed since it was read are
    /// `User::update(at, user.id, user.changes_since(&before))`.
    ///
    /// # Errors
    /// `Class::NotFound` where there is no such row; `Class::Constraint` where the schema
    /// forbids the change.
    ///
    /// # Cancel safety
    /// Dropped half-way, the change may have been made.
    fn update(
        at: &impl Executor,
        key: Self::Key,
        changes: Self::Changes,
    ) -> impl Future<Output = Result<Self>> + Send
    where
        Self: Keyed,
    {
        let key = Self::key_values(key);
        let shown = shown(&key);
        let made = ModelDialect::of(at.engine())
            .and_then(|dialect| sql::update(Self::DESCRIPTION, dialect, changes.given(), key));
        async move {
            let (sql, values) = made?;
            let row: Option<Self> = at.query_optional(&sql, values).await?;
            row.ok_or_else(|| missing(Self::DESCRIPTION, &shown))
        }
    }

    /// Deletes the row with this primary key, and says whether there was one.
    ///
    /// # Errors
    /// `Class::Constraint` where other rows refer to it.
    ///
    /// # Cancel safety
    /// Dropped half-way, the row may be gone.
    fn delete(at: &impl Executor, key: Self::Key) -> impl Future<Output = Result<bool>> + Send
    where
        Self: Keyed,
    {
        let sql = ModelDialect::of(at.engine())
            .and_then(|dialect| sql::delete(Self::DESCRIPTION, dialect));
        let values = Self::key_values(key);
        async move { Ok(at.execute(&sql?, values).await? == 1) }
    }
}

/// A model with a primary key.
pub trait Keyed: Model {
    /// The key: the field's type, or a tuple where it is of several columns.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;

    /// The key of this row.
    fn key(&self) -> Self::Key;

    /// The values of a key, in the order of its columns.
    fn key_values(key: Self::Key) -> Params;
}

/// The given values of a row. Only the derive macro implements it.
pub trait Given: sealed::Derived + Send {
    /// The columns that were given, with their values.
    fn given(self) -> Vec<(&'static str, Value)>;
}

fn shown(key: &[Value]) -> String {
    let each: Vec<String> = key.iter().map(ToString::to_string).collect();
    each.join(", ")
}

fn missing(of: &Description, key: &str) -> Error {
    let (table, columns) = (of.table, of.key_columns().join(", "));
    Error::new(
        Class::NotFound,
        format!("The table {table} has no row whose {columns} is {key}."),
    )
    // The statement ran, and changed nothing.
    .with_effect(Effect::Applied)
}

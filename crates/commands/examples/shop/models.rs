//! What the database of the shop is to have.

use underpin::model::Models;
use underpin::value::{Numeric, TimestampTz};
use underpin::{ColumnType, FromValue, IntoValue, Model, models};

/// How a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromValue, IntoValue, ColumnType)]
#[value(rename_all = "snake_case")]
pub(crate) enum Mood {
    /// Would not come again.
    Sad,
    /// Might.
    Fine,
    /// Will.
    Happy,
}

/// Somebody who buys.
#[derive(Debug, Clone, Model)]
#[model(table = "customers")]
pub(crate) struct Customer {
    #[model(primary_key, identity)]
    pub(crate) id: i64,
    #[model(type = "varchar(80)", unique, check = "email <> ''")]
    pub(crate) email: String,
    pub(crate) full_name: Option<String>,
    #[model(default = "'fine'")]
    pub(crate) mood: Mood,
    #[model(default = "now()")]
    pub(crate) since: TimestampTz,
}

/// What is for sale.
#[derive(Debug, Clone, Model)]
#[model(
    table = "products",
    check("state IN ('new', 'used')", name = "state_known"),
    check("price BETWEEN 0 AND 1000 OR state = 'new'", name = "price_fair"),
    index("lower(title)", name = "products_title"),
    index(state, price desc, name = "products_new", where = "state = 'new'")
)]
pub(crate) struct Product {
    #[model(primary_key, serial)]
    pub(crate) id: i32,
    pub(crate) title: String,
    #[model(type = "numeric(10, 2)", default = 0)]
    pub(crate) price: Numeric,
    #[model(type = "varchar(20)", default = "'new'")]
    pub(crate) state: String,
    #[model(references(Customer, on_delete = "set null"))]
    pub(crate) seller_id: Option<i64>,
}

/// What happened, by the year in which it did.
#[derive(Debug, Clone, Model)]
#[model(table = "events", partition_by(range(year)))]
pub(crate) struct Event {
    pub(crate) year: i32,
    pub(crate) what: Option<String>,
}

/// All of them.
pub(crate) const MODELS: Models = models![Customer, Product, Event];

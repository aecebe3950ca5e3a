//! The derive macros of Underpin: [`FromRow`](macro@FromRow) for what a row is read as,
//! [`FromValue`](macro@FromValue) and [`IntoValue`](macro@IntoValue) for a column of
//! one's own type, [`Model`](macro@Model) and [`ColumnType`](macro@ColumnType) for a struct
//! that stands for a table, [`embed_revisions`](macro@embed_revisions) for migrations
//! within the binary, and [`query`](macro@query) for statements in files of their own. Users have them from the crate `underpin`, next to the traits of the same
//! names.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod attribute;
mod bound;
mod column_type;
mod element;
mod embed_revisions;
mod field;
mod from_row;
mod from_value;
mod into_value;
mod misfit;
mod model;
mod query;
mod rename;
mod shape;
mod statements;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Reads a struct from a row.
///
/// A struct with named fields takes each from the column of the field's name; other
/// columns may be there too. A tuple struct takes its fields from the columns in order,
/// and there must be as many of one as of the other. Names are looked up once for a
/// result, never for a row.
///
/// ```
/// # use std::sync::Arc;
/// # use underpin_core::{Column, Columns, FromRow as _, Value, ValueRow};
/// use underpin_derive::FromRow;
///
/// #[derive(FromRow)]
/// # #[row(crate = "underpin_core")]
/// struct User {
///     id: i32,
///     email: String,
///     full_name: Option<String>,
/// }
/// # let column = |name: &str| Column { name: name.into(), type_name: "any".into() };
/// # let columns = Columns(vec![column("id"), column("email"), column("full_name")]);
/// # let layout = User::layout(&columns)?;
/// # let values = vec![Value::I32(7), Value::Text("a@b.c".into()), Value::Null];
/// # let row = ValueRow::new(Arc::new(columns), values);
/// # let user = User::from_row(&row, &layout)?;
/// # assert_eq!((user.id, &*user.email, user.full_name), (7, "a@b.c", None));
/// # Ok::<(), underpin_core::Error>(())
/// ```
///
/// # On the struct
/// - `#[row(rename_all = "camelCase")]`: the columns are named in another way than the
///   fields: `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `PascalCase`,
///   `kebab-case`, `lowercase` or `UPPERCASE`.
/// - `#[row(crate = "path")]`: where the crate `underpin` is, if not at `::underpin`.
///
/// # On a field
/// - `#[row(rename = "…")]`: the column's name, letter for letter.
/// - `#[row(default)]`: where the result has no such column, the field is
///   [`Default::default`]. A NULL is still an error unless the field is an `Option`.
/// - `#[row(skip)]`: there is no column, and the field is [`Default::default`].
/// - `#[row(json)]`: the column holds JSON, and the field is whatever serde reads from
///   it. An `Option` is `None` for NULL and for JSON's `null`.
/// - `#[row(flatten)]`: the field is a struct of its own that is read from the same row.
/// - `#[row(try_from = "i32")]`: the column is read as this type and converted with
///   [`TryFrom`], whose error is kept as the source of the one that names the column.
///   In an `Option<T>` it is `T` that is converted, unless the type is an `Option` too.
///
/// ```
/// # use std::collections::BTreeMap;
/// use underpin_derive::FromRow;
///
/// #[derive(FromRow)]
/// # #[row(crate = "underpin_core")]
/// #[row(rename_all = "camelCase")]
/// struct Order {
///     order_id: i64,                      // "orderId"
///     #[row(rename = "sum_in_cents")]
///     total: i64,
///     #[row(try_from = "i32")]
///     lines: u16,
///     #[row(json)]
///     labels: BTreeMap<String, String>,
///     #[row(default)]
///     note: Option<String>,
///     #[row(flatten)]
///     address: Address,
///     #[row(skip)]
///     seen: bool,
/// }
///
/// #[derive(FromRow)]
/// # #[row(crate = "underpin_core")]
/// struct Address {
///     street: String,
///     city: String,
/// }
/// ```
///
/// The fields' types are owned: a row is gone once it has been read.
#[proc_macro_derive(FromRow, attributes(row))]
pub fn derive_from_row(input: TokenStream) -> TokenStream {
    expand(from_row::derive(&parse_macro_input!(input as DeriveInput)))
}

/// Reads a column as one's own type: a struct with one field, which is read as that
/// field is, or an enum without fields, which is read from the text of its variants'
/// names, such as the labels of a PostgreSQL enum.
///
/// - On the enum, `#[value(rename_all = "snake_case")]` writes all labels in another
///   way; the ways are those of [`FromRow`](macro@FromRow).
/// - On a variant, `#[value(rename = "…")]` gives its label, letter for letter.
/// - On the type, `#[value(crate = "path")]` says where the crate `underpin` is, if not
///   at `::underpin`.
///
/// ```
/// # use underpin_core::{FromValue as _, ValueRef};
/// use underpin_derive::{FromValue, IntoValue};
///
/// #[derive(Debug, PartialEq, FromValue, IntoValue)]
/// # #[value(crate = "underpin_core")]
/// #[value(rename_all = "snake_case")]
/// enum State {
///     Open,
///     InProgress,
///     #[value(rename = "shut")]
///     Closed,
/// }
///
/// #[derive(Debug, PartialEq, FromValue, IntoValue)]
/// # #[value(crate = "underpin_core")]
/// struct UserId(i64);
///
/// # fn main() -> Result<(), underpin_core::Mismatch> {
/// assert_eq!(State::from_value(ValueRef::Text("in_progress"))?, State::InProgress);
/// assert_eq!(UserId::from_value(ValueRef::I64(7))?, UserId(7));
/// # Ok(())
/// # }
/// ```
#[proc_macro_derive(FromValue, attributes(value))]
pub fn derive_from_value(input: TokenStream) -> TokenStream {
    expand(from_value::derive(&parse_macro_input!(
        input as DeriveInput
    )))
}

/// Gives one's own type as a parameter: a struct with one field as that field, an enum
/// without fields as the text of its variants' names. The attributes are those of
/// [`FromValue`](macro@FromValue).
///
/// ```
/// # use underpin_core::{IntoValue as _, Value};
/// use underpin_derive::IntoValue;
///
/// #[derive(IntoValue)]
/// # #[value(crate = "underpin_core")]
/// #[value(rename_all = "kebab-case")]
/// enum Mood {
///     VeryHappy,
/// }
///
/// assert_eq!(Mood::VeryHappy.into_value(), Value::Text("very-happy".into()));
/// ```
#[proc_macro_derive(IntoValue, attributes(value))]
pub fn derive_into_value(input: TokenStream) -> TokenStream {
    expand(into_value::derive(&parse_macro_input!(
        input as DeriveInput
    )))
}

/// Makes a struct stand for a table: its columns, keys, constraints and indexes, and the
/// calls `insert`, `insert_many`, `upsert`, `get`, `load`, `update` and `delete` of the trait
/// of the same name. It implements `FromRow` too, so that `#[derive(FromRow)]` is not put
/// beside it; the attributes `#[row(…)]` hold as they do [there](macro@FromRow), but for
/// `flatten`.
///
/// ```text
/// #[derive(Model)]
/// #[model(table = "users", check("age >= 18", name = "adult"), index(team_id, name desc))]
/// struct User {
///     #[model(primary_key, identity)]
///     id: i64,
///     #[model(type = "varchar(255)", unique)]
///     email: String,
///     name: Option<String>,
///     age: i16,
///     #[model(references(Team, on_delete = "set null"))]
///     team_id: Option<i64>,
///     #[row(json)]
///     settings: Settings,
///     #[model(default = "now()")]
///     created_at: Timestamp,
///     #[model(default = "now()", on_update)]
///     updated_at: Timestamp,
/// }
/// ```
///
/// There are then `NewUser`, which is given to insert a row, and `UserChanges`, which is given
/// to change one. What an insert cannot leave out is an argument of `NewUser::new`; an
/// `Option` in them leaves the column to the database or as it is; and a
/// `Field`, of a column that takes NULL, knows that, NULL and a value apart. There is a
/// constant of the model for each field that `references` another model, `User::TEAM_ID`,
/// through which many rows of either are loaded in one query. The fields' types are `Clone`
/// and `Debug`.
///
/// A column takes NULL where the field is an `Option`. Its type is the field's, as
/// `ColumnType` has it, unless one is given. Texts of types, defaults, checks and predicates
/// are SQL. Fields are named as they are in Rust.
///
/// # On the struct
/// - `table = "…"`: the table; by default the struct's name in snake_case.
/// - `schema = "…"`: its namespace on PostgreSQL. Without one it is `public` in the schema,
///   and in statements whatever `search_path` finds.
/// - `primary_key(a, b)`: the key, where its columns have another order than the fields, or
///   with `name = "…"`.
/// - `unique(a, b)`, with `name = "…"`, `include(c)`, `nulls_not_distinct = true`,
///   `deferrable = "initially deferred"`.
/// - `check = "…"`, `check("…", name = "…")`, and `sqlite = "…"` or `postgres = "…"` where the
///   expression is another there; with these alone, only there is one. For an engine of another
///   name it is `engine("mssql", "…")`.
/// - `index(a, b desc nulls last, "lower(c)")`, with `name = "…"`, `method = "gin"`,
///   `where = "…"`, `unique = true`, `include(d)`, and an operator class:
///   `index(a ops "gin_trgm_ops", method = "gin")`. SQLite has the indexes of no method alone.
/// - `foreign_key(a, b, references = Order)`, in the order of that model's key, or
///   `references = "orders(a, b)"`; the options are those of `references` on a field.
/// - `partition_by(range(created_at))`, `list` or `hash`, on PostgreSQL.
/// - `comment = "…"`, on PostgreSQL; `renamed_from = "…"`: the name that the table had.
/// - `sqlite(…)`: `strict`, `without_rowid`, `autoincrement`, and `checked_types`, which gives
///   each column a check for what PostgreSQL's type would refuse: lengths, ranges, the forms
///   of days and times. In any case a column of a table that is made has a check for what its
///   type cannot read, and an enum one of its labels.
/// - `crate = "path"`: where the crate `underpin` is, if not at `::underpin`.
///
/// # On a field
/// - `primary_key`, on several where the key is of several columns.
/// - `identity`, `identity = "always"` or `serial`: the database counts the key up.
/// - `type = "…"`; `default = "…"`, or a number, `true` or `false`; `generated = "…"`, and
///   `virtual` beside it; `collate = "…"`.
/// - `on_update`: a time that moves forward with every update; `on_update = "…"`: what every
///   update sets it to.
/// - `unique`, `check` and `index` as on the struct, for this column; `unique = "…"` and
///   `index = "…"` give the name.
/// - `references = User`, `references = "users(id)"`, or `references(User, …)` with
///   `on_delete = "cascade"`, `on_update = "…"`, `match = "full"`, `deferrable = "…"`,
///   `name = "…"`.
/// - `postgres(…)` and `sqlite(…)`: `type`, `default`, `generated`, `collate` and `on_update`
///   where they are others on one engine. `now()` is understood on both. On SQLite, the type
///   chooses the form: a UUID in a `BLOB` is 16 bytes, and a time in an `INTEGER` Unix seconds.
///   An engine of another name has `engine("mssql", type = "nvarchar(50)")`.
/// - `comment = "…"`; `renamed_from = "…"`: the name that the column had.
#[proc_macro_derive(Model, attributes(model, row))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand(model::derive(&parse_macro_input!(input as DeriveInput)))
}

/// Gives one's own type as a column of a model has it: a struct with one field as that field
/// is, an enum without fields as an enumerated type of its labels. The labels are those of
/// [`FromValue`](macro@FromValue) and [`IntoValue`](macro@IntoValue), which it stands beside.
/// SQLite has no enumerated types and keeps text.
///
/// - On the enum, `#[model(name = "mood")]` is the type's name, by default the enum's in
///   snake_case; `schema = "…"` its namespace, and `comment = "…"` the comment on it.
/// - On a variant, `#[model(renamed_from = "…")]` is the label that it had.
///
/// ```text
/// #[derive(Debug, Clone, Copy, FromValue, IntoValue, ColumnType)]
/// #[value(rename_all = "snake_case")]
/// #[model(name = "mood")]
/// enum Mood {
///     VeryHappy,
///     #[model(renamed_from = "unhappy")]
///     Sad,
/// }
/// ```
#[proc_macro_derive(ColumnType, attributes(model, value))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    expand(column_type::derive(&parse_macro_input!(
        input as DeriveInput
    )))
}

/// The revision files of a directory and of those in it, within the binary: the files `*.sql`, in the
/// order of their paths, as a `&'static [underpin::migrate::Embedded]`. What begins with a dot is left
/// out. The path is relative to the package's
/// `Cargo.toml`. A directory that is not there, or holds no such file, does not compile.
///
/// ```text
/// static REVISIONS: &[underpin::migrate::Embedded] = underpin::embed_revisions!("revisions");
/// ```
///
/// A file that changes is compiled in again. Of a file that is new, cargo learns only where
/// the package's `build.rs` tells it to look:
///
/// ```no_run
/// // build.rs
/// # #[allow(clippy::needless_doctest_main)]
/// fn main() {
///     println!("cargo:rerun-if-changed=revisions");
/// }
/// ```
///
/// Where the files are is compiled in with debug assertions alone, so that a program can write
/// new revisions where it is developed, and one that is released says nothing of the machine
/// that built it.
///
/// `embed_revisions!("revisions", crate = "path")` says where the crate `underpin` is, if
/// not at `::underpin`.
#[proc_macro]
pub fn embed_revisions(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as embed_revisions::Input);
    expand(embed_revisions::expand(&input))
}

/// A statement that stands in a file of its own, as an `underpin::Query` whose types are those
/// of the constant that it becomes. The path is relative to the package's `Cargo.toml`. The
/// file is read when the program is compiled, and no database is asked: that is left to a test,
/// with `underpin::queries!`.
///
/// ```text
/// static RECENT: Query<(i64, bool), Recent> = query!("queries/recent_jobs.sql");
/// ```
///
/// The query has the file's name. Where a file holds several, each has a line before it, `--
/// name: recent_jobs`, and is asked for as `query!("queries/jobs.sql", "recent_jobs")`. A file
/// that is not there, and a query that is not exactly one statement, do not compile.
///
/// `query!("queries/recent_jobs.sql", crate = "path")` says where the crate `underpin` is, if
/// not at `::underpin`.
#[proc_macro]
pub fn query(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as query::Input);
    expand(query::expand(&input))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}

//! The derive macros of Underpin: [`FromRow`](macro@FromRow) for what a row is read as,
//! [`FromValue`](macro@FromValue) and [`IntoValue`](macro@IntoValue) for a column of
//! one's own type, and [`embed_revisions`](macro@embed_revisions) for migrations within
//! the binary. Users have them from the crate `underpin`, next to the traits of the same
//! names.

mod attribute;
mod bound;
mod embed_revisions;
mod field;
mod from_row;
mod from_value;
mod into_value;
mod misfit;
mod rename;
mod shape;

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

/// The revision files of a directory, within the binary: its files `*.sql` whose names do
/// not begin with a dot, in the order of their names, as a
/// `&'static [underpin::migrate::Embedded]`. The path is relative to the package's
/// `Cargo.toml`. A directory that is not there, or holds no such file, does not compile.
///
/// ```text
/// static REVISIONS: &[underpin::migrate::Embedded] = underpin::embed_revisions!("revisions");
/// ```
///
/// A file that changes is compiled in anew. Of a file that is new, cargo learns only where
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
/// `embed_revisions!("revisions", crate = "path")` says where the crate `underpin` is, if
/// not at `::underpin`.
#[proc_macro]
pub fn embed_revisions(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as embed_revisions::Input);
    expand(embed_revisions::expand(&input))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}

use std::collections::BTreeMap;
use std::future::Future;

use underpin::{Class, Engine, Error, Executor, FromRow, Result, Value};

/// A Rust struct that stands for a table with a primary key `id`.
pub trait Model: FromRow + Send + 'static {
    /// The table.
    const TABLE: &'static str;
    /// Whether the table has an `updated_at`, which every update moves forward.
    const HAS_UPDATED_AT: bool;
    /// What is given to insert a row.
    type New: Given;
    /// What is given to change a row.
    type Changes: Given;

    /// The primary key.
    fn id(&self) -> i32;

    /// Inserts a row and gives it as the database has it, with its defaults.
    ///
    /// # Errors
    /// `Class::Constraint` where the schema forbids it.
    ///
    /// # Cancel safety
    /// Dropped half-way, the row may be there.
    fn insert(at: &impl Executor, new: Self::New) -> impl Future<Output = Result<Self>> + Send {
        let (columns, values): (Vec<_>, Vec<_>) = new.given().into_iter().unzip();
        let sql = match columns.len() {
            0 => format!("INSERT INTO {} DEFAULT VALUES RETURNING *", Self::TABLE),
            count => format!(
                "INSERT INTO {} ({}) VALUES ({}) RETURNING *",
                Self::TABLE,
                columns.join(", "),
                placeholders(1, count)
            ),
        };
        async move { at.query_one(&sql, values).await }
    }

    /// Inserts many rows by the fastest way the engine has, and gives their number.
    /// Those that give the same columns go in together, all or none of them.
    ///
    /// # Errors
    /// As for [`insert`](Model::insert).
    ///
    /// # Cancel safety
    /// Dropped half-way, some of the rows may be there.
    fn insert_many(
        at: &impl Executor,
        rows: Vec<Self::New>,
    ) -> impl Future<Output = Result<u64>> + Send {
        let mut groups: BTreeMap<Vec<&'static str>, Vec<Vec<Value>>> = BTreeMap::new();
        for row in rows {
            let (columns, values) = row.given().into_iter().unzip();
            groups.entry(columns).or_default().push(values);
        }
        async move {
            let mut inserted = 0;
            for (columns, rows) in groups {
                inserted += at.bulk_insert(Self::TABLE, &columns, rows).await?;
            }
            Ok(inserted)
        }
    }

    /// The row with this primary key, if there is one.
    ///
    /// # Errors
    /// What the query failed with.
    ///
    /// # Cancel safety
    /// Safe.
    fn get(at: &impl Executor, id: i32) -> impl Future<Output = Result<Option<Self>>> + Send {
        let sql = format!("SELECT * FROM {} WHERE id = $1", Self::TABLE);
        async move { at.query_optional(&sql, (id,)).await }
    }

    /// Changes what is given and nothing else, and gives the row as it is then.
    /// `updated_at` moves forward by at least the smallest step that the engine keeps.
    ///
    /// # Errors
    /// `Class::NotFound` where there is no such row, `Class::Constraint` where the schema
    /// forbids the change.
    ///
    /// # Cancel safety
    /// Dropped half-way, the change may have been made.
    fn update(
        at: &impl Executor,
        id: i32,
        changes: Self::Changes,
    ) -> impl Future<Output = Result<Self>> + Send {
        let mut values = Vec::new();
        let mut sets = Vec::new();
        for (column, value) in changes.given() {
            values.push(value);
            sets.push(format!("{column} = ${}", values.len()));
        }
        if Self::HAS_UPDATED_AT {
            sets.push(format!("updated_at = {}", later(at.engine())));
        }
        values.push(Value::I32(id));
        let table = Self::TABLE;
        let sql = match sets.is_empty() {
            true => format!("SELECT * FROM {table} WHERE id = $1"),
            false => format!(
                "UPDATE {table} SET {} WHERE id = ${} RETURNING *",
                sets.join(", "),
                values.len()
            ),
        };
        async move {
            let row: Option<Self> = at.query_optional(&sql, values).await?;
            row.ok_or_else(|| {
                Error::new(
                    Class::NotFound,
                    format!("The table {table} has no row with the id {id}."),
                )
            })
        }
    }

    /// Deletes the row with this primary key, and says whether there was one.
    ///
    /// # Errors
    /// `Class::Constraint` where other rows refer to it.
    ///
    /// # Cancel safety
    /// Dropped half-way, the row may be gone.
    fn delete(at: &impl Executor, id: i32) -> impl Future<Output = Result<bool>> + Send {
        let sql = format!("DELETE FROM {} WHERE id = $1", Self::TABLE);
        async move { Ok(at.execute(&sql, (id,)).await? == 1) }
    }
}

/// What was given of a row, by column.
pub trait Given: Send {
    /// The columns and their values, without what was left out.
    fn given(self) -> Vec<(&'static str, Value)>;
}

/// `$1, $2, …`
pub(super) fn placeholders(first: usize, count: usize) -> String {
    let each: Vec<String> = (first..first + count).map(|at| format!("${at}")).collect();
    each.join(", ")
}

/// Now, or just after the row's last change where the clock has not moved since.
fn later(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => {
            "greatest(clock_timestamp()::timestamp, updated_at + interval '1 microsecond')"
        }
        _ => {
            "max(strftime('%Y-%m-%d %H:%M:%f', 'now'), \
             coalesce(strftime('%Y-%m-%d %H:%M:%f', updated_at, '+0.001 seconds'), ''))"
        }
    }
}

/// Makes the three types of a table: the row, what inserts one, what changes one.
/// A required column is NOT NULL and has no default; `updated_at` moves by itself.
macro_rules! model {
    (
        $(#[$doc:meta])*
        $row:ident, $new:ident, $changes:ident in $table:literal
        required { $($(#[$rdoc:meta])* $rname:ident: $rtype:ty,)* }
        optional { $($(#[$odoc:meta])* $oname:ident: $otype:ty,)* }
        $(moved { $(#[$mdoc:meta])* $mname:ident })?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, underpin::FromRow)]
        pub struct $row {
            /// The primary key.
            pub id: i32,
            $($(#[$rdoc])* pub $rname: $rtype,)*
            $($(#[$odoc])* pub $oname: Option<$otype>,)*
            $($(#[$mdoc])* pub $mname: Option<underpin::value::Timestamp>,)?
        }

        #[doc = concat!("What is given to insert a row into `", $table, "`.")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $new {
            $($(#[$rdoc])* pub $rname: $rtype,)*
            $($(#[$odoc])* pub $oname: $crate::models::Field<$otype>,)*
        }

        impl $new {
            /// A row with what it must have; all else is the database's default.
            pub fn new($($rname: impl Into<$rtype>),*) -> Self {
                $new {
                    $($rname: $rname.into(),)*
                    $($oname: $crate::models::Field::Unset,)*
                }
            }
        }

        impl $crate::models::Given for $new {
            fn given(self) -> Vec<(&'static str, underpin::Value)> {
                let mut given = vec![
                    $((stringify!($rname), underpin::IntoValue::into_value(self.$rname)),)*
                ];
                $(given.extend(self.$oname.into_given().map(|value| (stringify!($oname), value)));)*
                given
            }
        }

        #[doc = concat!("What is given to change a row of `", $table, "`.")]
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $changes {
            $($(#[$rdoc])* pub $rname: Option<$rtype>,)*
            $($(#[$odoc])* pub $oname: $crate::models::Field<$otype>,)*
        }

        impl $crate::models::Given for $changes {
            fn given(self) -> Vec<(&'static str, underpin::Value)> {
                let mut given = Vec::new();
                $(given.extend(self.$rname.map(|value| {
                    (stringify!($rname), underpin::IntoValue::into_value(value))
                }));)*
                $(given.extend(self.$oname.into_given().map(|value| (stringify!($oname), value)));)*
                given
            }
        }

        impl $crate::models::Model for $row {
            const TABLE: &'static str = $table;
            const HAS_UPDATED_AT: bool = [$(stringify!($mname),)? ""].len() == 2;
            type New = $new;
            type Changes = $changes;

            fn id(&self) -> i32 {
                self.id
            }
        }
    };
}
pub(super) use model;

//! The list of what cannot be changed in place is the one in `docs/guide/src/reference/refusals.md`.

use std::fmt::Write;
use std::path::Path;

use underpin::Database;
use underpin::schema::{
    ColumnRef, Hints, ObjectName, ObjectRef, Refusal, Rename, Schema, Selection, Type, diff,
    introspect, sqlite,
};

const HEAD: &str = "# What cannot be changed in place

A plan that would need one of these is refused as a whole: nothing is run, and the sentence says how
to do it. The first list is PostgreSQL's; what it says about rows and about the order of columns holds
for SQLite too. The second list is SQLite's alone; every other change is made there by recreating the
table. What only the rows can show (they hold NULL, they violate a new key, check or foreign key, a
value does not fit the new type) is found while a plan is carried out, and leaves nothing behind
either.
";

fn title(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::LabelTakenAway { .. } => "A label of an enum is taken away",
        Refusal::LabelOrder { .. } => "The labels of an enum change their order",
        Refusal::TypeInUse { .. } => "A type that columns have becomes another",
        Refusal::NoConversion { .. } => "A column's type changes where no cast leads",
        Refusal::PartitionKey { .. } => "A table is partitioned otherwise",
        Refusal::InUse { .. } => "What goes is needed by what stays",
        Refusal::NullInRows { .. } => "A column refuses NULL that rows hold",
        Refusal::NothingForRows { .. } => "A new column has nothing for the rows",
        Refusal::PartitionOverlap { .. } => "Two partitions take the same values",
        Refusal::ColumnOrder { .. } => "Columns change their order (the rest of the plan is made)",
        Refusal::Unsupported { .. } => "",
    }
}

fn engines(name: &str) -> Type {
    Type {
        name: name.to_owned(),
        ..Type::default()
    }
}

/// One of each.
fn each() -> Vec<Refusal> {
    let of = |name: &str| ObjectName::new("public", name);
    let column = |column: &str| ColumnRef {
        table: of("orders"),
        column: column.to_owned(),
    };
    vec![
        Refusal::LabelTakenAway {
            name: of("mood"),
            labels: vec!["sad".to_owned()],
        },
        Refusal::LabelOrder { name: of("mood") },
        Refusal::TypeInUse {
            object: ObjectRef::Domain(of("price")),
            columns: vec![column("total")],
        },
        Refusal::NoConversion {
            column: column("paid"),
            from: engines("boolean"),
            to: engines("date"),
        },
        Refusal::PartitionKey {
            table: of("events"),
        },
        Refusal::InUse {
            object: ObjectRef::Extension("citext".to_owned()),
            by: "the column public.users.email".to_owned(),
        },
        Refusal::NullInRows {
            column: column("paid"),
        },
        Refusal::NothingForRows {
            column: column("country"),
        },
        Refusal::PartitionOverlap {
            table: of("events_2026"),
            other: of("events_new"),
        },
        Refusal::ColumnOrder {
            table: of("orders"),
        },
    ]
}

async fn read(sql: &str) -> Schema {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    db.batch(sql).await.unwrap();
    introspect(&db, &Selection::default()).await.unwrap()
}

/// What SQLite refuses on the way from one to the other.
async fn on_sqlite(from: &str, to: &str, rename: Option<&str>) -> Vec<Refusal> {
    let (from, to) = (read(from).await, read(to).await);
    let renames = rename.map(|text| Rename::parse(text, &from, &to).unwrap());
    let hints = Hints {
        renames: renames.into_iter().collect(),
        ..Hints::default()
    };
    let plan = sqlite::plan(&from, &to, &diff(&from, &to, &hints)).unwrap();
    assert_eq!(plan.refusals.len(), 1);
    plan.refusals
}

#[tokio::test]
async fn the_published_list_is_that_of_the_plans() {
    let mut text = HEAD.to_owned();
    text.push('\n');
    for refusal in each() {
        writeln!(text, "- **{}.** {refusal}", title(&refusal)).unwrap();
    }
    text.push_str("\n## On SQLite alone\n\n");
    let alone = [
        ("CREATE TABLE Users (id)", "CREATE TABLE users (id)", None),
        ("CREATE TABLE t (Id)", "CREATE TABLE t (id)", None),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, UNIQUE (id)) WITHOUT ROWID",
            "CREATE TABLE t (key INTEGER PRIMARY KEY, UNIQUE (key)) WITHOUT ROWID",
            Some("t.id=t.key"),
        ),
    ];
    for (from, to, rename) in alone {
        for refusal in on_sqlite(from, to, rename).await {
            writeln!(text, "- {refusal}").unwrap();
        }
    }
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/src/reference/refusals.md");
    if std::env::var_os("UNDERPIN_TEST_REWRITE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == text,
        "docs/guide/src/reference/refusals.md is not the list of today: \
         `UNDERPIN_TEST_REWRITE=1 ./test the_published_list` writes it."
    );
}

use underpin_schema::{
    Column, ColumnRef, EnumType, Identity, Index, Persistence, SequenceOptions, Unique, View,
};

use super::*;
use crate::postgres;

fn name(name: &str) -> ObjectName {
    ObjectName::new("public", name)
}

fn column(name: &str, data_type: Type) -> Column {
    Column {
        name: name.to_owned(),
        data_type,
        ..Column::default()
    }
}

fn table(columns: Vec<Column>) -> Table {
    Table {
        columns,
        ..Table::default()
    }
}

fn of_enum(name: &str) -> Type {
    Type {
        namespace: Some("public".to_owned()),
        ..Type::named(name)
    }
}

fn sequence(owner: Option<(&str, &str)>) -> Sequence {
    Sequence {
        options: SequenceOptions::of_type("integer"),
        owned_by: owner.map(|(table, column)| ColumnRef {
            table: name(table),
            column: column.to_owned(),
        }),
        persistence: Persistence::Permanent,
        comment: None,
    }
}

fn wanted(described: &Schema, now: &Schema) -> Schema {
    carry_over(described.clone(), now, &postgres::DIALECT)
}

#[test]
fn an_enum_goes_with_the_last_column_of_it_unless_something_needs_it() {
    let mut now = Schema::default();
    for one in ["gone", "bare", "viewed", "named"] {
        now.enums.insert(name(one), EnumType::default());
    }
    let columns = ["gone", "viewed", "named"].map(|one| column(one, of_enum(one)));
    now.tables.insert(name("t"), table(columns.to_vec()));
    let view = View {
        depends_on: [ObjectRef::Enum(name("viewed"))].into(),
        ..View::default()
    };
    now.views.insert(name("v"), view);
    let mut described = Schema::default();
    // A model that gives the type as text, without its namespace.
    let columns = vec![column("named", Type::named("named"))];
    described.tables.insert(name("t"), table(columns));
    let wanted = wanted(&described, &now);
    let kept: Vec<&str> = wanted.enums.keys().map(|one| one.name.as_str()).collect();
    assert_eq!(kept, ["bare", "named", "viewed"]);
}

#[test]
fn a_sequence_goes_with_the_column_that_owns_it_and_no_longer_counts() {
    let mut now = Schema::default();
    now.tables
        .insert(name("t"), table(vec![column("a", Type::named("integer"))]));
    for (one, owner) in [
        ("free", None),
        ("left", Some(("t", "a"))),
        ("asked", Some(("t", "b"))),
        ("lost", Some(("gone", "a"))),
    ] {
        now.sequences.insert(name(one), sequence(owner));
    }
    let mut described = Schema::default();
    let asks = Column {
        default: Some("nextval('asked')".into()),
        ..column("b", Type::named("integer"))
    };
    let columns = vec![column("a", Type::named("integer")), asks];
    described.tables.insert(name("t"), table(columns));
    let wanted = wanted(&described, &now);
    let kept: Vec<&str> = wanted
        .sequences
        .keys()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(kept, ["asked", "free"]);
}

/// A table that had another name has sequences of the old one.
#[test]
fn what_counts_keeps_the_name_and_the_step_of_its_sequence() {
    let counting = |of: &str, step: i64| {
        let mut schema = Schema::default();
        let mut options = SequenceOptions::of_type("integer");
        options.increment = step;
        let serial = Column {
            default: Some(format!("nextval('public.{of}_a_seq'::regclass)").into()),
            ..column("a", Type::named("integer"))
        };
        let identity = Column {
            identity: Some(Identity {
                always: step == 1,
                sequence: Some(name(&format!("{of}_b_seq"))),
                options: options.clone(),
            }),
            ..column("b", Type::named("integer"))
        };
        let mut made = table(vec![serial, identity]);
        let own = name(&format!("{of}_a_seq"));
        made.depends_on.insert(ObjectRef::Sequence(own.clone()));
        schema.tables.insert(name("people"), made);
        let owned = Sequence {
            options,
            ..sequence(Some(("people", "a")))
        };
        schema.sequences.insert(own, owned);
        schema
    };
    let (described, now) = (counting("people", 1), counting("users", 10));
    let wanted = wanted(&described, &now);
    assert_eq!(wanted.sequences, now.sequences);
    let (wanted, now) = (
        &wanted.tables[&name("people")],
        &now.tables[&name("people")],
    );
    assert_eq!(wanted.columns[0], now.columns[0]);
    assert_eq!(wanted.depends_on, now.depends_on);
    let (wanted, now) = (&wanted.columns[1].identity, &now.columns[1].identity);
    let (wanted, now) = (wanted.as_ref().unwrap(), now.as_ref().unwrap());
    assert_eq!(
        (&wanted.sequence, &wanted.options),
        (&now.sequence, &now.options)
    );
    // That it is always the database that counts is the model's to say.
    assert!(wanted.always && !now.always);
}

#[test]
fn storage_is_the_tables_own_and_keys_are_the_models() {
    let storage = |of: &str| [("fillfactor".to_owned(), of.to_owned())].into();
    let unique = |columns: &[&str]| Unique {
        columns: columns.iter().map(|one| (*one).to_owned()).collect(),
        ..Unique::default()
    };
    let mut now = Table {
        options: storage("70"),
        persistence: Persistence::Unlogged,
        ..Table::default()
    };
    let mut stored = unique(&["a"]);
    stored.options = storage("60");
    now.uniques.insert("by_another_name".into(), stored);
    let index = Index {
        options: storage("50"),
        ..Index::default()
    };
    now.indexes.insert("i".into(), index.clone());
    now.indexes.insert("j".into(), index);
    let mut described = Table::default();
    described.uniques.insert("t_a_key".into(), unique(&["a"]));
    described.uniques.insert("t_b_key".into(), unique(&["b"]));
    described.indexes.insert("i".into(), Index::default());
    let schema = |table: Table| Schema {
        tables: [(name("t"), table)].into(),
        ..Schema::default()
    };
    let wanted = wanted(&schema(described), &schema(now));
    let table = &wanted.tables[&name("t")];
    assert_eq!(table.options, storage("70"));
    assert_eq!(table.persistence, Persistence::Unlogged);
    assert_eq!(table.uniques["t_a_key"].options, storage("60"));
    assert!(table.uniques["t_b_key"].options.is_empty());
    assert_eq!(table.uniques.len(), 2);
    assert_eq!(table.indexes["i"].options, storage("50"));
    assert_eq!(table.indexes.len(), 1);
}

#[test]
fn a_child_of_what_goes_stands_by_itself() {
    let mut now = Schema::default();
    now.tables
        .insert(name("parent"), table(vec![column("a", Type::default())]));
    let child = Table {
        inherits: vec![name("parent")],
        columns: vec![Column {
            inherited: true,
            ..column("a", Type::default())
        }],
        ..Table::default()
    };
    now.tables.insert(name("child"), child.clone());
    let mut described = Schema::default();
    described
        .tables
        .insert(name("child"), table(vec![column("a", Type::default())]));
    let alone = wanted(&described, &now);
    assert!(alone.tables[&name("child")].inherits.is_empty());
    assert!(!alone.tables[&name("child")].columns[0].inherited);
    let parent = now.tables[&name("parent")].clone();
    described.tables.insert(name("parent"), parent);
    assert_eq!(wanted(&described, &now).tables[&name("child")], child);
}

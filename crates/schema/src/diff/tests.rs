use super::*;
use crate::{
    Check, Column, EnumType, Index, IndexKey, Namespace, ObjectName, PartitionBy, PartitionKey,
    PartitionOf, PartitionStrategy, Table, Type,
};

fn name(name: &str) -> ObjectName {
    ObjectName::new("public", name)
}

fn column(name: &str, data_type: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: Type::parse(data_type).unwrap(),
        ..Column::default()
    }
}

fn users(columns: &[(&str, &str)]) -> Schema {
    let columns = columns.iter().map(|(name, of)| column(name, of)).collect();
    let table = Table {
        columns,
        ..Table::default()
    };
    let mut schema = Schema::default();
    schema.tables.insert(name("users"), table);
    schema
}

fn words(diff: &Diff) -> Vec<String> {
    diff.changes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_rename_is_proposed_and_not_assumed() {
    let from = users(&[("id", "integer"), ("name", "text")]);
    let to = users(&[("id", "int4"), ("full_name", "text")]);
    let diff = super::diff(&from, &to, &Hints::default());
    let changes = words(&diff);
    assert_eq!(
        changes,
        [
            "Drop column public.users.name",
            "Add column public.users.full_name"
        ]
    );
    let proposed: Vec<String> = diff.proposed.iter().map(ToString::to_string).collect();
    assert_eq!(proposed, ["public.users.name=public.users.full_name"]);
    let hints = Hints {
        renames: diff.proposed,
        ..Hints::default()
    };
    let hinted = super::diff(&from, &to, &hints);
    assert_eq!(
        words(&hinted),
        ["Rename column public.users.name to full_name"]
    );
    // Once it is done, the hint says nothing any more.
    assert_eq!(super::diff(&to, &to, &hints), Diff::default());
}

#[test]
fn a_renamed_table_and_its_column_keep_their_checks_and_indexes() {
    let mut from = users(&[("id", "integer"), ("name", "text")]);
    let table = from.tables.get_mut(&name("users")).unwrap();
    let check = Check {
        expression: "name <> ''::text".into(),
        ..Check::default()
    };
    table.checks.insert("named".to_owned(), check);
    let index = Index {
        keys: vec![IndexKey::expression("lower(name)")],
        ..Index::default()
    };
    table.indexes.insert("by_name".to_owned(), index);
    let mut to = Schema::default();
    let mut people = table.clone();
    people.columns[1].name = "full_name".to_owned();
    people.checks.get_mut("named").unwrap().expression = "full_name <> ''::text".into();
    people.indexes.get_mut("by_name").unwrap().keys =
        vec![IndexKey::expression("lower(full_name)")];
    to.tables.insert(name("people"), people);
    let hints = Hints {
        renames: vec![
            Rename::Column {
                table: name("people"),
                from: "name".to_owned(),
                to: "full_name".to_owned(),
            },
            Rename::Table {
                from: name("users"),
                to: name("people"),
            },
        ],
        ..Hints::default()
    };
    assert_eq!(
        words(&super::diff(&from, &to, &hints)),
        [
            "Rename table public.users to public.people",
            "Rename column public.people.name to full_name"
        ]
    );
}

#[test]
fn a_constraint_or_an_index_that_is_only_called_otherwise_is_renamed() {
    let mut from = users(&[("id", "integer")]);
    let index = Index {
        keys: vec![IndexKey::column("id")],
        ..Index::default()
    };
    let mut to = from.clone();
    let of = |schema: &mut Schema, index_name: &str| {
        let table = schema.tables.get_mut(&name("users")).unwrap();
        table.indexes.insert(index_name.to_owned(), index.clone());
    };
    of(&mut from, "old");
    of(&mut to, "new");
    let diff = super::diff(&from, &to, &Hints::default());
    assert_eq!(words(&diff), ["Rename index old of public.users to new"]);
}

#[test]
fn a_partition_that_the_target_does_not_name_stays() {
    let mut from = users(&[("id", "integer")]);
    let table = from.tables.get_mut(&name("users")).unwrap();
    table.partition_by = Some(PartitionBy {
        strategy: PartitionStrategy::Hash,
        keys: vec![PartitionKey {
            target: crate::KeyTarget::Column("id".to_owned()),
            collation: None,
            operator_class: None,
        }],
    });
    let mut part = table.clone();
    let to = from.clone();
    part.partition_by = None;
    part.partition_of = Some(PartitionOf {
        parent: name("users"),
        bound: crate::Bound::Default,
    });
    part.columns[0].inherited = true;
    from.tables.insert(name("users_1"), part);
    assert_eq!(super::diff(&from, &to, &Hints::default()), Diff::default());
    let gone = super::diff(&from, &Schema::default(), &Hints::default());
    assert_eq!(gone.changes.len(), 2);
}

#[test]
fn public_is_always_there() {
    let mut from = Schema::default();
    let comment = Some("standard public schema".to_owned());
    from.namespaces
        .insert("public".to_owned(), Namespace { comment });
    let to = Schema::default();
    assert_eq!(super::diff(&from, &to, &Hints::default()), Diff::default());
}

#[test]
fn labels_that_change_place_for_place_may_be_renames() {
    let labels = |labels: &[&str]| {
        let mut schema = Schema::default();
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let comment = None;
        let name = name("mood");
        schema.enums.insert(name, EnumType { labels, comment });
        schema
    };
    let (from, to) = (labels(&["sad", "ok"]), labels(&["unhappy", "ok"]));
    let diff = super::diff(&from, &to, &Hints::default());
    let renames = diff.proposed;
    assert_eq!(
        renames[0].to_string(),
        "public.mood.sad=public.mood.unhappy"
    );
    let hinted = super::diff(
        &from,
        &to,
        &Hints {
            renames,
            ..Hints::default()
        },
    );
    assert_eq!(
        words(&hinted),
        ["Rename label \"sad\" of enum public.mood to \"unhappy\""]
    );
}

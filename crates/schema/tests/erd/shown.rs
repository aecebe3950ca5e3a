//! What single things look like.

use underpin_schema::erd::{self, Columns};
use underpin_schema::{
    Bound, Column, ForeignKey, ObjectName, PartitionBy, PartitionOf, PartitionStrategy, Schema,
    Table, Type, Unique,
};

use crate::drawing::read;
use crate::forty;

fn public(name: &str) -> ObjectName {
    ObjectName::new("public", name)
}

fn table(columns: &[&str]) -> Table {
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        data_type: Type::named("integer"),
        ..Column::default()
    };
    Table {
        columns: columns.iter().map(column).collect(),
        ..Table::default()
    }
}

fn schema(tables: Vec<(&str, Table)>) -> Schema {
    let tables = tables
        .into_iter()
        .map(|(name, table)| (public(name), table));
    Schema {
        tables: tables.collect(),
        ..Schema::default()
    }
}

fn key(columns: &[&str], references: &str, referenced: &[&str]) -> ForeignKey {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ForeignKey {
        columns: owned(columns),
        references: public(references),
        referenced_columns: owned(referenced),
        ..ForeignKey::default()
    }
}

#[test]
fn partitions_are_folded_into_their_table() {
    let mut parent = table(&["at"]);
    parent.partition_by = Some(PartitionBy {
        strategy: PartitionStrategy::Range,
        keys: Vec::new(),
    });
    let mut tables = vec![("events", parent.clone())];
    let names: Vec<String> = (1..=8).map(|number| format!("events_{number}")).collect();
    for name in &names {
        let mut part = table(&["at"]);
        let (parent, bound) = (public("events"), Bound::Default);
        part.partition_of = Some(PartitionOf { parent, bound });
        tables.push((name, part));
    }
    let drawing = read(&erd::svg(&schema(tables), Columns::All));
    let [events] = &drawing.boxes[..] else {
        panic!("{} boxes", drawing.boxes.len());
    };
    assert!(
        events
            .texts
            .iter()
            .any(|one| one.text == "8 partitions by range")
    );
    assert!(names.iter().all(|name| events.tooltip.contains(&**name)));
}

#[test]
fn the_ends_of_a_line_say_how_many() {
    let mut child = table(&["id", "a", "b", "c"]);
    for name in ["a", "b"] {
        child
            .foreign_keys
            .insert(name.to_owned(), key(&[name], "parents", &["id"]));
    }
    child.columns[1].not_null = true;
    let unique = Unique {
        columns: vec!["b".to_owned()],
        ..Unique::default()
    };
    child.uniques.insert("b_key".to_owned(), unique);
    child
        .foreign_keys
        .insert("both".to_owned(), key(&["a", "c"], "parents", &["id", "x"]));
    let schema = schema(vec![("children", child), ("parents", table(&["id", "x"]))]);
    let text = erd::mermaid(&schema, Columns::All);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(" : ")).collect();
    assert_eq!(
        lines,
        [
            r#"    "parents" ||..o{ "children" : "a""#,
            r#"    "parents" |o..o| "children" : "b""#,
            r#"    "parents" |o..o{ "children" : "a, c""#,
        ]
    );
    let svg = erd::svg(&schema, Columns::All);
    assert_eq!(svg.matches("class=\"joint\"").count(), 2);
}

#[test]
fn keys_only_are_the_keys_and_what_they_point_at() {
    let mut child = table(&["a", "said"]);
    child
        .foreign_keys
        .insert("k".to_owned(), key(&["a"], "parents", &["code"]));
    let schema = schema(vec![
        ("children", child),
        ("parents", table(&["code", "name"])),
    ]);
    let drawing = read(&erd::svg(&schema, Columns::Keys));
    let texts = |name: &str| -> Vec<&str> {
        let found = drawing.boxes.iter().find(|one| one.name == name).unwrap();
        found.texts.iter().map(|one| &*one.text).collect()
    };
    assert_eq!(texts("children"), ["children", "FK", "a", "integer"]);
    assert_eq!(texts("parents"), ["parents", "code", "integer"]);
}

#[test]
fn what_xml_cannot_have_is_replaced() {
    let mut odd = table(&["a\u{1}b\u{ffff}"]);
    odd.comment = Some("]]> <script>alert(1)</script>\u{0}".to_owned());
    let drawing = read(&erd::svg(&schema(vec![("t", odd)]), Columns::All));
    assert_eq!(drawing.boxes[0].texts[1].text, "a\u{fffd}b\u{fffd}");
    assert!(drawing.boxes[0].tooltip.contains("<script>"));
}

#[test]
fn an_empty_schema_is_an_empty_picture() {
    let drawing = read(&erd::svg(&Schema::default(), Columns::All));
    assert!(drawing.boxes.is_empty() && drawing.lines.is_empty());
    assert_eq!(
        erd::mermaid(&Schema::default(), Columns::All),
        "erDiagram\n"
    );
}

#[test]
fn a_namespace_is_shown_where_there_are_two() {
    let mut schema = forty::schema();
    let one = |schema: &Schema| read(&erd::svg(schema, Columns::None)).boxes[0].name.clone();
    assert_eq!(one(&schema), "account_roles");
    schema
        .tables
        .insert(ObjectName::new("zoo", "animals"), Table::default());
    assert_eq!(one(&schema), "public.account_roles");
}

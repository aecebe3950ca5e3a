//! The odd cases, written by hand.

use underpin::schema::{
    Action, Conflict, Deferral, GeneratedKind, Identity, KeyTarget, ObjectName, Schema,
    SequenceOptions, Table,
};

use crate::round_trip::round_trip;

fn table<'s>(schema: &'s Schema, name: &str) -> &'s Table {
    let found = schema.tables.get(&ObjectName::new("main", name));
    found.unwrap_or_else(|| panic!("no table {name:?}"))
}

#[tokio::test]
async fn everything_odd_comes_back() {
    let schema = round_trip("odd", include_str!("odd.sql")).await;
    assert_eq!(schema.unsupported.len(), 0, "{:?}", schema.unsupported);
}

#[tokio::test]
async fn a_table_is_read_with_all_its_parts() {
    let schema = round_trip("parts", include_str!("odd.sql")).await;
    let orders = table(&schema, "orders");
    let id = &orders.columns[0];
    assert_eq!((id.data_type.name.as_str(), id.not_null), ("integer", true));
    let counting = Identity {
        always: false,
        sequence: None,
        options: SequenceOptions::of_type("bigint"),
    };
    assert_eq!(id.identity, Some(counting));
    assert_eq!(orders.primary_key.as_ref().unwrap().name, "orders_pkey");
    let total = orders.column("total").unwrap();
    let generated = total.generated.as_ref().unwrap();
    assert_eq!(generated.expression.as_str(), "quantity * price");
    assert_eq!(generated.kind, GeneratedKind::Stored);
    let price = orders.column("price").unwrap();
    assert_eq!(price.data_type.parameters, ["10", "2"]);
    assert_eq!(price.not_null_conflict, Conflict::Ignore);
    let names: Vec<&String> = orders.checks.keys().collect();
    assert_eq!(names, ["orders_check", "orders_quantity_check", "positive"]);
    let key = &orders.foreign_keys["orders_customer_fkey"];
    assert_eq!(key.references, ObjectName::new("main", "Customers"));
    assert_eq!(key.referenced_columns, ["Id"]);
    assert_eq!(
        (key.on_update, key.on_delete),
        (Action::Cascade, Action::SetNull)
    );
    assert_eq!(key.deferral, Deferral::InitiallyDeferred);
    let unique = &table(&schema, "Customers").uniques["Customers_Email_key"];
    assert_eq!(unique.conflict, Conflict::Replace);
    let index = &orders.indexes["by_day"];
    assert!(
        matches!(&index.keys[0].target, KeyTarget::Expression(text) if text.as_str() == "date(placed)")
    );
    assert!(index.keys[1].descending);
    assert_eq!(
        index.predicate.as_ref().unwrap().as_str(),
        "quantity > 0 AND note IS NOT NULL"
    );
}

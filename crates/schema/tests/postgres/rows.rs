//! Rows for a schema, and what is in them.

use std::collections::BTreeMap;

use serde_json::Value;
use underpin::Database;
use underpin::schema::{ObjectName, Schema, Table, Type};

/// By table, then by column and its type: what each row has there.
pub(crate) type Rows = BTreeMap<String, BTreeMap<(String, String), Vec<Value>>>;

/// A row for each table that takes one.
pub(crate) async fn fill(db: &Database, schema: &Schema) {
    for (name, table) in &schema.tables {
        if table.partition_of.is_some() {
            continue;
        }
        if let Some(sql) = insert(schema, name, table) {
            // A table whose partitions are not for this row stays empty.
            let _ = db.execute(&sql, ()).await;
        }
    }
}

fn insert(schema: &Schema, name: &ObjectName, table: &Table) -> Option<String> {
    let keys = table.foreign_keys.values().flat_map(|key| &key.columns);
    let keys: Vec<&String> = keys.collect();
    let given = table.columns.iter().filter(|column| {
        let made = column.generated.is_some() || column.identity.is_some();
        !made && column.default.is_none() && !keys.contains(&&column.name)
    });
    let mut columns = Vec::new();
    let mut values = Vec::new();
    for column in given {
        columns.push(format!("\"{}\"", column.name.replace('"', "\"\"")));
        values.push(format!(
            "'{}'",
            value(schema, &column.data_type)?.replace('\'', "''")
        ));
    }
    let name = name.quoted().unwrap();
    Some(match columns.is_empty() {
        true => format!("INSERT INTO {name} DEFAULT VALUES"),
        false => format!(
            "INSERT INTO {name} ({}) VALUES ({})",
            columns.join(", "),
            values.join(", ")
        ),
    })
}

/// A value that the conditions of the generator allow.
fn value(schema: &Schema, of: &Type) -> Option<String> {
    if of.array {
        return Some("{}".to_owned());
    }
    let name = ObjectName::new(of.namespace.clone().unwrap_or_default(), of.name.clone());
    if let Some(of) = schema.enums.get(&name) {
        return of.labels.first().cloned();
    }
    if let Some(of) = schema.domains.get(&name) {
        return value(schema, &of.base);
    }
    let value = match of.name.as_str() {
        "boolean" => "true",
        "date" | "timestamp with time zone" => "2020-06-01",
        "uuid" => "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b",
        "jsonb" => "{}",
        "int4range" => "empty",
        name if name.starts_with("interval") => "1 day",
        "text" | "character varying" | "character" => "b",
        _ => "7",
    };
    Some(value.to_owned())
}

/// What is in the tables; what is computed is left out.
pub(crate) async fn rows(db: &Database, schema: &Schema) -> Rows {
    let mut rows = Rows::new();
    for (name, table) in &schema.tables {
        let sql = format!(
            "SELECT coalesce(jsonb_agg(to_jsonb(whole_row)), '[]')::text FROM ONLY {} whole_row",
            name.quoted().unwrap()
        );
        let text: String = db.query_scalar(&sql, ()).await.unwrap();
        let found: Vec<BTreeMap<String, Value>> = serde_json::from_str(&text).unwrap();
        let stored = table.columns.iter().filter(|one| one.generated.is_none());
        let columns = stored.map(|column| {
            let values = found.iter().map(|row| row[&column.name].clone());
            let of = column.data_type.to_string();
            ((column.name.clone(), of), values.collect())
        });
        rows.insert(name.to_string(), columns.collect());
    }
    rows
}

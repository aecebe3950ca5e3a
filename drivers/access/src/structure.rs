//! The structure of a file: tables, keys, indexes, relationships, rules and descriptions, as the SQL
//! of SQLite that would make them, and as names where SQL has no place for something.

mod rule;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use jetdb::{
    ColumnDef, ColumnType, IndexColumnOrder, IndexDef, PropMapType, Value as Stored, index_flags,
    index_type,
};
use rusqlite::types::Value;
use serde_json::{Value as Json, json};
use underpin_core::{Result, quote};

use crate::catalog::Catalog;
use crate::error::{guarded, of_file};
use crate::scan::{Io, Row, Scan};
use crate::table::Table;

/// The structure, each part as JSON.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    objects: String,
    relations: String,
    columns: String,
    others: String,
}

impl Structure {
    /// The part of this name.
    pub(crate) fn part(&self, name: &str) -> Option<&str> {
        match name {
            "objects" => Some(&self.objects),
            "relations" => Some(&self.relations),
            "columns" => Some(&self.columns),
            "others" => Some(&self.others),
            _ => None,
        }
    }
}

/// Reads the structure; the definitions of the tables are known.
pub(crate) fn read(io: &mut Io<'_>, catalog: &Catalog, tables: &[Arc<Table>]) -> Result<Structure> {
    let relationships = relationships(io, catalog)?;
    let mut writing = Writing {
        taken: index_names(tables),
        ..Writing::default()
    };
    for linked in &catalog.linked {
        writing.other("linked table", linked.name.clone());
    }
    for query in &catalog.queries {
        writing.other("query", query.clone());
    }
    for table in tables {
        writing.table(table, tables, &relationships);
    }
    for relationship in &relationships {
        // Tables of the system have some too.
        let is_own = tables.iter().any(|table| table.name == relationship.table)
            || catalog
                .linked
                .iter()
                .any(|it| it.name == relationship.table);
        if is_own && relationship.constrains(tables).is_none() {
            let (name, of) = (&relationship.name, &relationship.table);
            writing.other("relationship without integrity", format!("{name} on {of}"));
        }
    }
    let text = |values: Vec<Json>| Json::Array(values).to_string();
    Ok(Structure {
        objects: text(writing.objects),
        relations: text(writing.relations),
        columns: text(writing.columns),
        others: text(writing.others),
    })
}

#[derive(Default)]
struct Writing {
    objects: Vec<Json>,
    relations: Vec<Json>,
    columns: Vec<Json>,
    others: Vec<Json>,
    /// The names of indexes that several tables have, which share one set of names elsewhere.
    taken: BTreeSet<String>,
}

impl Writing {
    fn other(&mut self, kind: &str, name: String) {
        self.others.push(json!({ "kind": kind, "name": name }));
    }

    fn table(&mut self, table: &Table, all: &[Arc<Table>], relationships: &[Relationship]) {
        if table.properties.is_err() {
            self.other("properties of table", table.name.clone());
        }
        match self.create(table, all, relationships) {
            Ok(sql) => {
                self.objects
                    .push(object("table", &table.name, &table.name, sql));
                self.relations
                    .push(json!({ "name": table.name, "type": "table" }));
                for index in &table.def.indexes {
                    self.index(table, index);
                }
            }
            // A name that SQL cannot have.
            Err(_) => self.other("table", table.name.clone()),
        }
    }

    fn create(
        &mut self,
        table: &Table,
        all: &[Arc<Table>],
        relationships: &[Relationship],
    ) -> Result<String> {
        let key = key(table);
        let mut parts = Vec::new();
        for (index, column) in table.def.columns.iter().enumerate() {
            if column.is_hidden() {
                continue;
            }
            parts.push(self.column(table, index, column, &key)?);
        }
        if key.len() > 1 || key.len() == 1 && !is_counted(table, &key) {
            parts.push(format!("    PRIMARY KEY ({})", listed(&key)?));
        }
        for relationship in relationships {
            if relationship.table == table.name
                && let Some(clause) = relationship.constrains(all)
            {
                parts.push(format!("    {}", clause?));
            }
        }
        if let Some(check) = self.check(table, None) {
            parts.push(check);
        }
        let about = comment(property(table, None, "Description"), 0);
        let about = if about.is_empty() {
            " ".to_owned()
        } else {
            format!("\n{about}")
        };
        let name = quote::identifier(&table.name)?;
        Ok(format!(
            "CREATE TABLE {name}{about}(\n{}\n)",
            parts.join(",\n")
        ))
    }

    fn column(
        &mut self,
        table: &Table,
        index: usize,
        column: &ColumnDef,
        key: &[String],
    ) -> Result<String> {
        let name = Some(column.name.as_str());
        let mut sql = comment(property(table, name, "Description"), 4);
        let declared = &table.declared[index].sql;
        let _ = write!(sql, "    {} {declared}", quote::identifier(&column.name)?);
        let is_key = key.contains(&column.name);
        if is_key && is_counted(table, key) {
            sql.push_str(" PRIMARY KEY AUTOINCREMENT");
        } else if column.is_auto_number() {
            self.other(
                "automatic value of column",
                format!("{} of {}", column.name, table.name),
            );
        }
        let is_required = matches!(property(table, name, "Required"), Some(Stored::Bool(true)));
        let is_boolean = column.col_type == ColumnType::Boolean && !column.is_calculated;
        let not_null = is_required || is_key || is_boolean;
        if not_null {
            sql.push_str(" NOT NULL");
        }
        match text(property(table, name, "DefaultValue")) {
            None => {}
            Some(default) => match rule::default_value(&default) {
                Some(value) => {
                    let _ = write!(sql, " DEFAULT {value}");
                }
                None if column.is_auto_number() => {}
                None => self.other(
                    "default value",
                    format!("{} of {}: {default}", column.name, table.name),
                ),
            },
        }
        if column.is_calculated {
            let expression = text(property(table, name, "Expression")).unwrap_or_default();
            let what = format!("{} of {}: {expression}", column.name, table.name);
            self.other("calculated column", what);
        }
        if let Some(check) = self.check(table, name) {
            let _ = write!(sql, " {}", check.trim_start());
        }
        self.columns.push(json!({
            "of": table.name, "name": column.name, "not_null": i64::from(not_null),
        }));
        Ok(sql)
    }

    /// The rule of a column or of the table as a check, where SQL has the same condition.
    fn check(&mut self, table: &Table, column: Option<&str>) -> Option<String> {
        let written = text(property(table, column, "ValidationRule"))?;
        match rule::condition(&written, column) {
            Some(condition) => Some(format!("    CHECK ({condition})")),
            None => {
                let of = match column {
                    Some(column) => format!("{column} of {}", table.name),
                    None => table.name.clone(),
                };
                self.other("validation rule", format!("{of}: {written}"));
                None
            }
        }
    }

    fn index(&mut self, table: &Table, index: &IndexDef) {
        // The key is the table's, and a relationship has no columns of its own here.
        if index.index_type != index_type::ORDINARY || index.columns.is_empty() {
            return;
        }
        let of_complex = |column: &ColumnDef| {
            let mut columns = index.columns.iter();
            column.complex_id.is_some() && columns.any(|of| of.col_num == column.col_num)
        };
        if table.def.columns.iter().any(of_complex) {
            return;
        }
        let name = match self.taken.contains(&index.name.to_lowercase()) {
            true => format!("{} {}", table.name, index.name),
            false => index.name.clone(),
        };
        match index_sql(&name, table, index) {
            Some(sql) => self.objects.push(object("index", &name, &table.name, sql)),
            None => self.other("index", format!("{} on {}", index.name, table.name)),
        }
    }
}

fn object(kind: &str, name: &str, of: &str, sql: String) -> Json {
    json!({ "type": kind, "name": name, "of": of, "sql": sql })
}

/// The names that indexes of several tables have.
fn index_names(tables: &[Arc<Table>]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for table in tables {
        seen.insert(table.name.to_lowercase());
    }
    for table in tables {
        for index in &table.def.indexes {
            let is_own = index.index_type == index_type::ORDINARY && !index.columns.is_empty();
            if is_own && !seen.insert(index.name.to_lowercase()) {
                twice.insert(index.name.to_lowercase());
            }
        }
    }
    twice
}

/// The names of the columns of an index.
fn columns_of(table: &Table, index: &IndexDef) -> Option<Vec<String>> {
    let columns = index.columns.iter().map(|of| {
        let mut all = table.def.columns.iter();
        let found = all.find(|column| column.col_num == of.col_num && !column.is_hidden());
        // Those of complex columns are Access's own.
        let found = found.filter(|column| column.complex_id.is_none());
        found.map(|column| column.name.clone())
    });
    columns.collect()
}

/// The columns of the primary key.
fn key(table: &Table) -> Vec<String> {
    let mut indexes = table.def.indexes.iter();
    let key = indexes.find(|index| index.index_type == index_type::PRIMARY);
    key.and_then(|key| columns_of(table, key))
        .unwrap_or_default()
}

/// Whether the key is one column whose values Access counts.
fn is_counted(table: &Table, key: &[String]) -> bool {
    let [only] = key else { return false };
    let mut columns = table.def.columns.iter();
    let column = columns.find(|column| column.name == *only);
    column.is_some_and(|column| column.col_type == ColumnType::Long && column.is_auto_number())
}

fn index_sql(name: &str, table: &Table, index: &IndexDef) -> Option<String> {
    let names = columns_of(table, index)?;
    let columns = names.iter().zip(&index.columns).map(|(name, of)| {
        let name = quote::identifier(name).ok()?;
        Some(match of.order {
            IndexColumnOrder::Ascending => name,
            IndexColumnOrder::Descending => format!("{name} DESC"),
        })
    });
    let columns: Option<Vec<String>> = columns.collect();
    let unique = if index.flags & index_flags::UNIQUE != 0 {
        "UNIQUE "
    } else {
        ""
    };
    let mut sql = format!(
        "CREATE {unique}INDEX {} ON {} ({})",
        quote::identifier(name).ok()?,
        quote::identifier(&table.name).ok()?,
        columns?.join(", ")
    );
    if let (true, [only]) = (index.flags & index_flags::IGNORE_NULLS != 0, &names[..]) {
        let _ = write!(sql, " WHERE {} IS NOT NULL", quote::identifier(only).ok()?);
    }
    Some(sql)
}

fn listed(names: &[String]) -> Result<String> {
    let names: Result<Vec<String>> = names.iter().map(|name| quote::identifier(name)).collect();
    Ok(names?.join(", "))
}

/// What Access notes of the table, or of a column.
fn property<'t>(table: &'t Table, column: Option<&str>, name: &str) -> Option<&'t Stored> {
    let maps = table.properties.as_ref().ok()?;
    let mut maps = maps.iter().filter(|map| match column {
        None => map.map_type == PropMapType::Default,
        Some(column) => map.map_type == PropMapType::Column && map.name == column,
    });
    maps.find_map(|map| {
        let mut properties = map.properties.iter();
        properties
            .find(|property| property.name == name)
            .map(|property| &property.value)
    })
}

/// A text that says something.
fn text(value: Option<&Stored>) -> Option<String> {
    match value {
        Some(Stored::Text(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}

/// A description as comments of SQL, a line each.
fn comment(description: Option<&Stored>, indent: usize) -> String {
    let description = text(description).unwrap_or_default();
    let lines = description.lines().map(|line| match line.trim_end() {
        "" => format!("{:indent$}--\n", ""),
        line => format!("{:indent$}-- {line}\n", ""),
    });
    lines.collect()
}

/// A relationship of two tables.
#[derive(Debug)]
struct Relationship {
    name: String,
    table: String,
    columns: Vec<String>,
    references: String,
    referenced: Vec<String>,
    flags: i64,
}

const NOT_ENFORCED: i64 = 0x2;
const CASCADE_UPDATE: i64 = 0x100;
const CASCADE_DELETE: i64 = 0x1000;
const NULL_ON_DELETE: i64 = 0x2000;

impl Relationship {
    /// The foreign key that Access enforces; `None` where it enforces none in this file.
    fn constrains(&self, tables: &[Arc<Table>]) -> Option<Result<String>> {
        let has = |name: &str| tables.iter().any(|table| table.name == name);
        let is_enforced = self.flags & NOT_ENFORCED == 0;
        let is_here = is_enforced && has(&self.table) && has(&self.references);
        is_here.then(|| self.clause())
    }

    fn clause(&self) -> Result<String> {
        let mut sql = format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
            quote::identifier(&self.name)?,
            listed(&self.columns)?,
            quote::identifier(&self.references)?,
            listed(&self.referenced)?
        );
        if self.flags & CASCADE_UPDATE != 0 {
            sql.push_str(" ON UPDATE CASCADE");
        }
        if self.flags & CASCADE_DELETE != 0 {
            sql.push_str(" ON DELETE CASCADE");
        } else if self.flags & NULL_ON_DELETE != 0 {
            sql.push_str(" ON DELETE SET NULL");
        }
        Ok(sql)
    }
}

/// The columns of `MSysRelationships`, and the place of a column in its relationship.
const OF_RELATIONSHIPS: [&str; 7] = [
    "szRelationship",
    "szObject",
    "szColumn",
    "szReferencedObject",
    "szReferencedColumn",
    "grbit",
    "icolumn",
];

fn relationships(io: &mut Io<'_>, catalog: &Catalog) -> Result<Vec<Relationship>> {
    let mut tables = catalog.tables.iter();
    let Some(entry) = tables.find(|entry| entry.name == "MSysRelationships") else {
        return Ok(Vec::new());
    };
    let read = guarded(|| Table::read(io.reader, entry, true));
    let table = read.map_err(|error| of_file(error, io.place))?;
    let at = OF_RELATIONSHIPS.map(|name| table.column(name));
    let wanted: Vec<usize> = at.into_iter().flatten().collect();
    let rows = Scan::new(Arc::new(table), &wanted, Vec::new()).all(io)?;
    let mut found: BTreeMap<String, Vec<(i64, Row)>> = BTreeMap::new();
    let get = |row: &Row, index: usize| -> Value {
        at[index].map_or(Value::Null, |at| row.values[at].clone())
    };
    let name = |row: &Row, index: usize| match get(row, index) {
        Value::Text(text) => text,
        _ => String::new(),
    };
    let number = |row: &Row, index: usize| match get(row, index) {
        Value::Integer(number) => number,
        _ => 0,
    };
    for row in rows {
        let place = number(&row, 6);
        found.entry(name(&row, 0)).or_default().push((place, row));
    }
    let grouped = found.into_iter().map(|(of, mut rows)| {
        rows.sort_by_key(|(place, _)| *place);
        let all = |index: usize| rows.iter().map(|(_, row)| name(row, index)).collect();
        let (_, first) = &rows[0];
        Relationship {
            table: name(first, 1),
            columns: all(2),
            references: name(first, 3),
            referenced: all(4),
            flags: number(first, 5),
            name: of,
        }
    });
    Ok(grouped.collect())
}

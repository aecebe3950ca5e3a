//! All that there is to know of one object, for people.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use underpin::schema::{
    Column, Domain, GeneratedKind, ObjectName, Persistence, Schema, Table, Trigger, ViewColumn,
};

use super::found::Found;
use super::{grid, words};

/// A column in words.
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) null: &'static str,
    pub(super) default: Option<String>,
    pub(super) comment: Option<String>,
}

/// The columns of an object that has some.
pub(super) fn columns(found: &Found<'_>) -> Vec<Shown> {
    match found {
        Found::Table(_, of) => of.columns.iter().map(column).collect(),
        Found::View(_, of) => of.columns.iter().map(view_column).collect(),
        Found::MaterializedView(_, of) => of.columns.iter().map(view_column).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn write(out: &mut impl Write, schema: &Schema, found: &Found<'_>) -> Result<()> {
    writeln!(out, "{} {}", found.kind(), found.name())?;
    if let Some(comment) = found.comment() {
        for line in comment.lines() {
            writeln!(out, "  {line}")?;
        }
    }
    let columns = columns(found);
    if !columns.is_empty() {
        writeln!(out)?;
        write_columns(out, &columns)?;
    }
    let mut parts = Parts::default();
    match found {
        Found::Table(name, table) => parts.of_table(schema, name, table),
        Found::View(_, of) => {
            parts.triggers(&of.triggers);
            parts.options(&of.options);
            parts.text("query", of.definition.as_str());
        }
        Found::MaterializedView(_, of) => {
            let indexes = of.indexes.iter();
            parts.list("indexes", indexes.map(|(name, of)| words::index(name, of)));
            let columns = of.columns.iter();
            parts.column_options(columns.map(|column| (&column.name, &column.options)));
            parts.options(&of.options);
            parts.text("query", of.definition.as_str());
        }
        Found::Enum(name, of) => {
            parts.list("labels", of.labels.iter().cloned());
            parts.list("used by", users(schema, name));
        }
        Found::Domain(name, of) => parts.of_domain(schema, name, of),
        Found::Sequence(_, of) => {
            parts.list("counts", [words::sequence(of)]);
            let owner = of.owned_by.iter();
            let owner = owner.map(|of| {
                format!(
                    "{}.{}",
                    of.table,
                    words::names(std::slice::from_ref(&of.column))
                )
            });
            parts.list("owned by", owner);
        }
        Found::Function(_, of) => parts.text("definition", of.definition.as_str()),
    }
    parts.write(out)
}

fn column(of: &Column) -> Shown {
    let collation = of.collation.as_ref();
    let collation = collation.map_or(String::new(), |name| format!(" collate {name}"));
    let default = match (&of.default, &of.identity, &of.generated) {
        (_, Some(identity), _) if identity.always => Some("identity, always".to_owned()),
        (_, Some(_), _) => Some("identity".to_owned()),
        (_, _, Some(generated)) => {
            let kind = match generated.kind {
                GeneratedKind::Stored => "stored",
                GeneratedKind::Virtual => "virtual",
            };
            Some(format!("always ({}) {kind}", generated.expression))
        }
        (default, _, _) => default.as_ref().map(ToString::to_string),
    };
    Shown {
        name: words::names(std::slice::from_ref(&of.name)),
        data_type: format!("{}{collation}", of.data_type),
        null: if of.not_null { "no" } else { "yes" },
        default,
        comment: of.comment.clone(),
    }
}

fn view_column(of: &ViewColumn) -> Shown {
    Shown {
        name: words::names(std::slice::from_ref(&of.name)),
        data_type: of.data_type.to_string(),
        null: "",
        default: of.default.as_ref().map(ToString::to_string),
        comment: of.comment.clone(),
    }
}

fn write_columns(out: &mut impl Write, columns: &[Shown]) -> Result<()> {
    let one_line = |text: Option<&String>| {
        text.map_or(String::new(), |text| text.replace(['\n', '\r', '\t'], " "))
    };
    let rows = columns.iter().map(|column| {
        vec![
            column.name.clone(),
            column.data_type.clone(),
            column.null.to_owned(),
            one_line(column.default.as_ref()),
            one_line(column.comment.as_ref()),
        ]
    });
    let names = ["column", "type", "null", "default", "comment"];
    grid::write(out, &names, &rows.collect::<Vec<_>>())
}

/// The columns of a type, as a person would write them.
fn users(schema: &Schema, of: &ObjectName) -> Vec<String> {
    let tables = schema.tables.iter().flat_map(|(name, table)| {
        let columns = table.columns.iter().filter(|column| {
            let data_type = &column.data_type;
            data_type.namespace.as_ref() == Some(&of.namespace) && data_type.name == of.name
        });
        columns.map(move |column| {
            let column = words::names(std::slice::from_ref(&column.name));
            format!("{name}.{column}")
        })
    });
    tables.collect()
}

/// What is said below the columns: titles, and the lines of each.
#[derive(Default)]
struct Parts(Vec<(&'static str, Vec<String>)>);

impl Parts {
    fn list(&mut self, title: &'static str, lines: impl IntoIterator<Item = String>) {
        let lines: Vec<String> = lines.into_iter().collect();
        if !lines.is_empty() {
            self.0.push((title, lines));
        }
    }

    fn text(&mut self, title: &'static str, text: &str) {
        self.list(title, text.trim_end().lines().map(str::to_owned));
    }

    fn options(&mut self, options: &BTreeMap<String, String>) {
        let each = options.iter();
        self.list(
            "options",
            each.map(|(name, value)| format!("{name}={value}")),
        );
    }

    fn column_options<'c>(
        &mut self,
        columns: impl Iterator<Item = (&'c String, &'c BTreeMap<String, String>)>,
    ) {
        let lines = columns.flat_map(|(column, options)| {
            let column = words::names(std::slice::from_ref(column));
            let each = options.iter();
            each.map(move |(name, value)| format!("{column}: {name}={value}"))
        });
        self.list("column options", lines);
    }

    fn triggers(&mut self, triggers: &BTreeMap<String, Trigger>) {
        let lines = triggers.values().flat_map(|of| {
            let state = words::trigger_state(of.state);
            let text = format!("{}{state}", of.definition);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        self.list("triggers", lines);
    }

    fn of_domain(&mut self, schema: &Schema, name: &ObjectName, of: &Domain) {
        let null = if of.not_null { ", not null" } else { "" };
        self.list("over", [format!("{}{null}", of.base)]);
        self.list("default", of.default.iter().map(ToString::to_string));
        let checks = of.checks.iter();
        self.list("checks", checks.map(|(name, of)| words::check(name, of)));
        self.list("used by", users(schema, name));
    }

    fn of_table(&mut self, schema: &Schema, name: &ObjectName, table: &Table) {
        self.list(
            "primary key",
            table.primary_key.iter().map(words::primary_key),
        );
        let uniques = table.uniques.iter();
        self.list("unique", uniques.map(|(name, of)| words::unique(name, of)));
        let checks = table.checks.iter();
        self.list("checks", checks.map(|(name, of)| words::check(name, of)));
        let exclusions = table.exclusions.iter();
        self.list(
            "exclusions",
            exclusions.map(|(name, of)| words::exclusion(name, of)),
        );
        let keys = table.foreign_keys.iter();
        self.list(
            "foreign keys",
            keys.map(|(name, of)| words::foreign_key(name, of)),
        );
        self.list("referenced by", referenced_by(schema, name));
        let indexes = table.indexes.iter();
        self.list("indexes", indexes.map(|(name, of)| words::index(name, of)));
        self.triggers(&table.triggers);
        self.list("row security", row_security(table));
        let policies = table.policies.iter();
        self.list(
            "policies",
            policies.map(|(name, of)| words::policy(name, of)),
        );
        self.list(
            "partitioned by",
            table.partition_by.iter().map(words::partition_by),
        );
        let partitions = schema.tables.iter().filter_map(|(child, of)| {
            let of = of.partition_of.as_ref().filter(|of| of.parent == *name)?;
            Some(format!("{child} {}", words::bound(&of.bound)))
        });
        self.list("partitions", partitions);
        let of = table.partition_of.iter();
        self.list(
            "partition of",
            of.map(|of| format!("{} {}", of.parent, words::bound(&of.bound))),
        );
        self.list("inherits", table.inherits.iter().map(ToString::to_string));
        let unlogged = table.persistence == Persistence::Unlogged;
        let unlogged = unlogged.then(|| "no: its rows are lost after a crash".to_owned());
        self.list("logged", unlogged);
        let columns = table.columns.iter();
        self.column_options(columns.map(|column| (&column.name, &column.options)));
        self.options(&table.options);
    }

    fn write(&self, out: &mut impl Write) -> Result<()> {
        let widest = self.0.iter().map(|(title, _)| title.len()).max();
        let Some(widest) = widest else {
            return Ok(());
        };
        writeln!(out)?;
        for (title, lines) in &self.0 {
            let mut title = *title;
            for line in lines {
                writeln!(out, "{}", format!("{title:widest$}  {line}").trim_end())?;
                title = "";
            }
        }
        Ok(())
    }
}

/// The foreign keys that point here, but for those of partitions.
fn referenced_by(schema: &Schema, name: &ObjectName) -> Vec<String> {
    let tables = schema.tables.iter().flat_map(|(table, of)| {
        let keys = of.foreign_keys.iter();
        let keys = keys.filter(|(_, key)| key.references == *name && !key.inherited);
        keys.map(move |(_, key)| {
            let (columns, here) = (
                words::names(&key.columns),
                words::names(&key.referenced_columns),
            );
            format!("{table} ({columns}) → ({here}){}", words::manner(key))
        })
    });
    tables.collect()
}

fn row_security(table: &Table) -> Option<String> {
    let security = table.row_security;
    match (security.enabled, security.forced) {
        (true, true) => Some("enforced, also for the owner".to_owned()),
        (true, false) => Some("enforced, except for the owner".to_owned()),
        (false, _) if !table.policies.is_empty() => {
            Some("off: the policies are not enforced".to_owned())
        }
        (false, _) => None,
    }
}

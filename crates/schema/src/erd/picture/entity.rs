//! The boxes: tables, views, enums.

use std::collections::BTreeSet;

use super::{Entity, Kind, Mark, Naming, Picture, Row};
use crate::erd::Columns;
use crate::{
    Column, GeneratedKind, KeyTarget, ObjectName, PartitionStrategy, Schema, Table, ViewColumn,
};

/// How many labels of an enum are shown; the tooltip has them all.
const LABELS: usize = 12;

pub(super) fn table(
    naming: &Naming,
    name: &ObjectName,
    table: &Table,
    partitions: &[&ObjectName],
) -> Entity {
    let marks = Marks::of(table);
    let row = |column: &Column| Row {
        name: column.name.clone(),
        data_type: naming.data_type(&column.data_type),
        marks: marks.on(&column.name),
        not_null: Some(column.not_null),
        tooltip: Some(told(column)),
    };
    Entity {
        kind: Kind::Table,
        name: naming.name(name),
        rows: table.columns.iter().map(row).collect(),
        note: note(naming, table, partitions),
        tooltip: tooltip(name, table, partitions),
    }
}

/// Objects that are drawn apart from the tables.
pub(super) fn others(schema: &Schema, naming: &Naming, columns: Columns, picture: &mut Picture) {
    let mut view = |kind, name: &ObjectName, view_columns: &[ViewColumn], comment: &Option<_>| {
        let shown = if columns == Columns::All {
            view_columns
        } else {
            &[]
        };
        let row = |column: &ViewColumn| Row {
            name: column.name.clone(),
            data_type: naming.data_type(&column.data_type),
            tooltip: column.comment.clone(),
            ..Row::default()
        };
        picture.entities.push(Entity {
            kind,
            name: naming.name(name),
            rows: shown.iter().map(row).collect(),
            note: None,
            tooltip: comment.clone(),
        });
    };
    for (name, one) in &schema.views {
        view(Kind::View, name, &one.columns, &one.comment);
    }
    for (name, one) in &schema.materialized_views {
        view(Kind::MaterializedView, name, &one.columns, &one.comment);
    }
    if columns != Columns::All {
        return;
    }
    for (name, one) in &schema.enums {
        let row = |label: &String| Row {
            name: label.clone(),
            ..Row::default()
        };
        let more = one.labels.len().saturating_sub(LABELS);
        let all = one.labels.join(", ");
        picture.entities.push(Entity {
            kind: Kind::Enum,
            name: naming.name(name),
            rows: one.labels.iter().take(LABELS).map(row).collect(),
            note: (more > 0).then(|| format!("and {more} more")),
            tooltip: Some(match &one.comment {
                Some(comment) => format!("{comment}\n{all}"),
                None => all,
            }),
        });
    }
}

/// Which columns of a table are in which of its keys.
struct Marks {
    primary: Vec<String>,
    foreign: BTreeSet<String>,
    uniques: Vec<Vec<String>>,
}

impl Marks {
    fn of(table: &Table) -> Self {
        let keys = table.foreign_keys.values();
        Marks {
            primary: (table.primary_key.as_ref()).map_or_else(Vec::new, |key| key.columns.clone()),
            foreign: keys.flat_map(|key| key.columns.iter().cloned()).collect(),
            uniques: uniques(table),
        }
    }

    fn on(&self, column: &str) -> Vec<Mark> {
        let is = |name: &String| name == column;
        let mut marks = Vec::new();
        if self.primary.iter().any(is) {
            marks.push(Mark::Primary);
        }
        if self.foreign.contains(column) {
            marks.push(Mark::Foreign);
        }
        if self.uniques.iter().any(|one| one.len() == 1 && is(&one[0])) {
            marks.push(Mark::Unique);
        }
        let joint = self.uniques.iter().filter(|one| one.len() > 1);
        let joint = joint.enumerate().filter(|(_, one)| one.iter().any(is));
        marks.extend(joint.map(|(number, _)| Mark::UniqueWith(number + 1)));
        marks
    }
}

/// The sets of columns that are unique for every row, but for the primary key.
pub(super) fn uniques(table: &Table) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let constraints = (table.uniques.values()).map(|unique| unique.columns.clone());
    let indexes = (table.indexes.values())
        .filter(|index| index.unique && index.predicate.is_none())
        .filter_map(|index| {
            let column = |target: &KeyTarget| match target {
                KeyTarget::Column(name) => Some(name.clone()),
                KeyTarget::Expression(_) => None,
            };
            index.keys.iter().map(|key| column(&key.target)).collect()
        });
    for columns in constraints.chain(indexes) {
        if !found.contains(&columns) {
            found.push(columns);
        }
    }
    found
}

/// All of a column in words, for its tooltip.
fn told(column: &Column) -> String {
    let mut text = format!("{} {}", column.name, column.data_type);
    if column.not_null {
        text.push_str(" not null");
    }
    if let Some(default) = &column.default {
        text.push_str(&format!(" default {default}"));
    }
    match &column.identity {
        Some(identity) if identity.always => text.push_str(" generated always as identity"),
        Some(_) => text.push_str(" generated by default as identity"),
        None => {}
    }
    if let Some(generated) = &column.generated {
        let kind = match generated.kind {
            GeneratedKind::Stored => "stored",
            GeneratedKind::Virtual => "virtual",
        };
        text.push_str(&format!(
            " generated always as ({}) {kind}",
            generated.expression
        ));
    }
    if let Some(comment) = &column.comment {
        text.push('\n');
        text.push_str(comment);
    }
    text
}

fn note(naming: &Naming, table: &Table, partitions: &[&ObjectName]) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(by) = &table.partition_by {
        let strategy = match by.strategy {
            PartitionStrategy::Range => "range",
            PartitionStrategy::List => "list",
            PartitionStrategy::Hash => "hash",
        };
        parts.push(match partitions.len() {
            0 => format!("partitioned by {strategy}"),
            1 => format!("1 partition by {strategy}"),
            many => format!("{many} partitions by {strategy}"),
        });
    } else if !partitions.is_empty() {
        parts.push(format!("{} partitions", partitions.len()));
    }
    if !table.inherits.is_empty() {
        let parents: Vec<String> = (table.inherits.iter())
            .map(|name| naming.name(name))
            .collect();
        parts.push(format!("inherits {}", parents.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn tooltip(name: &ObjectName, table: &Table, partitions: &[&ObjectName]) -> Option<String> {
    let mut text = name.to_string();
    if let Some(comment) = &table.comment {
        text.push('\n');
        text.push_str(comment);
    }
    if !partitions.is_empty() {
        let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        text.push_str(&format!("\npartitions: {}", names.join(", ")));
    }
    Some(text)
}

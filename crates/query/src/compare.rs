//! What an engine says of a statement beside the Rust types that use it.

use underpin_core::{
    Column, ColumnCount, ColumnPlace, Columns, ParameterShape, ReadColumn, RowShape,
    StatementDescription,
};

use super::advice::{short, to_read, to_send};
use super::fit::{misfit, takes_null};
use super::{Problem, Statement};

/// All that does not fit, in order.
pub(super) fn compare(query: &dyn Statement, said: &StatementDescription) -> Vec<Problem> {
    let mut problems = Vec::new();
    parameters(&query.parameters(), said, &mut problems);
    match query.row() {
        Some(row) => Rows::new(query, said).compare(&row, &mut problems),
        None => problems.push(Problem::UnknownRow {
            rust_type: short(query.row_type()),
        }),
    }
    problems
}

fn parameters(
    declared: &[ParameterShape],
    said: &StatementDescription,
    problems: &mut Vec<Problem>,
) {
    if declared.len() != said.parameters.len() {
        problems.push(Problem::ParameterCount {
            expected: said.parameters.len(),
            declared: declared.len(),
        });
        return;
    }
    for (at, (declared, expected)) in declared.iter().zip(&said.parameters).enumerate() {
        let mut specimens = declared.specimens.iter();
        if let Some(why) = specimens.find_map(|value| (expected.takes)(value).err()) {
            problems.push(Problem::Parameter {
                number: at + 1,
                expected: expected.type_name.clone(),
                rust_type: short(declared.rust_type),
                why,
                instead: to_send(expected),
            });
        }
    }
}

/// The rows that a statement gives.
struct Rows<'a> {
    query: &'a dyn Statement,
    said: &'a StatementDescription,
    columns: Columns,
    /// The columns that the statement keeps NULL out of, by their index.
    not_null: Vec<usize>,
    /// A name in a remark about NULL that is not a column.
    unknown: Vec<&'a str>,
}

impl<'a> Rows<'a> {
    fn new(query: &'a dyn Statement, said: &'a StatementDescription) -> Self {
        let column = |column: &underpin_core::ColumnDescription| Column {
            name: column.name.clone(),
            type_name: column.type_name.clone().into(),
        };
        let columns = Columns(said.columns.iter().map(column).collect());
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for name in not_null(query.sql()) {
            match columns.position(name) {
                Some(at) => known.push(at),
                None => unknown.push(name),
            }
        }
        Rows {
            query,
            said,
            columns,
            not_null: known,
            unknown,
        }
    }

    fn compare(&self, row: &RowShape, problems: &mut Vec<Problem>) {
        let required = row.columns.iter().any(|column| !column.optional);
        if self.columns.is_empty() && required {
            problems.push(Problem::NoRows {
                rust_type: short(self.query.row_type()),
            });
            return;
        }
        let wanted = match row.count {
            ColumnCount::Exactly(wanted) if wanted != self.columns.len() => Some(wanted),
            ColumnCount::AtLeast(wanted) if wanted > self.columns.len() => Some(wanted),
            _ => None,
        };
        if let Some(wanted) = wanted {
            problems.push(Problem::ColumnCount {
                rust_type: short(self.query.row_type()),
                wanted,
                columns: self.names(),
            });
            return;
        }
        for read in &row.columns {
            problems.extend(self.column(read));
        }
        problems.extend(self.unknown.iter().map(|name| Problem::NotNull {
            name: (*name).to_owned(),
            columns: self.names(),
        }));
    }

    fn column(&self, read: &ReadColumn) -> Option<Problem> {
        let rust_type = short(read.rust_type);
        let at = match read.place {
            ColumnPlace::At(index) => index,
            ColumnPlace::Named(name) => match self.columns.position(name) {
                Some(index) => index,
                None if read.optional => return None,
                None => {
                    return Some(Problem::MissingColumn {
                        name: name.to_owned(),
                        rust_type,
                        nearest: self.nearest(name),
                        columns: self.names(),
                    });
                }
            },
        };
        let column = self.said.columns.get(at)?;
        let (name, number) = (column.name.clone(), at + 1);
        if let Some(why) = misfit(column, read) {
            return Some(Problem::Column {
                name,
                number,
                type_name: column.type_name.clone(),
                rust_type,
                why,
                instead: to_read(&column.holds),
            });
        }
        let nullable = column.nullable == Some(true) && !self.not_null.contains(&at);
        (nullable && !takes_null(read)).then_some(Problem::Nullable {
            name,
            number,
            rust_type,
        })
    }

    fn names(&self) -> Vec<String> {
        let columns = self.columns.iter();
        columns.map(|column| column.name.clone()).collect()
    }

    /// The column whose name is so similar that it may be meant.
    fn nearest(&self, name: &str) -> Option<String> {
        let near = |other: &str| strsim::jaro_winkler(name, other);
        let names = self.columns.iter().map(|column| column.name.as_str());
        let nearest = names.max_by(|a, b| near(a).total_cmp(&near(b)))?;
        (near(nearest) > 0.8).then(|| nearest.to_owned())
    }
}

/// The names in the lines `-- not null: a, b` of a statement.
fn not_null(sql: &str) -> impl Iterator<Item = &str> {
    sql.lines()
        .filter_map(|line| line.trim().strip_prefix("--"))
        .filter_map(|comment| comment.trim().strip_prefix("not null:"))
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().trim_matches('"'))
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_says_which_columns_are_not_null() {
        let sql = "-- by e-mail\n-- not null: email, \"Full Name\"\nSELECT 1 -- not null: no\n--not null: id,";
        assert_eq!(
            not_null(sql).collect::<Vec<_>>(),
            ["email", "Full Name", "id"]
        );
    }
}

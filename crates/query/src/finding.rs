use std::fmt;

use underpin_core::Error;

/// One thing that is wrong with a query, as a sentence for the person who wrote it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the query.
    pub query: String,
    /// The file that it stands in.
    pub file: String,
    /// The line of that, counted from 1.
    pub line: u32,
    /// The column of the line, counted from 1, where it is known.
    pub column: Option<u32>,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a query.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// The engine cannot prepare it.
    Refused(Error),
    /// It has more or fewer parameters than there are types.
    ParameterCount {
        /// How many the engine expects.
        expected: usize,
        /// How many types there are.
        declared: usize,
    },
    /// A parameter cannot be sent as what the engine expects.
    Parameter {
        /// Its number, counted from 1.
        number: usize,
        /// The engine's name for what it expects.
        expected: String,
        /// The Rust type.
        rust_type: String,
        /// A clause that says why not.
        why: String,
        /// A Rust type that could be sent.
        instead: Option<String>,
    },
    /// It gives no rows, and they are read.
    NoRows {
        /// The type that a row is read as.
        rust_type: String,
    },
    /// The type that a row is read as does not say which columns it reads.
    UnknownRow {
        /// That type.
        rust_type: String,
    },
    /// It gives more or fewer columns than are read by position.
    ColumnCount {
        /// The type that a row is read as.
        rust_type: String,
        /// How many that reads.
        wanted: usize,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// It has no column of this name.
    MissingColumn {
        /// The name.
        name: String,
        /// The Rust type of what is read from it.
        rust_type: String,
        /// The column with the most similar name.
        nearest: Option<String>,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// A column cannot be read as the Rust type.
    Column {
        /// Its name.
        name: String,
        /// Its number, counted from 1.
        number: usize,
        /// The engine's name for its type.
        type_name: String,
        /// The Rust type.
        rust_type: String,
        /// A clause that says why not.
        why: String,
        /// A Rust type that reads it.
        instead: Option<String>,
    },
    /// A column can be NULL, and the Rust type has no place for that.
    Nullable {
        /// Its name.
        name: String,
        /// Its number, counted from 1.
        number: usize,
        /// The Rust type.
        rust_type: String,
    },
    /// A line `-- not null: …` names something that is not a column.
    NotNull {
        /// The name in it.
        name: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// Another query has the same name.
    SameName {
        /// Where that one stands.
        other: String,
    },
    /// It stands in the directory of queries, and it is not among the checked ones.
    NotListed,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}: {}", self.query, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Refused(error) => write!(f, "{error}"),
            Problem::ParameterCount { .. } | Problem::Parameter { .. } => self.of_parameters(f),
            Problem::NoRows { .. } | Problem::UnknownRow { .. } | Problem::ColumnCount { .. } => {
                self.of_row(f)
            }
            Problem::SameName { other } => write!(
                f,
                "The query at {other} has the same name. Rename one of them."
            ),
            Problem::NotListed => write!(
                f,
                "This query is not checked. Declare it with query!(…) and add it to the list, or \
                 remove it."
            ),
            _ => self.of_column(f),
        }
    }
}

impl Problem {
    fn of_parameters(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::ParameterCount { expected, declared } => write!(
                f,
                "The statement has {}, but the query has {}. List the types of all parameters, in \
                 order, as a tuple.",
                counted(*expected, "parameter"),
                counted(*declared, "type")
            ),
            Problem::Parameter {
                number,
                expected,
                rust_type,
                why,
                instead,
            } => {
                let instead = instead.as_deref().unwrap_or("another type");
                write!(
                    f,
                    "Parameter {number} is the Rust type {rust_type}, but the statement expects \
                     {expected}: {why}. Use {instead}, or cast it: ${number}::type."
                )
            }
            _ => Ok(()),
        }
    }

    fn of_row(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NoRows { rust_type } => write!(
                f,
                "The statement returns no rows, but the query reads them as {rust_type}. Add \
                 RETURNING, or leave out the type of the row.",
            ),
            Problem::UnknownRow { rust_type } => write!(
                f,
                "The Rust type {rust_type} does not say which columns it reads, so it cannot be \
                 checked. Derive FromRow, or implement FromRow::shape.",
            ),
            Problem::ColumnCount {
                rust_type,
                wanted,
                columns,
            } => write!(
                f,
                "{rust_type} reads {} by position, but the statement returns {}: {}. Select \
                 exactly the columns that are read.",
                counted(*wanted, "column"),
                columns.len(),
                columns.join(", ")
            ),
            _ => Ok(()),
        }
    }

    fn of_column(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::MissingColumn {
                name,
                rust_type,
                nearest,
                columns,
            } => {
                write!(
                    f,
                    "A column {name:?} should be read as {rust_type}, but the statement has none. "
                )?;
                match nearest {
                    Some(nearest) => write!(
                        f,
                        "The nearest is {nearest:?}; write `{nearest} AS {name}` if that is \
                         intended."
                    ),
                    None => write!(f, "Its columns are: {}.", columns.join(", ")),
                }
            }
            Problem::Column {
                name,
                number,
                type_name,
                rust_type,
                why,
                instead,
            } => {
                write!(
                    f,
                    "Column {name:?} (number {number}, of type {type_name}) cannot be read as the \
                     Rust type {rust_type}: {why}. "
                )?;
                match instead {
                    Some(instead) => {
                        write!(f, "Read it as {instead}, or cast it in the statement.")
                    }
                    None => write!(f, "Cast it in the statement."),
                }
            }
            Problem::Nullable {
                name,
                number,
                rust_type,
            } => write!(
                f,
                "Column {name:?} (number {number}) can be NULL, but {rust_type} cannot. Read it as \
                 Option<{rust_type}>; if the statement excludes NULL, say so with a line `-- not \
                 null: {name}` in it.",
            ),
            Problem::NotNull { name, columns } => write!(
                f,
                "The line `-- not null:` names {name:?}, which is not a column of the statement. Its \
                 columns are: {}.",
                columns.join(", ")
            ),
            _ => Ok(()),
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

use std::collections::HashMap;

use underpin_core::{Class, Error, Result};

use super::compare::compare;
use super::{Describe, Finding, Problem, Statement, directory};

/// The queries of an application, to be checked together; [`queries!`](crate::queries) makes it.
pub struct Queries {
    list: &'static [&'static dyn Statement],
    /// The package and the directory in it of which every file has to be listed.
    directory: Option<(&'static str, &'static str)>,
}

/// The queries to be checked: `queries![RECENT, BY_EMAIL]`. With the directory of their files
/// before them, `queries!["queries"; RECENT, BY_EMAIL]`, it is checked as well that not one of
/// the files was forgotten.
#[macro_export]
macro_rules! queries {
    ($directory:literal; $($query:expr),* $(,)?) => {
        $crate::queries![$($query),*].in_directory(::core::env!("CARGO_MANIFEST_DIR"), $directory)
    };
    ($($query:expr),* $(,)?) => {
        $crate::Queries::new(&[$(&$query),*])
    };
}

impl Queries {
    /// These queries.
    pub const fn new(list: &'static [&'static dyn Statement]) -> Self {
        Queries {
            list,
            directory: None,
        }
    }

    /// The same queries, and every file of a directory of the package is to be among them.
    #[must_use]
    pub const fn in_directory(self, package: &'static str, directory: &'static str) -> Self {
        Queries {
            directory: Some((package, directory)),
            ..self
        }
    }

    /// The queries, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn Statement> {
        self.list.iter().copied()
    }

    /// Has the database prepare each query, runs none, and fails with all that does not fit
    /// the Rust types: a sentence each, with file and line. The database is one with the
    /// application's schema, such as a scratch database that was migrated.
    ///
    /// # Errors
    /// `Class::Data` for queries that do not fit, else as for
    /// [`findings`](Queries::findings).
    ///
    /// # Cancel safety
    /// Safe: nothing is run.
    pub async fn check(&self, database: &impl Describe) -> Result<()> {
        let findings = self.findings(database).await?;
        if findings.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = findings.iter().map(|found| format!("\n{found}")).collect();
        let count = match findings.len() {
            1 => "1 thing does".to_owned(),
            count => format!("{count} things do"),
        };
        Err(Error::new(
            Class::Data,
            format!("{count} not fit in the queries:{}", lines.concat()),
        ))
    }

    /// As [`check`](Queries::check), and gives what was found.
    ///
    /// # Errors
    /// What connecting failed with, and not what the engine says of a query;
    /// `Class::Missing` where the directory of the queries cannot be read.
    ///
    /// # Cancel safety
    /// Safe: nothing is run.
    pub async fn findings(&self, database: &impl Describe) -> Result<Vec<Finding>> {
        let mut findings = self.of_the_list()?;
        for query in self.iter() {
            let problems = match database.describe(query.sql()).await {
                Ok(said) => compare(query, &said),
                Err(error) if concerns_statement(&error) => vec![Problem::Refused(error)],
                Err(error) => return Err(error),
            };
            findings.extend(problems.into_iter().map(|problem| found(query, problem)));
        }
        Ok(findings)
    }

    /// What is wrong with the list itself.
    fn of_the_list(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let mut names = HashMap::new();
        for query in self.iter() {
            if let Some(other) = names.insert(query.name(), query.origin()) {
                let other = other.to_string();
                findings.push(found(query, Problem::SameName { other }));
            }
        }
        let Some((package, directory)) = self.directory else {
            return Ok(findings);
        };
        for file in directory::read(package, directory)? {
            let is_it = |query: &dyn Statement| {
                let origin = query.origin();
                origin.holds_text
                    && origin.file.trim_start_matches("./") == file.file.trim_start_matches("./")
                    && query.name() == file.name
            };
            if !self.iter().any(is_it) {
                findings.push(Finding {
                    query: file.name,
                    file: file.file,
                    line: file.line,
                    column: None,
                    problem: Problem::NotListed,
                });
            }
        }
        Ok(findings)
    }
}

impl std::fmt::Debug for Queries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|query| query.name()))
            .finish()
    }
}

/// Whether an error says something of the statement, and not of the way to the database.
fn concerns_statement(error: &Error) -> bool {
    matches!(
        error.class(),
        Class::Syntax
            | Class::Missing
            | Class::Permission
            | Class::Unsupported
            | Class::Data
            | Class::Constraint
            | Class::Server
    )
}

fn found(query: &dyn Statement, problem: Problem) -> Finding {
    let origin = query.origin();
    let position = match &problem {
        Problem::Refused(error) => error.position(),
        _ => None,
    };
    let at = position.and_then(|position| origin.of_character(query.sql(), position));
    Finding {
        query: query.name().to_owned(),
        file: origin.file.to_owned(),
        line: at.map_or(origin.line, |(line, _)| line),
        column: at.map(|(_, column)| column),
        problem,
    }
}

//! Comments, on everything that can have one.

use underpin_core::{Result, quote};

use super::defined::keyword as keyword_of;
use super::function::keyword;
use super::literal::literal;
use crate::{DefinedName, FunctionKind, FunctionName, ObjectName};

/// The object of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'s> {
    /// A namespace.
    Namespace(&'s str),
    /// An extension.
    Extension(&'s str),
    /// An enumerated type.
    Enum(&'s ObjectName),
    /// A domain.
    Domain(&'s ObjectName),
    /// A check of a domain, by the domain and its name.
    DomainCheck(&'s ObjectName, &'s str),
    /// An object that is carried as the statements which make it.
    Defined(&'s DefinedName),
    /// A sequence.
    Sequence(&'s ObjectName),
    /// A function or procedure.
    Function(&'s FunctionName, FunctionKind),
    /// A table.
    Table(&'s ObjectName),
    /// A column, by its table or view and its name.
    Column(&'s ObjectName, &'s str),
    /// A constraint, by its table and its name.
    Constraint(&'s ObjectName, &'s str),
    /// An index that no constraint made.
    Index(&'s ObjectName),
    /// A trigger, by its table or view and its name.
    Trigger(&'s ObjectName, &'s str),
    /// A policy, by its table and its name.
    Policy(&'s ObjectName, &'s str),
    /// A view.
    View(&'s ObjectName),
    /// A materialized view.
    MaterializedView(&'s ObjectName),
}

/// `COMMENT ON … IS …`; none: `NULL`, which takes the comment away.
///
/// # Errors
/// For a name that cannot be one.
pub fn set(subject: Subject<'_>, comment: Option<&str>) -> Result<String> {
    let text = comment.map_or_else(|| "NULL".to_owned(), literal);
    Ok(format!("COMMENT ON {} IS {text}", named(subject)?))
}

fn named(subject: Subject<'_>) -> Result<String> {
    let on = |kind: &str, name: &str, of: &ObjectName| {
        Ok(format!(
            "{kind} {} ON {}",
            quote::identifier(name)?,
            of.quoted()?
        ))
    };
    Ok(match subject {
        Subject::Namespace(name) => format!("SCHEMA {}", quote::identifier(name)?),
        Subject::Extension(name) => format!("EXTENSION {}", quote::identifier(name)?),
        Subject::Enum(name) => format!("TYPE {}", name.quoted()?),
        Subject::Domain(name) => format!("DOMAIN {}", name.quoted()?),
        Subject::DomainCheck(domain, name) => format!(
            "CONSTRAINT {} ON DOMAIN {}",
            quote::identifier(name)?,
            domain.quoted()?
        ),
        Subject::Defined(name) => {
            format!("{} {}", keyword_of(name.kind), name.identity)
        }
        Subject::Sequence(name) => format!("SEQUENCE {}", name.quoted()?),
        Subject::Function(name, kind) => format!("{} {}", keyword(kind), name.quoted()?),
        Subject::Table(name) => format!("TABLE {}", name.quoted()?),
        Subject::Column(of, name) => {
            format!("COLUMN {}.{}", of.quoted()?, quote::identifier(name)?)
        }
        Subject::Constraint(of, name) => return on("CONSTRAINT", name, of),
        Subject::Index(name) => format!("INDEX {}", name.quoted()?),
        Subject::Trigger(of, name) => return on("TRIGGER", name, of),
        Subject::Policy(of, name) => return on("POLICY", name, of),
        Subject::View(name) => format!("VIEW {}", name.quoted()?),
        Subject::MaterializedView(name) => format!("MATERIALIZED VIEW {}", name.quoted()?),
    })
}

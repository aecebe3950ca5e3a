use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};
use underpin_core::{Result, quote};

use crate::object_name::plain;
use crate::{Expression, ObjectRef};

/// The identity of a function or procedure: several can have the same name.
///
/// It is shown, and serialised, as a person would write it: `public.total(integer, text)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionName {
    /// The namespace.
    pub namespace: String,
    /// The name in it, without quotes.
    pub name: String,
    /// The types of its input arguments in order, as SQL text: `integer`, `public.mood[]`.
    pub arguments: Vec<String>,
}

impl FunctionName {
    /// The identity as SQL has it after `DROP FUNCTION`.
    ///
    /// # Errors
    /// As [`quote::identifier`]: for a part that is empty or holds a NUL byte.
    pub fn quoted(&self) -> Result<String> {
        Ok(format!(
            "{}.{}({})",
            quote::identifier(&self.namespace)?,
            quote::identifier(&self.name)?,
            self.arguments.join(", ")
        ))
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, name) = (plain(&self.namespace), plain(&self.name));
        write!(f, "{namespace}.{name}({})", self.arguments.join(", "))
    }
}

impl Serialize for FunctionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A function or a procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Which of the two.
    pub kind: FunctionKind,
    /// All of it, as the server renders it: `CREATE OR REPLACE FUNCTION …`.
    pub definition: Expression,
    /// Its arguments with their names, modes and defaults. One of the same identity can be
    /// replaced in place only where these and what it returns are compatible.
    pub arguments: String,
    /// Its result type; none for a procedure.
    pub returns: Option<String>,
    /// The objects that it uses, as far as the engine knows. Bodies that are strings are opaque.
    pub depends_on: BTreeSet<ObjectRef>,
    /// The comment on it.
    pub comment: Option<String>,
}

/// The kind of a [`Function`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FunctionKind {
    /// It returns something.
    Function,
    /// It is called by CALL.
    Procedure,
}

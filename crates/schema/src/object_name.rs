use std::fmt;

use serde::{Serialize, Serializer};
use underpin_core::{Result, quote};

/// The name of an object within its namespace. It is the whole identity of everything that
/// a namespace holds, but for functions (see [`FunctionName`](crate::FunctionName)).
///
/// It is shown, and serialised, as a person would write it: `public.users`,
/// `public."Order Items"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ObjectName {
    /// The namespace; `main` on SQLite.
    pub namespace: String,
    /// The name in it, as the catalog has it, without quotes.
    pub name: String,
}

impl ObjectName {
    /// The name `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        ObjectName {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Another name in the same namespace.
    pub fn sibling(&self, name: impl Into<String>) -> Self {
        ObjectName::new(self.namespace.clone(), name)
    }

    /// The name as SQL has it, qualified, each part in quotes.
    ///
    /// # Errors
    /// As [`quote::identifier`]: for a part that is empty or holds a NUL byte.
    pub fn quoted(&self) -> Result<String> {
        Ok(format!(
            "{}.{}",
            quote::identifier(&self.namespace)?,
            quote::identifier(&self.name)?
        ))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", plain(&self.namespace), plain(&self.name))
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A name for people: in quotes only where it could be misread without. Never for SQL, since
/// it knows no reserved words.
pub fn plain(name: &str) -> std::borrow::Cow<'_, str> {
    let simple = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match !name.is_empty()
        && name.chars().all(simple)
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        true => name.into(),
        false => format!("\"{}\"", name.replace('"', "\"\"")).into(),
    }
}

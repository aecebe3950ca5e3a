use std::fmt;

use serde::Serialize;
use underpin_core::{Class, Error, Result, quote};

use crate::object_name::plain;
use crate::sql_text;

/// The type of a column, as the engine spells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
pub struct Type {
    /// The namespace of a type that is not the engine's own: an enum's, a domain's, an
    /// extension's. None where the engine defines the type.
    pub namespace: Option<String>,
    /// The name without its parameters. Of the engine's own types, SQL text in the engine's
    /// long form: `character varying`, `timestamp with time zone`, `interval day to second`.
    /// Of others, the identifier as the catalog has it. On SQLite, what was declared.
    pub name: String,
    /// The text in parentheses: the length, or the precision and scale. Empty if there is none.
    pub parameters: Vec<String>,
    /// Whether it is an array of that. PostgreSQL keeps no number of dimensions.
    pub array: bool,
}

impl Type {
    /// A type of the engine, or of this name without a namespace, with no parameters.
    pub fn named(name: impl Into<String>) -> Self {
        Type {
            name: name.into(),
            ..Type::default()
        }
    }

    /// Reads a type as SQL has it: `numeric(10,2)`, `timestamp(3) with time zone[]`,
    /// `public."Mood"`. What is not qualified is taken as the engine's own, and no name is
    /// changed to another: `int4` stays `int4`.
    ///
    /// # Errors
    /// [`Class::Config`] for a text that is not a type: empty, or with a quote or a
    /// parenthesis left open.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::new(Class::Config, format!("{text:?} is not a valid type."));
        let mut rest = text.trim();
        let mut array = false;
        while let Some(element) = rest.strip_suffix(']') {
            let (element, dimension) = element.rsplit_once('[').ok_or_else(wrong)?;
            if !dimension.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong());
            }
            (rest, array) = (element.trim_end(), true);
        }
        let (name, parameters) = match sql_text::first_group(rest) {
            None => (rest.to_owned(), Vec::new()),
            Some(group) => {
                let inside = &rest[group.start + 1..group.end - 1];
                let parameters = sql_text::split(inside, ',');
                let name = format!("{}{}", rest[..group.start].trim_end(), &rest[group.end..]);
                (
                    name,
                    parameters.iter().map(|one| one.trim().to_owned()).collect(),
                )
            }
        };
        let quotes = name.bytes().filter(|byte| *byte == b'"').count();
        let open = quotes % 2 == 1 || quotes == 0 && name.contains(['(', ')']);
        let parts = sql_text::split(&name, '.');
        let (namespace, name) = match parts[..] {
            [name] if !name.is_empty() && !open => (None, name.to_owned()),
            [namespace, name] if !open => {
                let namespace = sql_text::identifier(namespace).ok_or_else(wrong)?;
                let name = sql_text::identifier(name).ok_or_else(wrong)?;
                (Some(namespace), name)
            }
            _ => return Err(wrong()),
        };
        Ok(Type {
            namespace,
            name,
            parameters,
            array,
        })
    }

    /// The type as SQL has it. The name of a type that is not the engine's own is in quotes.
    ///
    /// # Errors
    /// As [`quote::identifier`]: for a name that is empty or holds a NUL byte.
    pub fn sql(&self) -> Result<String> {
        let name = match &self.namespace {
            None => self.name.clone(),
            Some(namespace) => {
                let (namespace, name) = (
                    quote::identifier(namespace)?,
                    quote::identifier(&self.name)?,
                );
                format!("{namespace}.{name}")
            }
        };
        Ok(self.around(&name))
    }

    /// The parameters and brackets around the name. Those of a time go before its zone.
    fn around(&self, name: &str) -> String {
        let brackets = if self.array { "[]" } else { "" };
        if self.parameters.is_empty() {
            return format!("{name}{brackets}");
        }
        let parameters = self.parameters.join(",");
        let zone = [" with time zone", " without time zone"];
        let zone = zone
            .iter()
            .find(|zone| self.namespace.is_none() && name.ends_with(**zone));
        let zone = zone.copied().unwrap_or_default();
        let name = &name[..name.len() - zone.len()];
        format!("{name}({parameters}){zone}{brackets}")
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.namespace {
            None => self.name.clone(),
            Some(namespace) => format!("{}.{}", plain(namespace), plain(&self.name)),
        };
        f.write_str(&self.around(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_and_written_the_same() {
        for text in [
            "integer",
            "integer[]",
            "numeric(10,2)",
            "character varying(20)[]",
            "timestamp(3) with time zone",
            "time(0) without time zone[]",
            "timestamp without time zone",
            "interval day to second(3)",
            "bit varying(5)",
            "\"char\"",
            "\"public\".\"Mo.od(\"\"x\"\")\"[]",
            "\"public\".\"geometry\"(Point,4326)",
        ] {
            assert_eq!(Type::parse(text).unwrap().sql().unwrap(), text);
        }
    }

    #[test]
    fn the_parts_of_a_type_are_apart() {
        let stamp = Type::parse("timestamp(3) with time zone[]").unwrap();
        assert_eq!(stamp.name, "timestamp with time zone");
        assert_eq!(stamp.parameters, ["3"]);
        assert!(stamp.array);
        let own = Type::parse("shop.\"Mood\"").unwrap();
        assert_eq!(own.namespace.as_deref(), Some("shop"));
        assert_eq!(own.name, "Mood");
        assert_eq!(own.to_string(), "shop.\"Mood\"");
        assert_eq!(Type::parse("int[3][ ]").unwrap_err().class(), Class::Config);
        for bad in ["", "[]", "a.b.c", "numeric(10", "\"a.b", "x)"] {
            assert!(Type::parse(bad).is_err(), "{bad}");
        }
    }
}

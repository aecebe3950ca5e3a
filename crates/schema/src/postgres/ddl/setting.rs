//! Properties that statements of their own set.

use underpin_core::{Result, quote};

use super::comment::{Subject, set as comment};
use crate::{ObjectName, Setting};

/// The statement that sets it; none: as it is where nothing is said. `ONLY`, since children have
/// theirs.
///
/// # Errors
/// For a name that cannot be one.
pub fn set(setting: &Setting, value: Option<&str>) -> Result<String> {
    let table =
        |of: &ObjectName, action: String| Ok(format!("ALTER TABLE {} {action}", of.quoted()?));
    let column = |of: &ObjectName, name: &str, action: String| {
        let (of, name) = (of.quoted()?, quote::identifier(name)?);
        Ok(format!(
            "ALTER TABLE ONLY {of} ALTER COLUMN {name} SET {action}"
        ))
    };
    let index = |of: &ObjectName, name: &str, action: String| {
        Ok(format!(
            "ALTER INDEX {} {action}",
            of.sibling(name).quoted()?
        ))
    };
    let name = |value: &str| quote::identifier(value);
    match setting {
        Setting::AccessMethod(of) => table(
            of,
            format!("SET ACCESS METHOD {}", name(value.unwrap_or("heap"))?),
        ),
        Setting::Tablespace(of) => table(
            of,
            format!("SET TABLESPACE {}", name(value.unwrap_or(USUAL_SPACE))?),
        ),
        Setting::OfType(of) => match value {
            Some(value) => table(of, format!("OF {value}")),
            None => table(of, "NOT OF".to_owned()),
        },
        Setting::Storage(of, part) => {
            // DEFAULT is known from PostgreSQL 16 on, so that the usual one is named by those who
            // know the type.
            column(of, part, format!("STORAGE {}", value.unwrap_or("DEFAULT")))
        }
        Setting::Compression(of, part) => column(
            of,
            part,
            format!("COMPRESSION {}", value.unwrap_or("default")),
        ),
        Setting::Statistics(of, part) => {
            column(of, part, format!("STATISTICS {}", value.unwrap_or("-1")))
        }
        Setting::IndexTablespace(of, part) => index(
            of,
            part,
            format!("SET TABLESPACE {}", name(value.unwrap_or(USUAL_SPACE))?),
        ),
        Setting::IndexStatistics(of, part, key) => index(
            of,
            part,
            format!(
                "ALTER COLUMN {key} SET STATISTICS {}",
                value.unwrap_or("-1")
            ),
        ),
        Setting::ReplicaIdentity(of) => {
            let value = value.unwrap_or("DEFAULT");
            let identity = match value.strip_prefix("INDEX ") {
                Some(index) => format!("USING INDEX {}", name(index)?),
                None => value.to_owned(),
            };
            Ok(format!(
                "ALTER TABLE ONLY {} REPLICA IDENTITY {identity}",
                of.quoted()?
            ))
        }
        Setting::ClusterOn(of) => match value {
            Some(value) => table(of, format!("CLUSTER ON {}", name(value)?)),
            None => table(of, "SET WITHOUT CLUSTER".to_owned()),
        },
        Setting::IndexComment(of, part) => comment(Subject::Index(&of.sibling(part)), value),
    }
}

/// The tablespace that a database has where nothing else is said.
const USUAL_SPACE: &str = "pg_default";

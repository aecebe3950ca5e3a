use std::collections::{BTreeMap, HashMap};

use crate::postgres::catalog::names::Name;
use crate::postgres::error::CatalogError;
use crate::{ObjectName, OperatorClass};

/// What indexes, partition keys and exclusion constraints refer to by number, and the server
/// that knows it.
#[derive(Default)]
pub(super) struct Names {
    operator_classes: HashMap<i64, ObjectName>,
    default_operator_classes: HashMap<i64, ObjectName>,
    collations: HashMap<i64, ObjectName>,
    operators: HashMap<i64, ObjectName>,
    /// The version of the server, 150018 for 15.18.
    version: i64,
}

impl Names {
    pub(super) fn add(&mut self, row: Name) -> Result<(), CatalogError> {
        let map = match row.kind.as_str() {
            "server" => {
                self.version = row.oid;
                return Ok(());
            }
            "operator class" => &mut self.operator_classes,
            "default operator class" => &mut self.default_operator_classes,
            "collation" => &mut self.collations,
            "operator" => &mut self.operators,
            _ => return Err(super::unknown_code("the kind", &row.kind, row.name)),
        };
        let name = ObjectName::new(row.namespace.unwrap_or_default(), row.name);
        map.insert(row.oid, name);
        Ok(())
    }

    /// The operator class where it has to be named: it is not the default, or has options.
    pub(super) fn operator_class(
        &self,
        oid: i64,
        options: Option<&BTreeMap<String, String>>,
    ) -> Option<OperatorClass> {
        let named = self.operator_classes.get(&oid);
        let default = || options.and_then(|_| self.default_operator_classes.get(&oid));
        named.or_else(default).map(|name| OperatorClass {
            name: name.clone(),
            options: options.cloned().unwrap_or_default(),
        })
    }

    /// The version of the server that the names are from.
    pub(super) fn version(&self) -> i64 {
        self.version
    }

    /// The collation; 0 is none.
    pub(super) fn collation(&self, oid: i64) -> Option<ObjectName> {
        self.collations.get(&oid).cloned()
    }

    pub(super) fn operator(&self, oid: i64) -> Option<ObjectName> {
        self.operators.get(&oid).cloned()
    }
}

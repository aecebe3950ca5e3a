use std::collections::HashMap;

use crate::postgres::catalog::names::Name;
use crate::postgres::error::CatalogError;
use crate::{ObjectName, OperatorClass};

/// What indexes, partition keys and exclusion constraints refer to by number.
#[derive(Default)]
pub(super) struct Names {
    operator_classes: HashMap<i64, ObjectName>,
    default_operator_classes: HashMap<i64, ObjectName>,
    collations: HashMap<i64, ObjectName>,
    operators: HashMap<i64, ObjectName>,
}

impl Names {
    pub(super) fn add(&mut self, row: Name) -> Result<(), CatalogError> {
        let map = match row.kind.as_str() {
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

    /// The operator class where it has to be named: it is no default, or has options.
    pub(super) fn operator_class(
        &self,
        oid: i64,
        options: Option<&String>,
    ) -> Option<OperatorClass> {
        let named = self.operator_classes.get(&oid);
        let default = || options.and_then(|_| self.default_operator_classes.get(&oid));
        let options = options.map(|options| options.split(','));
        let options = options.into_iter().flatten();
        named.or_else(default).map(|name| OperatorClass {
            name: name.clone(),
            options: options
                .filter_map(|option| option.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        })
    }

    /// The collation; 0 is none.
    pub(super) fn collation(&self, oid: i64) -> Option<ObjectName> {
        self.collations.get(&oid).cloned()
    }

    pub(super) fn operator(&self, oid: i64) -> Option<ObjectName> {
        self.operators.get(&oid).cloned()
    }
}

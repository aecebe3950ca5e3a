use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    Access, AccessOn, Casts, Defined, DefinedName, Domain, EnumType, Extension, Function,
    FunctionName, MaterializedView, Namespace, ObjectName, ObjectRef, Sequence, Setting, Table,
    Unsupported, View,
};

/// The contents that a database has, or is to have. Two schemas in normal form are equal exactly where
/// the databases are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Schema {
    /// The namespaces, which PostgreSQL calls schemas. SQLite has one, `main`.
    pub namespaces: BTreeMap<String, Namespace>,
    /// The extensions. What belongs to one is not listed anywhere else.
    pub extensions: BTreeMap<String, Extension>,
    /// The enumerated types.
    pub enums: BTreeMap<ObjectName, EnumType>,
    /// The domains.
    pub domains: BTreeMap<ObjectName, Domain>,
    /// The objects that are carried as the statements which make them: composite types, ranges,
    /// aggregates, operators, casts, collations, text search, rules, statistics, event triggers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub defined: BTreeMap<DefinedName, Defined>,
    /// The sequences, but for those of identity columns.
    pub sequences: BTreeMap<ObjectName, Sequence>,
    /// The functions and procedures.
    pub functions: BTreeMap<FunctionName, Function>,
    /// The tables, partitioned ones and partitions among them.
    pub tables: BTreeMap<ObjectName, Table>,
    /// The views.
    pub views: BTreeMap<ObjectName, View>,
    /// The materialized views.
    pub materialized_views: BTreeMap<ObjectName, MaterializedView>,
    /// The properties of tables, columns and indexes that statements of their own set.
    #[serde(
        serialize_with = "by_words",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub settings: BTreeMap<Setting, String>,
    /// The owners and privileges of objects that are not those of every new object, and default
    /// privileges. Empty where nothing is said about them.
    #[serde(
        serialize_with = "by_words",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub access: BTreeMap<AccessOn, Access>,
    /// The casts between types, as far as they are known. They are not compared.
    #[serde(skip)]
    pub casts: Casts,
    /// Objects of the database that this value cannot carry, by name.
    pub unsupported: BTreeSet<Unsupported>,
    /// The objects that need one of those, and cannot be made where it is left out.
    #[serde(
        serialize_with = "by_words",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub needs_unsupported: BTreeMap<ObjectRef, BTreeSet<Unsupported>>,
    /// Options that are stored in the catalog and that the engine's own list for such an object
    /// does not have: those of another version, or what a server notes for itself. No statement
    /// may set them, so that [`dump`](crate::postgres::dump()) leaves them out, and
    /// [`diff`](crate::diff()) does not compare them.
    pub unlisted_options: BTreeSet<Unsupported>,
}

/// A map whose keys are in words.
fn by_words<K: fmt::Display, V: Serialize, S: Serializer>(
    map: &BTreeMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().map(|(key, value)| (key.to_string(), value)))
}

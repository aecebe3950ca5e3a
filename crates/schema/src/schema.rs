use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    Domain, EnumType, Extension, Function, FunctionName, MaterializedView, Namespace, ObjectName,
    Sequence, Table, Unsupported, View,
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
    /// Objects of the database that this value cannot carry, by name.
    pub unsupported: BTreeSet<Unsupported>,
    /// Options that are stored in the catalog and that the engine's own list for such an object
    /// does not have: those of another version, or what a server notes for itself. No statement
    /// may set them, so that [`dump`](crate::postgres::dump()) leaves them out, and
    /// [`diff`](crate::diff()) does not compare them.
    pub unlisted_options: BTreeSet<Unsupported>,
}

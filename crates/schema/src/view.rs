use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Expression, ObjectRef, Trigger, Type};

/// A view.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct View {
    /// The query, as the server renders it, without a semicolon.
    pub definition: Expression,
    /// Its columns, in order. On SQLite only where `CREATE VIEW` names them, and then without
    /// types: it knows the others no sooner than the view is read.
    pub columns: Vec<ViewColumn>,
    /// Options, as `WITH (…)` has them: `security_barrier`, `check_option`. On SQLite
    /// `named_columns`, `true` where `CREATE VIEW` names the columns.
    pub options: BTreeMap<String, String>,
    /// The triggers on it.
    pub triggers: BTreeMap<String, Trigger>,
    /// Its query.
    pub depends_on: BTreeSet<ObjectRef>,
    /// The comment on it.
    pub comment: Option<String>,
}

/// A column of a view or of a materialized view.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ViewColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: Type,
    /// The default value for inserts into the view.
    pub default: Option<Expression>,
    /// The settings of a materialized view's column for the planner, as
    /// [that of a table](crate::Column::options) does.
    pub options: BTreeMap<String, String>,
    /// The comment on it.
    pub comment: Option<String>,
}

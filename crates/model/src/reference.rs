use std::collections::{HashMap, HashSet};

use underpin_core::{Executor, Params, Result};

use crate::dialect::ModelDialect;
use crate::{Keyed, Model, sql};

/// A foreign key from the rows of one model to those of another, which loads either from the
/// other. `#[model(references = Parent)]` on a field makes one, as a constant of the model
/// with the field's name in capitals.
pub struct Reference<Child, Parent: Keyed> {
    columns: &'static [&'static str],
    key: fn(&Child) -> Option<Parent::Key>,
}

impl<Child: Model, Parent: Keyed> Reference<Child, Parent> {
    /// The reference of these columns; `key` is what they hold, unless it is NULL.
    pub const fn new(
        columns: &'static [&'static str],
        key: fn(&Child) -> Option<Parent::Key>,
    ) -> Self {
        Reference { columns, key }
    }

    /// The rows that refer to these parents, by the parents' keys and in the order of their
    /// own: in one query, or on SQLite one for each 30,000 parents. A parent that nothing
    /// refers to is not in the map.
    ///
    /// # Errors
    /// The error of the query.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    pub async fn children<'p>(
        &self,
        at: &impl Executor,
        parents: impl IntoIterator<Item = &'p Parent>,
    ) -> Result<HashMap<Parent::Key, Vec<Child>>> {
        let keys = distinct::<Parent>(parents.into_iter().map(Keyed::key));
        let mut children: HashMap<Parent::Key, Vec<Child>> = HashMap::new();
        for row in load::<Child>(at, self.columns, keys).await? {
            if let Some(key) = (self.key)(&row) {
                children.entry(key).or_default().push(row);
            }
        }
        Ok(children)
    }

    /// The rows that these refer to, by their own keys: in one query, or on SQLite one for
    /// each 30,000 of them.
    ///
    /// # Errors
    /// The error of the query.
    ///
    /// # Cancel safety
    /// Safe: it only reads.
    pub async fn parents<'c>(
        &self,
        at: &impl Executor,
        children: impl IntoIterator<Item = &'c Child>,
    ) -> Result<HashMap<Parent::Key, Parent>> {
        let keys: Vec<Parent::Key> = children.into_iter().filter_map(self.key).collect();
        Parent::load(at, keys).await
    }
}

impl<Child, Parent: Keyed> std::fmt::Debug for Reference<Child, Parent> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reference({})", self.columns.join(", "))
    }
}

/// The values of the keys, each once.
pub(super) fn distinct<M: Keyed>(keys: impl IntoIterator<Item = M::Key>) -> Vec<Params> {
    let mut seen = HashSet::new();
    let new = keys.into_iter().filter(|key| seen.insert(key.clone()));
    new.collect::<Vec<_>>()
        .into_iter()
        .map(M::key_values)
        .collect()
}

/// The rows whose columns have any of these values.
pub(super) async fn load<M: Model>(
    at: &impl Executor,
    columns: &[&'static str],
    keys: Vec<Params>,
) -> Result<Vec<M>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    let dialect = ModelDialect::of(at.engine())?;
    for (sql, params) in sql::load(M::DESCRIPTION, dialect, columns, keys)? {
        rows.append(&mut at.query_as(&sql, params).await?);
    }
    Ok(rows)
}

use std::collections::{BTreeSet, HashMap};

use underpin::{Executor, Result, Value};

use super::model::{Model, placeholders};

/// As many parameters as both engines take in one statement.
const MOST: usize = 30_000;

/// The rows with these primary keys, by their keys: one query for up to 30,000 of them.
///
/// # Errors
/// What the query failed with.
///
/// # Cancel safety
/// Safe.
pub async fn by_id<M: Model>(
    at: &impl Executor,
    ids: impl IntoIterator<Item = i32>,
) -> Result<HashMap<i32, M>> {
    let rows: Vec<M> = load(at, "id", ids).await?;
    Ok(rows.into_iter().map(|row| (row.id(), row)).collect())
}

/// The rows that refer to these parents, by the parents' keys and in the order of their
/// own: one query for up to 30,000 parents. A parent that nothing refers to is not there.
///
/// # Errors
/// What the query failed with.
///
/// # Cancel safety
/// Safe.
pub async fn by_foreign_key<M: Model>(
    at: &impl Executor,
    column: &'static str,
    parent: fn(&M) -> Option<i32>,
    parents: impl IntoIterator<Item = i32>,
) -> Result<HashMap<i32, Vec<M>>> {
    let mut children: HashMap<i32, Vec<M>> = HashMap::new();
    for row in load(at, column, parents).await? {
        if let Some(id) = parent(&row) {
            children.entry(id).or_default().push(row);
        }
    }
    Ok(children)
}

async fn load<M: Model>(
    at: &impl Executor,
    column: &'static str,
    ids: impl IntoIterator<Item = i32>,
) -> Result<Vec<M>> {
    let ids: BTreeSet<i32> = ids.into_iter().collect();
    let ids: Vec<Value> = ids.into_iter().map(Value::I32).collect();
    let mut found = Vec::new();
    for part in ids.chunks(MOST) {
        let sql = format!(
            "SELECT * FROM {} WHERE {column} IN ({}) ORDER BY id",
            M::TABLE,
            placeholders(1, part.len())
        );
        found.append(&mut at.query_as(&sql, part).await?);
    }
    Ok(found)
}

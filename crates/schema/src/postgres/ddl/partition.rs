//! Partitions.

use underpin_core::Result;

use super::key;
use crate::{Bound, ObjectName, PartitionBy, PartitionOf, PartitionStrategy};

/// `PARTITION BY …`.
///
/// # Errors
/// For a name that cannot be one.
pub fn by(by: &PartitionBy) -> Result<String> {
    let strategy = match by.strategy {
        PartitionStrategy::Range => "RANGE",
        PartitionStrategy::List => "LIST",
        PartitionStrategy::Hash => "HASH",
    };
    let keys = by.keys.iter().map(key::of_partition);
    let keys = keys.collect::<Result<Vec<_>>>()?.join(", ");
    Ok(format!("PARTITION BY {strategy} ({keys})"))
}

/// `FOR VALUES …` or `DEFAULT`.
pub fn bound(bound: &Bound) -> &str {
    match bound {
        Bound::Default => "DEFAULT",
        Bound::Values(values) => values.as_str(),
    }
}

/// `ALTER TABLE … ATTACH PARTITION`. Indexes and keys of the partition that are like those of
/// its parent become parts of them.
///
/// # Errors
/// For a name that cannot be one.
pub fn attach(partition: &ObjectName, of: &PartitionOf) -> Result<String> {
    let (parent, partition) = (of.parent.quoted()?, partition.quoted()?);
    Ok(format!(
        "ALTER TABLE {parent} ATTACH PARTITION {partition} {}",
        bound(&of.bound)
    ))
}

/// `ALTER TABLE … DETACH PARTITION`.
///
/// # Errors
/// For a name that cannot be one.
pub fn detach(partition: &ObjectName, of: &PartitionOf) -> Result<String> {
    let (parent, partition) = (of.parent.quoted()?, partition.quoted()?);
    Ok(format!("ALTER TABLE {parent} DETACH PARTITION {partition}"))
}

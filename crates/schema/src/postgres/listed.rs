//! The options that PostgreSQL itself has for each kind of object.
//!
//! A catalog holds more than what users set: a server may keep notes of its own there. So an
//! option belongs to the schema only where the server has it in its list
//! (`src/backend/access/common/reloptions.c`). Where there is no list, for the options of
//! operator classes, of other index methods and of functions, everything is a user's but for a
//! few [private](is_private) names.

use std::collections::BTreeMap;

/// Names that a server writes for itself, another value in each database, and that its own
/// `pg_dump` leaves out: 15.20 has `pg_attver` on every column.
pub(super) const PRIVATE: [&str; 1] = ["pg_attver"];

/// The kind of an object that has options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'k> {
    /// A table or a materialized view.
    Table,
    /// The TOAST table of one.
    Toast,
    View,
    /// A column of a table or of a materialized view.
    Column,
    /// An index, by its method.
    Index(&'k str),
    /// An object without options: a partitioned table, a sequence, a column of a view.
    Nothing,
}

/// The options of one object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// The options that a user can set.
    pub(super) listed: BTreeMap<String, String>,
    /// The stored texts that are not options of the server.
    pub(super) unlisted: Vec<String>,
}

/// Tells what a user can set on a server of this version from what else is stored there.
pub(super) fn sorted(kind: Kind<'_>, version: i64, stored: &[String]) -> Options {
    let mut options = Options::default();
    for text in stored {
        let (name, value) = split(text);
        if is_private(name) {
            continue;
        }
        match is_listed(kind, name, version) {
            true => drop(options.listed.insert(name.to_owned(), value.to_owned())),
            false => options.unlisted.push(text.clone()),
        }
    }
    options
}

/// Whether a server writes an option of this name for itself.
pub(super) fn is_private(name: &str) -> bool {
    PRIVATE.contains(&name)
}

/// The name and the value of a stored option.
pub(super) fn split(stored: &str) -> (&str, &str) {
    stored.split_once('=').unwrap_or((stored, ""))
}

fn is_listed(kind: Kind<'_>, name: &str, version: i64) -> bool {
    match list(kind) {
        Some(list) => list
            .iter()
            .any(|(listed, since)| *listed == name && version >= since * 10_000),
        None => true,
    }
}

/// The names, and the first major version that has each; 0 where all versions that can be read
/// have it. None where there is no list.
fn list(kind: Kind<'_>) -> Option<&'static [(&'static str, i64)]> {
    Some(match kind {
        Kind::Table => &TABLE,
        Kind::Toast => &TOAST,
        Kind::View => &[
            ("check_option", 0),
            ("security_barrier", 0),
            ("security_invoker", 15),
        ],
        Kind::Column => &[("n_distinct", 0), ("n_distinct_inherited", 0)],
        Kind::Nothing => &[],
        Kind::Index("btree") => &[
            ("deduplicate_items", 13),
            ("fillfactor", 0),
            ("vacuum_cleanup_index_scale_factor", 0),
        ],
        Kind::Index("hash" | "spgist") => &[("fillfactor", 0)],
        Kind::Index("gist") => &[("buffering", 0), ("fillfactor", 0)],
        Kind::Index("gin") => &[("fastupdate", 0), ("gin_pending_list_limit", 0)],
        Kind::Index("brin") => &[("autosummarize", 0), ("pages_per_range", 0)],
        Kind::Index(_) => return None,
    })
}

const TABLE: [(&str, i64); 24] = [
    ("autovacuum_analyze_scale_factor", 0),
    ("autovacuum_analyze_threshold", 0),
    ("autovacuum_enabled", 0),
    ("autovacuum_freeze_max_age", 0),
    ("autovacuum_freeze_min_age", 0),
    ("autovacuum_freeze_table_age", 0),
    ("autovacuum_multixact_freeze_max_age", 0),
    ("autovacuum_multixact_freeze_min_age", 0),
    ("autovacuum_multixact_freeze_table_age", 0),
    ("autovacuum_vacuum_cost_delay", 0),
    ("autovacuum_vacuum_cost_limit", 0),
    ("autovacuum_vacuum_insert_scale_factor", 13),
    ("autovacuum_vacuum_insert_threshold", 13),
    ("autovacuum_vacuum_max_threshold", 18),
    ("autovacuum_vacuum_scale_factor", 0),
    ("autovacuum_vacuum_threshold", 0),
    ("fillfactor", 0),
    ("log_autovacuum_min_duration", 0),
    ("parallel_workers", 0),
    ("toast_tuple_target", 0),
    ("user_catalog_table", 0),
    ("vacuum_index_cleanup", 0),
    ("vacuum_max_eager_freeze_failure_rate", 18),
    ("vacuum_truncate", 0),
];

const TOAST: [(&str, i64); 18] = [
    ("autovacuum_enabled", 0),
    ("autovacuum_freeze_max_age", 0),
    ("autovacuum_freeze_min_age", 0),
    ("autovacuum_freeze_table_age", 0),
    ("autovacuum_multixact_freeze_max_age", 0),
    ("autovacuum_multixact_freeze_min_age", 0),
    ("autovacuum_multixact_freeze_table_age", 0),
    ("autovacuum_vacuum_cost_delay", 0),
    ("autovacuum_vacuum_cost_limit", 0),
    ("autovacuum_vacuum_insert_scale_factor", 13),
    ("autovacuum_vacuum_insert_threshold", 13),
    ("autovacuum_vacuum_max_threshold", 18),
    ("autovacuum_vacuum_scale_factor", 0),
    ("autovacuum_vacuum_threshold", 0),
    ("log_autovacuum_min_duration", 0),
    ("vacuum_index_cleanup", 0),
    ("vacuum_max_eager_freeze_failure_rate", 18),
    ("vacuum_truncate", 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn on(kind: Kind<'_>, version: i64, stored: &[&str]) -> (Vec<String>, Vec<String>) {
        let stored: Vec<String> = stored.iter().map(|one| (*one).to_owned()).collect();
        let Options { listed, unlisted } = sorted(kind, version, &stored);
        (listed.into_keys().collect(), unlisted)
    }

    #[test]
    fn a_private_name_hides_nothing_beside_it() {
        let stored = ["pg_attver=22183600", "n_distinct=5", "later=1"];
        let (listed, unlisted) = on(Kind::Column, 150_020, &stored);
        assert_eq!(listed, ["n_distinct"]);
        assert_eq!(unlisted, ["later=1"]);
    }

    #[test]
    fn a_list_is_that_of_the_servers_major_version() {
        let stored = ["security_invoker=true"];
        assert_eq!(on(Kind::View, 150_000, &stored).0, ["security_invoker"]);
        assert_eq!(on(Kind::View, 140_023, &stored).1, stored);
        let stored = ["autovacuum_vacuum_max_threshold=9"];
        for kind in [Kind::Table, Kind::Toast] {
            assert_eq!(on(kind, 170_010, &stored).1, stored);
            assert_eq!(on(kind, 180_000, &stored).1, [""; 0]);
        }
    }

    #[test]
    fn what_has_no_list_keeps_all_but_private_names() {
        let stored = ["lists=100", "pg_attver=7", "alone"];
        let (listed, unlisted) = on(Kind::Index("ivfflat"), 150_000, &stored);
        assert_eq!(listed, ["alone", "lists"]);
        assert_eq!(unlisted, [""; 0]);
    }

    #[test]
    fn what_can_have_none_has_none() {
        assert_eq!(
            on(Kind::Nothing, 180_000, &["n_distinct=5"]).1,
            ["n_distinct=5"]
        );
        let of_tables = ["parallel_workers=2"];
        assert_eq!(on(Kind::Toast, 180_000, &of_tables).1, of_tables);
        assert_eq!(on(Kind::Index("hash"), 180_000, &of_tables).1, of_tables);
    }
}

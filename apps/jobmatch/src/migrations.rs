use underpin::migrate::{Embedded, Migrator, Report};
use underpin::{Database, Result};

/// The revisions that make the tables and their indexes.
pub static REVISIONS: &[Embedded] = underpin::migrate::embed_revisions!("revisions");

/// A migrator of an open database with the [`REVISIONS`].
///
/// # Errors
/// `Class::Config` where a revision cannot be read.
pub fn migrator(database: &Database) -> Result<Migrator> {
    Migrator::of(database).embedded(REVISIONS)
}

/// Brings the database to the newest revision.
///
/// # Errors
/// As for [`Migrator::up`].
///
/// # Cancel safety
/// As for [`Migrator::up`].
pub async fn migrate(database: &Database) -> Result<Report> {
    migrator(database)?.up("head").await
}

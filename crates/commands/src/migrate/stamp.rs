use underpin::Result;
use underpin::migrate::StampChange;

use super::listing::{print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// Sets the history, and prints what changed in it.
pub(super) async fn run(
    target: &str,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let changes = revisions.migrator(options)?.stamp(target).await?;
    let rows = changes.iter().map(|change| {
        let (id, what) = match change {
            StampChange::Add { id, .. } => (id, "recorded as applied"),
            StampChange::Finish { id, .. } => (id, "recorded as completely applied"),
            StampChange::Remove { id } => (id, "no longer recorded"),
        };
        vec![text(id), text(what)]
    });
    print(options, &["id", "change"], rows)?;
    Ok(Exit::Success)
}

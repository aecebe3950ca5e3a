use underpin::Result;

use super::listing::{print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// Accepts changed revisions, and prints both checksums of each.
pub(super) async fn run(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let repairs = revisions.migrator(options)?.repair().await?;
    let rows = repairs.iter().map(|repair| {
        vec![
            text(&repair.id),
            text(&repair.origin),
            text(repair.recorded),
            text(repair.now),
        ]
    });
    print(options, &["id", "file", "recorded", "accepted"], rows)?;
    Ok(Exit::Success)
}

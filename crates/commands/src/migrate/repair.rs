use clap::Args;
use underpin::Result;

use super::bar::watched;
use super::confirm::{confirm, listed};
use super::listing::{print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// Arguments of `migrate repair`.
#[derive(Debug, Clone, Args)]
pub struct RepairArguments {
    /// Do it in production without a question
    #[arg(long)]
    pub yes: bool,
}

/// Accepts changed revisions, and prints both checksums of each.
pub(super) async fn run(
    arguments: &RepairArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let migrator = revisions.migrator(options)?;
    let planned = migrator.would_repair().await?;
    if !planned.is_empty() {
        let named = planned
            .iter()
            .map(|one| format!("`{}` ({})", one.id, one.origin));
        let sentence = format!(
            "`repair` would accept other texts than those that ran: {}.",
            listed(&named.collect::<Vec<_>>())
        );
        confirm(options, arguments.yes, &sentence)?;
    }
    let repairs = watched(migrator).repair().await?;
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

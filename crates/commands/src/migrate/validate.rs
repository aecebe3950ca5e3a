use underpin::Result;
use underpin::migrate::Finding;

use super::listing::{print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// Prints what is to be said of the revisions and the history. The answer is no where
/// something has to be done about it.
pub(super) async fn run(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let findings = revisions.migrator(options)?.validate().await?;
    let rows = findings
        .iter()
        .map(|finding| vec![text(finding), text(finding.advice())]);
    print(options, &["finding", "advice"], rows)?;
    let well = |finding: &Finding| matches!(finding, Finding::OutOfOrder { .. });
    Ok(match findings.iter().all(well) {
        true => Exit::Success,
        false => Exit::No,
    })
}

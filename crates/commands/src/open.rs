use underpin::{Database, Result};

use crate::options::GlobalOptions;

/// Opens the database for a command: one connection at most is wanted, and no waiting for
/// a server that is not there.
pub(crate) async fn open(options: &GlobalOptions) -> Result<Database> {
    Database::connect(for_one_command(options)?).await
}

/// The configuration with nothing kept open and nothing tried twice.
pub(crate) fn for_one_command(options: &GlobalOptions) -> Result<underpin::Config> {
    let builder = options.load()?.to_builder();
    builder.pool_min_size(0).max_retries(0).build()
}

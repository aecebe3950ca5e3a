use underpin::{Database, Result};

use crate::options::GlobalOptions;

/// Opens the database for a command: one connection at most is wanted, and no waiting for
/// a server that is not there.
pub(crate) async fn open(options: &GlobalOptions) -> Result<Database> {
    Database::connect(for_one_command(options)?).await
}

/// The configuration of a command that looks whether the database is there, and does not
/// make it so.
pub(crate) fn for_a_look(options: &GlobalOptions) -> Result<underpin::Config> {
    let config = for_one_command(options)?;
    match config.create() {
        true => config.to_builder().create(false).build(),
        false => Ok(config),
    }
}

/// The configuration with nothing kept open and nothing tried twice.
pub(crate) fn for_one_command(options: &GlobalOptions) -> Result<underpin::Config> {
    let builder = options.load()?.to_builder();
    builder.pool_min_size(0).max_retries(0).build()
}

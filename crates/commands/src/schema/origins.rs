//! How the sources of a command are read.

use underpin::schema::{Source, Sources};
use underpin::{Config, Result};

use crate::migrate::{Project, noted};
use crate::options::GlobalOptions;

/// Reads a source as it was written. It is not a value of clap's, which would show it, and a
/// password in it, in an error.
pub(super) fn source(text: &str) -> Result<Source> {
    match text.parse()? {
        Source::Url(config) => Ok(Source::Url(Box::new(once(&config)?))),
        other => Ok(other),
    }
}

/// The error when no source is given.
pub(super) fn source_or(text: Option<&String>, default: Source) -> Result<Source> {
    text.map_or(Ok(default), |text| source(text))
}

/// What these sources are read with. Where one is a URL and none is the configured database,
/// scratch databases are made beside that URL's.
pub(super) fn sources(
    wanted: &[&Source],
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Sources> {
    let of_url = wanted.iter().find_map(|source| match source {
        Source::Url(config) if !wanted.contains(&&Source::Database) => Some(config),
        _ => None,
    });
    let config = match of_url {
        Some(config) => Config::clone(config),
        None => once(&options.load()?)?,
    };
    let config = match &options.scratch_url {
        Some(url) => config.to_builder().scratch_url(url.as_str()).build()?,
        None => config,
    };
    let mut sources = Sources::new(config.clone());
    if let Some(models) = project.models {
        sources = sources.models(models);
    }
    if wanted.contains(&&Source::Revisions) {
        let revisions = project.revisions.read()?;
        let migrator = project.revisions.migrator_of(config, revisions)?;
        sources = sources.revisions(noted(migrator));
    }
    Ok(sources)
}

/// The configuration with nothing kept open and nothing tried twice.
fn once(config: &Config) -> Result<Config> {
    config.to_builder().pool_min_size(0).max_retries(0).build()
}

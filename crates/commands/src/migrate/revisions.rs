use std::path::Path;

use underpin::migrate::{Embedded, Graph, Migrator, Revision, read_directory, read_embedded};
use underpin::{Class, Error, Result};

use crate::options::GlobalOptions;

/// Where the revisions of a command come from.
#[derive(Clone, Copy)]
pub enum Revisions<'a> {
    /// The files of a directory.
    Directory(&'a Path),
    /// Files within the binary.
    Embedded(&'a [Embedded]),
    /// Files within the binary, and what else the application gives its migrator: the code
    /// of its revisions, say.
    EmbeddedWith(
        &'a [Embedded],
        &'a (dyn Fn(Migrator) -> Result<Migrator> + Sync),
    ),
}

impl<'a> Revisions<'a> {
    pub(super) fn read(self) -> Result<Vec<Revision>> {
        match self {
            // Nothing was tried, as with any other mistake on the command line.
            Revisions::Directory(path) => read_directory(path).map_err(|error| {
                let mistake = Error::new(Class::Config, error.message());
                match error.hint() {
                    Some(hint) => mistake.with_hint(hint),
                    None => mistake,
                }
            }),
            Revisions::Embedded(files) | Revisions::EmbeddedWith(files, _) => read_embedded(files),
        }
    }

    pub(super) fn graph(self) -> Result<Graph> {
        Graph::new(self.read()?)
    }

    /// A migrator of the database that the options name.
    pub(super) fn migrator(self, options: &GlobalOptions) -> Result<Migrator> {
        let revisions = self.read()?;
        let config = options.load()?.to_builder().max_retries(0).build()?;
        let migrator = Migrator::new(config)?.revisions(revisions);
        match self {
            Revisions::EmbeddedWith(_, with) => with(migrator),
            _ => Ok(migrator),
        }
    }

    /// The directory in which new revisions are written.
    pub(super) fn directory(self) -> Result<&'a Path> {
        match self {
            Revisions::Directory(path) => Ok(path),
            _ => Err(Error::new(
                Class::Unsupported,
                "The revisions of this program are within it, and it cannot write new ones.",
            )
            .with_hint(
                "Write them where the program is developed, with `underpin migrate new`, and \
                 build it anew.",
            )),
        }
    }
}

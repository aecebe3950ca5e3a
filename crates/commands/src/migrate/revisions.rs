use std::path::{Path, PathBuf};

use underpin::migrate::{Embedded, Graph, Migrator, Revision, read_directory, read_embedded};
use underpin::{Class, Config, Error, Result};

use crate::options::GlobalOptions;

/// Sets up the migrator of an application further, for example with the code of revisions.
pub type With<'a> = &'a (dyn Fn(Migrator) -> Result<Migrator> + Sync);

/// Where the revisions of a command come from.
#[derive(Clone, Copy)]
pub enum Revisions<'a> {
    /// The files of a directory.
    Directory(&'a Path),
    /// The files of a directory, and what else the application gives its migrator.
    DirectoryWith(&'a Path, With<'a>),
    /// Files within the binary.
    Embedded(&'a [Embedded]),
    /// Files within the binary, and what else the application gives its migrator: the code
    /// of its revisions, say.
    EmbeddedWith(&'a [Embedded], With<'a>),
}

impl<'a> Revisions<'a> {
    /// The same revisions from another place: the files of this directory.
    #[must_use]
    pub fn in_directory(self, path: &'a Path) -> Self {
        match self.with() {
            Some(with) => Revisions::DirectoryWith(path, with),
            None => Revisions::Directory(path),
        }
    }

    fn with(self) -> Option<With<'a>> {
        match self {
            Revisions::Directory(_) | Revisions::Embedded(_) => None,
            Revisions::DirectoryWith(_, with) | Revisions::EmbeddedWith(_, with) => Some(with),
        }
    }

    pub(crate) fn read(self) -> Result<Vec<Revision>> {
        match self {
            // Nothing was tried, as with any other mistake on the command line.
            Revisions::Directory(path) | Revisions::DirectoryWith(path, _) => read_directory(path)
                .map_err(|error| {
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
        self.migrator_of(
            options.load()?.to_builder().max_retries(0).build()?,
            revisions,
        )
    }

    /// A migrator of these of the revisions.
    pub(crate) fn migrator_of(self, config: Config, revisions: Vec<Revision>) -> Result<Migrator> {
        let migrator = Migrator::new(config)?.revisions(revisions);
        match self.with() {
            Some(with) => with(migrator),
            None => Ok(migrator),
        }
    }

    /// The directory in which new revisions are written. That of files within the binary is
    /// the one that they were in when it was built; of a program without any, it is
    /// `revisions` in the current directory.
    pub(super) fn directory(self) -> Result<PathBuf> {
        match self {
            Revisions::Directory(path) | Revisions::DirectoryWith(path, _) => Ok(path.to_owned()),
            Revisions::Embedded([]) | Revisions::EmbeddedWith([], _) => Ok(FIRST.into()),
            Revisions::Embedded(files) | Revisions::EmbeddedWith(files, _) => source(files),
        }
    }

    /// The revisions as they are in the directory where new ones are written: some may have
    /// been written since the program was built.
    pub(super) fn as_written(self) -> Result<(PathBuf, Vec<Revision>)> {
        let directory = self.directory()?;
        let written = self.in_directory(&directory).read()?;
        self.none_is_missing(directory, written)
    }

    /// As [`as_written`](Revisions::as_written), before the first revision is written: a directory
    /// that does not exist holds none.
    pub(super) fn as_written_so_far(self) -> Result<(PathBuf, Vec<Revision>)> {
        let directory = self.directory()?;
        match directory.exists() {
            true => self.as_written(),
            false => Ok((directory, Vec::new())),
        }
    }

    /// The directory with what is written in it, unless a revision within the program is not there.
    fn none_is_missing(
        self,
        directory: PathBuf,
        written: Vec<Revision>,
    ) -> Result<(PathBuf, Vec<Revision>)> {
        let missing = match self {
            Revisions::Directory(_) | Revisions::DirectoryWith(..) => {
                return Ok((directory, written));
            }
            Revisions::Embedded(_) | Revisions::EmbeddedWith(..) => self.read()?,
        };
        let mut missing = missing.iter().filter(|within| {
            let mut written = written.iter();
            !written.any(|revision| revision.id == within.id)
        });
        match missing.next() {
            None => Ok((directory, written)),
            Some(missing) => Err(Error::new(
                Class::Config,
                format!(
                    "The revision `{}` is embedded in this program, but no longer exists in {}, \
                     from which the program was built.",
                    missing.id,
                    directory.display()
                ),
            )
            .with_hint("Rebuild the program.")),
        }
    }

    /// The newest revisions that are available: those of the directory where new ones are written
    /// or, where that does not exist on this machine, those within the binary.
    pub(super) fn newest(self) -> Result<Vec<Revision>> {
        let named = matches!(self, Revisions::Directory(_) | Revisions::DirectoryWith(..));
        match self.directory() {
            Ok(directory) if named || directory.exists() => Ok(self.as_written()?.1),
            _ => self.read(),
        }
    }
}

/// Where the first revisions of a program are written.
const FIRST: &str = "revisions";

/// The directory that the files were in when they were compiled in.
fn source(files: &[Embedded]) -> Result<PathBuf> {
    let mut parents = files
        .iter()
        .filter_map(|file| Path::new(file.path?).parent());
    // What all of them are in, for some may be in directories of their own.
    let first = parents.next();
    let path = parents.fold(first, |common, parent| {
        common?.ancestors().find(|above| parent.starts_with(above))
    });
    let hint = "Name the directory with --revisions, as in `migrate --revisions DIR new`, or run a \
                debug build of the program in its source directory.";
    let message = match path {
        Some(path) if path.is_dir() => return Ok(path.to_owned()),
        Some(path) => format!(
            "The revisions of this program are embedded in it, and the directory {} from which \
             they were built does not exist on this machine.",
            path.display()
        ),
        None => "The revisions of this program are embedded in it, and the directory for new ones \
                 is not known."
            .to_owned(),
    };
    Err(Error::new(Class::Unsupported, message).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_why_it_cannot_write_revisions() {
        let text = "-- revision: a\n-- message: m\n-- up\n";
        let unknown = [Embedded::new("revisions/a.sql", text)];
        let said = Revisions::Embedded(&unknown).as_written().unwrap_err();
        assert!(
            said.message()
                .contains("the directory for new ones is not known"),
            "{said}"
        );
        assert!(
            said.hint()
                .is_some_and(|hint| hint.contains("--revisions DIR"))
        );
        let elsewhere = [Embedded {
            path: Some("/nowhere/revisions/a.sql"),
            ..unknown[0]
        }];
        let said = Revisions::Embedded(&elsewhere).as_written().unwrap_err();
        assert!(
            said.message()
                .contains("/nowhere/revisions from which they were built"),
            "{said}"
        );
        let gone = [Embedded {
            path: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/src/a.sql")),
            ..unknown[0]
        }];
        let said = Revisions::Embedded(&gone).as_written().unwrap_err();
        assert!(
            said.message()
                .contains("`a` is embedded in this program, but no longer"),
            "{said}"
        );
    }
}

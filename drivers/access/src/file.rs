//! An Access file that is open.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jetdb::PageReader;
use underpin_core::{Class, Error, Result};
use underpin_sqlite::Stop;

use crate::catalog::{Catalog, Linked};
use crate::complex::Complex;
use crate::error::{REPAIR, guarded, of_file};
use crate::options::Options;
use crate::scan::Io;
use crate::structure::{self, Structure};
use crate::table::Table;

/// Rounds of hashing that Office allows for a password.
const ROUNDS: u64 = 10_000_000;

/// An Access file that is open: one reader, and what is known of the tables.
pub(crate) struct AccessFile {
    place: String,
    lenient: bool,
    stop: Stop,
    reader: Mutex<PageReader>,
    pub(crate) tables: Vec<Arc<Table>>,
    /// Tables that cannot be read, and why.
    absent: Mutex<Vec<Absent>>,
    complex: Complex,
    pub(crate) structure: Structure,
    /// What went wrong within SQLite, whole; SQLite passes on a text.
    fault: Mutex<Option<Error>>,
}

/// A table that cannot be read.
enum Absent {
    Linked(Linked),
    Damaged { name: String, why: String },
}

impl AccessFile {
    /// Opens a file and reads what it has; no rows yet.
    pub(crate) fn open(path: &Path, options: &Options, stop: &Stop) -> Result<Self> {
        let place = path.display().to_string();
        check_rounds(path, &place)?;
        let password = (!options.password.is_empty()).then(|| options.password.expose());
        let opened = guarded(|| PageReader::open_with_password(path, password));
        let mut reader = opened.map_err(|error| of_file(error, &place))?;
        let mut io = Io {
            reader: &mut reader,
            stop,
            lenient: options.lenient,
            place: &place,
            complex: None,
        };
        let catalog = Catalog::read(&mut io)?;
        let mut absent: Vec<Absent> = catalog.linked.iter().cloned().map(Absent::Linked).collect();
        let mut tables = Vec::new();
        let own = catalog
            .tables
            .iter()
            .filter(|entry| !entry.is_system_or_hidden());
        for entry in own.filter(|entry| !entry.name.starts_with('~')) {
            match guarded(|| Table::read(io.reader, entry, true)) {
                Ok(table) => tables.push(Arc::new(table)),
                Err(error) => absent.push(Absent::Damaged {
                    name: entry.name.clone(),
                    why: error.to_string(),
                }),
            }
        }
        let structure = structure::read(&mut io, &catalog, &tables)?;
        Ok(AccessFile {
            lenient: options.lenient,
            stop: stop.clone(),
            reader: Mutex::new(reader),
            tables,
            absent: Mutex::new(absent),
            complex: Complex::new(catalog.tables),
            structure,
            fault: Mutex::default(),
            place,
        })
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Runs work that reads the file.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Io<'_>) -> Result<R>) -> Result<R> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut Io {
            reader: &mut reader,
            stop: &self.stop,
            lenient: self.lenient,
            place: &self.place,
            complex: Some(&self.complex),
        })
    }

    /// Keeps what went wrong until the call that it ends is over.
    pub(crate) fn set_fault(&self, error: Error) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(error);
    }

    /// Takes what went wrong in the call that is over.
    pub(crate) fn take_fault(&self) -> Option<Error> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.take()
    }

    /// Notes that SQLite cannot have a table.
    pub(crate) fn leave_out(&self, name: &str, why: &str) {
        let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.push(Absent::Damaged {
            name: name.to_owned(),
            why: why.to_owned(),
        });
    }

    /// Why a table of one of these names cannot be read, where there is such a one.
    pub(crate) fn why_absent(&self, is_named: impl Fn(&str) -> bool) -> Option<Error> {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        absent.iter().find_map(|absent| match absent {
            Absent::Linked(linked) if is_named(&linked.name) => Some(linked.error(&self.place)),
            Absent::Damaged { name, why } if is_named(name) => {
                let what = format!(
                    "The table {name:?} of {} cannot be read: {why}.",
                    self.place
                );
                let error = Error::new(Class::Corrupt, what).with_table(name.as_str());
                Some(error.with_hint(REPAIR))
            }
            _ => None,
        })
    }
}

/// Checks how often a password is hashed, which the file itself says, before that is done.
fn check_rounds(path: &Path, place: &str) -> Result<()> {
    const NAME: &[u8] = b"spinCount=\"";
    let mut first = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut first));
    if opened.is_err() {
        // The reader says why.
        return Ok(());
    }
    for at in 0..first.len().saturating_sub(NAME.len()) {
        let Some(number) = first[at..].strip_prefix(NAME) else {
            continue;
        };
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit());
        let rounds = digits.fold(0_u64, |rounds, digit| {
            rounds
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'))
        });
        if rounds > ROUNDS {
            let what = format!(
                "The Access file {place} asks for {rounds} rounds of hashing of its password, and \
                 Office allows {ROUNDS}."
            );
            return Err(Error::new(Class::Corrupt, what).with_hint(REPAIR));
        }
    }
    Ok(())
}

/// Which file a path leads to, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    inode: (u64, u64),
    length: u64,
    modified: Option<std::time::SystemTime>,
}

impl Identity {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino())
        };
        Some(Identity {
            #[cfg(unix)]
            inode,
            length: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

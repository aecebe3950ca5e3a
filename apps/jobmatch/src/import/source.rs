use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use underpin::{Class, Error, Result};

use super::header::Header;
use super::kind::ImportKind;
use super::records::{Next, Records};
use super::scan::{Scan, scan};

/// The largest file that is read: `csv_imports.file_size` is an integer.
pub const MOST_FILE_BYTES: u64 = i32::MAX as u64;

/// A CSV file whose size and header are sound.
#[derive(Debug)]
pub struct Source {
    file: File,
    /// As the person gave it, for messages.
    pub(super) place: String,
    /// Without its directory.
    pub(super) name: String,
    pub(super) size: i32,
    pub(super) kind: ImportKind,
    pub(super) header: Header,
}

impl Source {
    /// Opens a file and looks at its size and its header, and no further. `maps` are pairs
    /// of a column of the table and the header that stands for it.
    ///
    /// # Errors
    /// `Class::Config` where the file cannot be read, is empty or over 2 GiB, has no
    /// header or one column twice, or where a column is not there.
    pub fn open(kind: ImportKind, path: &Path, maps: &[(String, String)]) -> Result<Self> {
        let place = path.display().to_string();
        let file = File::open(path).map_err(|error| unreadable(&place, error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&place, error))?;
        if !metadata.is_file() {
            return Err(Error::new(
                Class::Config,
                format!("{place} is not a file, but an import reads its file twice."),
            ));
        }
        let size = match metadata.len() {
            0 => return Err(Error::new(Class::Config, format!("{place} is empty."))),
            bytes if bytes > MOST_FILE_BYTES => return Err(too_large(&place, bytes)),
            bytes => i32::try_from(bytes).unwrap_or(i32::MAX),
        };
        let (names, line) = first_record(&file, &place)?;
        let header = Header::resolve(kind, &names, maps, &place, line)?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Source {
            file,
            name: name.to_string_lossy().chars().take(255).collect(),
            place,
            size,
            kind,
            header,
        })
    }

    /// Reads the whole file once, and tells its hash and how many records it has.
    pub(super) fn scan(&self, seen: impl FnMut(u64)) -> Result<Scan> {
        let scan = scan(self.rewound()?, &self.place, seen)?;
        match scan.unclosed {
            Some(line) => Err(Error::new(
                Class::Config,
                format!(
                    "{}, line {line}: A quote that is opened here is never closed, so the rest of \
                     the file is one field.",
                    self.place
                ),
            )
            .with_hint("Close it, or double it if it is part of the text.")),
            None => Ok(scan),
        }
    }

    /// The records behind the header.
    pub(super) fn records(&self) -> Result<Records<&File>> {
        let mut records = Records::new(self.rewound()?, &self.place);
        records.next()?;
        Ok(records)
    }

    fn rewound(&self) -> Result<&File> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))
            .map_err(|error| unreadable(&self.place, error))?;
        Ok(file)
    }
}

fn first_record(file: &File, place: &str) -> Result<(Vec<String>, u64)> {
    let mut records = Records::new(file, place);
    let line = match records.next()? {
        Next::Record { line } => line,
        Next::End => {
            return Err(Error::new(
                Class::Config,
                format!("{place} has no header: it contains only blank lines."),
            ));
        }
        Next::TooLong { line, .. } => {
            return Err(Error::new(
                Class::Config,
                format!("{place}, line {line}: The header is too long to be one."),
            ));
        }
    };
    let names = (0..records.len()).map(|at| {
        let name = std::str::from_utf8(records.field(at));
        name.map(|name| name.trim().to_owned()).map_err(|_| {
            Error::new(
                Class::Config,
                format!("{place}, line {line}: The header is not UTF-8."),
            )
            .with_hint("Save the file as UTF-8.")
        })
    });
    Ok((names.collect::<Result<_>>()?, line))
}

fn too_large(place: &str, bytes: u64) -> Error {
    Error::new(
        Class::Config,
        format!("{place} has {bytes} bytes, but the maximum is {MOST_FILE_BYTES}."),
    )
    .with_hint("Split it into several files, each with the header.")
}

pub(super) fn unreadable(place: &str, error: std::io::Error) -> Error {
    Error::new(Class::Config, format!("{place} cannot be read: {error}.")).with_source(error)
}

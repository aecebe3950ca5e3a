use std::fs;
use std::path::{Path, PathBuf};

use underpin_core::{Class, Error, Result};

use crate::revision::{Revision, RevisionId};
use crate::revision_file::parse;

/// A revision file within the binary; `underpin::embed_revisions!` gives all of a
/// directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// Its path, as errors name it.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Where the file was when the program was built. None where that is not known, as in
    /// programs that are built for release.
    pub path: Option<&'static str>,
}

impl Embedded {
    /// A file of which no more is known.
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        Embedded {
            name,
            text,
            path: None,
        }
    }
}

/// Reads the revisions of a directory and of those in it: the files whose names end in `.sql`, in
/// the order of their paths. Files and directories whose names begin with a dot are left out.
///
/// # Errors
/// [`Class::Missing`] where there is no such directory; [`Class::Config`] for files that
/// cannot be read or are not of the form, all of them in one error.
pub fn read_directory(path: impl AsRef<Path>) -> Result<Vec<Revision>> {
    let path = path.as_ref();
    let files = files(path).map_err(|source| unreadable(path, source))?;
    together(files.iter().map(|file| {
        let name = file.display().to_string();
        let text = fs::read(file).map_err(|source| {
            let message = format!("{name}: The file cannot be read: {source}.");
            Error::new(Class::Config, message).with_source(source)
        })?;
        parse(&name, &text)
    }))
}

/// Reads revisions that are embedded in the binary.
///
/// # Errors
/// [`Class::Config`] for files that are not of the form, all of them in one error.
pub fn read_embedded(files: &[Embedded]) -> Result<Vec<Revision>> {
    together(
        files
            .iter()
            .map(|file| parse(file.name, file.text.as_bytes())),
    )
}

/// The name of the file for a new revision: its id, then the words of its message.
pub fn file_name(id: &RevisionId, message: &str) -> String {
    const SLUG: usize = 40;
    let mut slug = String::new();
    for word in message.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.is_empty() {
            continue;
        }
        let room = SLUG.saturating_sub(slug.len() + 1);
        if slug.is_empty() {
            slug.push_str(&word[..word.len().min(SLUG)]);
        } else if word.len() <= room {
            slug.push('_');
            slug.push_str(word);
        } else {
            break;
        }
    }
    slug.make_ascii_lowercase();
    match slug.is_empty() {
        true => format!("{id}.sql"),
        false => format!("{id}_{slug}.sql"),
    }
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(path, &mut files)?;
    files.sort_unstable();
    Ok(files)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let sql = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if sql {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, source: std::io::Error) -> Error {
    let path = path.display();
    let error = match source.kind() {
        std::io::ErrorKind::NotFound => {
            let message = format!("There is no directory {path} to read revisions from.");
            Error::new(Class::Missing, message)
                .with_hint("`init` creates one; a path is relative to the current directory.")
        }
        _ => {
            let message = format!("The directory {path} cannot be read: {source}.");
            Error::new(Class::Config, message)
        }
    };
    error.with_source(source)
}

/// All that were read, or all that went wrong.
fn together(results: impl Iterator<Item = Result<Revision>>) -> Result<Vec<Revision>> {
    let (mut revisions, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(revision) => revisions.push(revision),
            Err(error) => errors.push(error),
        }
    }
    if errors.len() < 2 {
        return errors.pop().map_or(Ok(revisions), Err);
    }
    let lines: String = errors.iter().map(|error| format!("\n  {error}")).collect();
    let count = errors.len();
    let message = format!("{count} revision files cannot be used:{lines}");
    Err(Error::new(Class::Config, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: &str) -> String {
        format!("-- revision: {id}\n-- message: m\n-- up\nSELECT 1;\n")
    }

    #[test]
    fn the_files_are_read_in_the_order_of_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        assert_eq!(read_directory(directory.path()).unwrap(), []);
        write("2.sql", &text("b"));
        write("10.sql", &text("a"));
        write("3.SQL", &text("c"));
        write(".4.sql", "a lock of an editor");
        write("template.txt", "{id}");
        fs::create_dir(directory.path().join("old.sql")).unwrap();
        fs::create_dir_all(directory.path().join("2024/may")).unwrap();
        fs::create_dir(directory.path().join(".squashed")).unwrap();
        write("2024/may/1.sql", &text("d"));
        write("2024/readme.md", "What is here");
        write(".squashed/1.sql", "an old one");
        let revisions = read_directory(directory.path()).unwrap();
        let ids: Vec<_> = revisions.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "d", "c"]);
        let origin = directory.path().join("10.sql").display().to_string();
        assert_eq!(revisions[0].origin.to_string(), origin);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write("1.sql", &text("a").replace("SELECT 1", "SELECT 'a"));
        write("2.sql", &text("b"));
        let one = read_directory(directory.path()).unwrap_err();
        let first = directory.path().join("1.sql");
        let said = format!(
            "{}, line 4: The string that begins here with ' is not closed.",
            first.display()
        );
        assert_eq!(one.to_string(), said);
        write("3.sql", "SELECT 1;");
        let both = read_directory(directory.path()).unwrap_err();
        assert_eq!(both.class(), Class::Config);
        let both = both.to_string();
        let lines: Vec<_> = both.lines().collect();
        assert_eq!(lines[0], "2 revision files cannot be used:");
        assert_eq!(lines[1], format!("  {said}"));
        assert!(
            lines[2].contains("3.sql, line 1: There is text above"),
            "{both}"
        );
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = read_directory(directory.path().join("none")).unwrap_err();
        assert_eq!(error.class(), Class::Missing);
        assert!(error.to_string().contains("none to read revisions from"));
    }

    #[test]
    fn embedded_files_are_read_as_they_stand() {
        let file = Embedded::new;
        let good = "-- revision: a\n-- message: m\n-- up\n";
        let revisions = read_embedded(&[file("revisions/a.sql", good)]).unwrap();
        assert_eq!(revisions[0].origin.to_string(), "revisions/a.sql");
        let error = read_embedded(&[file("revisions/a.sql", "")]).unwrap_err();
        assert!(
            error.to_string().starts_with("revisions/a.sql, line 1: "),
            "{error}"
        );
    }

    #[test]
    fn a_file_is_named_by_id_and_message() {
        let id = RevisionId::new("3f9c2a1b7d40").unwrap();
        for (message, expected) in [
            (
                "Add performance indexes",
                "3f9c2a1b7d40_add_performance_indexes.sql",
            ),
            (
                "  ../../etc: größer & __x  ",
                "3f9c2a1b7d40_etc_gr_er_x.sql",
            ),
            ("名前", "3f9c2a1b7d40.sql"),
            (
                "a message that is rather longer than forty letters",
                "3f9c2a1b7d40_a_message_that_is_rather_longer_than.sql",
            ),
            (
                &"x".repeat(50),
                &format!("3f9c2a1b7d40_{}.sql", "x".repeat(40)),
            ),
        ] {
            assert_eq!(file_name(&id, message), expected);
        }
    }
}

use std::path::Path;

use underpin_core::{Class, Error, Result};

/// A query that stands in a directory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// The file, with the directory's name before it.
    pub(super) file: String,
    pub(super) name: String,
    pub(super) line: u32,
}

/// The queries in the files `*.sql` of a directory of the package, and in those within it.
pub(super) fn read(package: &str, directory: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    visit(&Path::new(package).join(directory), directory, &mut found)?;
    found.sort_unstable();
    Ok(found)
}

fn visit(path: &Path, shown: &str, found: &mut Vec<Found>) -> Result<()> {
    let failed = |error: std::io::Error| {
        let what = format!("{shown}, the directory of the queries, cannot be read: {error}.");
        Error::new(Class::Missing, what).with_source(error)
    };
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let shown = format!("{}/{name}", shown.trim_end_matches('/'));
        if name.starts_with('.') {
            continue;
        } else if path.is_dir() {
            visit(&path, &shown, found)?;
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            let text = std::fs::read_to_string(&path).map_err(failed)?;
            let stem = name.trim_end_matches(".sql");
            found.extend(names(&text, stem).into_iter().map(|(name, line)| Found {
                file: shown.clone(),
                name,
                line,
            }));
        }
    }
    Ok(())
}

/// The queries of a file, each with its line: those under `-- name: …`, or all of it under
/// the file's own name.
fn names(text: &str, stem: &str) -> Vec<(String, u32)> {
    let lines = text.lines().zip(1..);
    let named: Vec<_> = lines
        .filter_map(|(line, number)| {
            let name = line.trim().strip_prefix("-- name:")?;
            Some((name.trim().to_owned(), number))
        })
        .collect();
    if named.is_empty() {
        vec![(stem.to_owned(), 1)]
    } else {
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_query_or_several() {
        assert_eq!(names("SELECT 1", "one"), [("one".to_owned(), 1)]);
        let several = names("-- name: a\nSELECT 1;\n\n-- name: b\nSELECT 2", "two");
        assert_eq!(several, [("a".to_owned(), 1), ("b".to_owned(), 4)]);
    }
}

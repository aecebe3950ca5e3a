//! Prints the texts that programs may show: errors, hints and log messages. They are meant to be read
//! as one list.
//!
//! The texts are the string literals of the sources, without those of tests, of SQL, and of fewer than
//! three words.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::checkout::Checkout;

/// The directories whose sources contain texts.
const FOLDERS: [&str; 4] = ["apps", "crates", "drivers", "xtask"];

/// Prints the texts of the files whose path contains one of the filters; without filters, of all.
pub(crate) fn run(checkout: &Checkout, filters: &[String]) -> ExitCode {
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&checkout.root.join(folder), &mut files);
    }
    files.sort();
    match print(&checkout.root, &files, filters) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The texts cannot be printed: {error}.");
            ExitCode::FAILURE
        }
    }
}

fn print(root: &Path, files: &[PathBuf], filters: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for path in files {
        let name = path.strip_prefix(root).unwrap_or(path).display();
        let name = name.to_string();
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter)) {
            continue;
        }
        for (line, text) in messages(&fs::read_to_string(path)?) {
            writeln!(out, "{name}:{line}: {text}")?;
        }
    }
    Ok(())
}

/// The Rust files below `src` directories, without those of tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let in_src = path.components().any(|part| part.as_os_str() == "src");
            found.extend(in_src.then_some(path));
        }
    }
}

/// The texts of a source that a program may show, each with its line.
fn messages(source: &str) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]\nmod tests").next();
    literals(source.unwrap_or_default())
        .into_iter()
        .filter(|(_, text)| is_message(text))
        .collect()
}

/// Whether a literal is a text for people.
fn is_message(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphabetic());
    let words: Vec<&str> = words.filter(|word| word.len() > 1).collect();
    // SQL begins with a keyword in capitals.
    let is_sql = words.first().is_some_and(|word| {
        word.chars().all(char::is_uppercase) && text.trim_start().starts_with(word)
    });
    let has_prose = words.windows(2).any(|pair| {
        let spaced = format!("{} {}", pair[0], pair[1]);
        pair[1].chars().all(char::is_lowercase) && text.contains(&spaced)
    });
    words.len() > 2 && has_prose && !is_sql
}

/// The string literals of a source, each with its line, with continued lines joined.
fn literals(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let line = || source[..source.len() - rest.len()].matches('\n').count() + 1;
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some((text, behind)) = raw(rest) {
            found.push((line(), text.to_owned()));
            rest = behind;
        } else if next == '"' {
            let (text, behind) = quoted(&rest[1..]);
            found.push((line(), text));
            rest = behind;
        } else if let Some(length) = character(rest) {
            rest = &rest[length..];
        } else {
            rest = &rest[next.len_utf8()..];
        }
    }
    found
}

/// A raw string literal at the start of a text, and what follows it.
fn raw(text: &str) -> Option<(&str, &str)> {
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", &after[..hashes]);
    body.split_once(&end)
}

/// The content of a string literal up to its quote, and what follows the quote.
fn quoted(text: &str) -> (String, &str) {
    let (mut content, mut rest) = (String::new(), text);
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '"' => break,
            '\\' if rest.starts_with('\n') => rest = rest.trim_start(),
            '\\' => {
                let escaped = rest.chars().next().unwrap_or_default();
                rest = &rest[escaped.len_utf8().min(rest.len())..];
                content.push(if escaped == 'n' { ' ' } else { escaped });
            }
            other => content.push(other),
        }
    }
    (content, rest)
}

/// The length of a character literal at the start of a text, which is not a lifetime.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let escaped = body.starts_with('\\');
    let first = body.chars().nth(usize::from(escaped))?;
    let length = usize::from(escaped) + first.len_utf8();
    body[length..].starts_with('\'').then_some(length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_for_people_are_found_with_their_lines() {
        let source = "/// A \"comment about it\".\n\
            fn f<'a>(quote: char) -> Error {\n\
            if quote == '\"' || quote == '\\'' { return sql(\"SELECT a FROM t\"); }\n\
            Error::new(\"The file {name:?} \\\n    does not exist.\")\n\
            .with_hint(r#\"Write \"a\" and then b.\"#)\n}\n\
            #[cfg(test)]\nmod tests { const A: &str = \"this is a test\"; }\n";
        let found = messages(source);
        let expected = [
            (4, "The file {name:?} does not exist.".to_owned()),
            (6, "Write \"a\" and then b.".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_sources_of_the_project_are_read() {
        let mut files = Vec::new();
        sources(&Checkout::root().join("crates/pool"), &mut files);
        let texts = files.iter().flat_map(|path| {
            let source = fs::read_to_string(path).unwrap();
            messages(&source)
        });
        let texts: Vec<String> = texts.map(|(_, text)| text).collect();
        assert!(texts.len() > 20, "{texts:?}");
        let timeout = "waiting for a connection to {name}";
        assert!(texts.iter().any(|text| text.contains(timeout)), "{texts:?}");
    }
}

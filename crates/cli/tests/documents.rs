//! The sessions in the documents: each `console` block is run in a shell, and prints what it says.
//!
//! A line that begins with `$ ` is a command; what follows is its output. `…` stands for any text, and
//! a line that is `…` alone for any lines. The blocks of a document share a directory, in which
//! `old.accdb` is an Access file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command, and the output that the document shows.
struct Step {
    command: String,
    expected: String,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    command: command.to_owned(),
                    expected: String::new(),
                }),
                (None, Some(step)) => step.expected += &format!("{line}\n"),
                (None, None) => panic!("output before any command: {line}"),
            }
        }
    }
    steps
}

/// Whether a text is what a pattern says, in which `…` stands for any text.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.trim().split('…');
    let first = parts.next().unwrap();
    let Some(mut rest) = text.trim().strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    for (number, part) in parts.iter().enumerate() {
        let part = part.trim_start_matches('\n');
        let found = match number + 1 == parts.len() {
            true => rest.ends_with(part).then(|| rest.len() - part.len()),
            false => rest.find(part),
        };
        match found {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || !parts.is_empty()
}

/// Runs the sessions of a document, and returns how many commands that were.
fn run(document: &Path) -> usize {
    let steps = steps(&fs::read_to_string(document).unwrap());
    let directory = tempfile::tempdir().unwrap();
    // The old file that the documents speak of.
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../drivers/access/tests/data");
    fs::copy(old.join("legacy.accdb"), directory.path().join("old.accdb")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_underpin")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        std::iter::once(programs.to_owned()).chain(std::env::split_paths(&path)),
    );
    let path = path.unwrap();
    let mut set = String::new();
    for step in &steps {
        if step.command.starts_with("export ") {
            set += &format!("{}\n", step.command);
            continue;
        }
        let output = Command::new("sh")
            .args(["-c", &format!("{set}{} 2>&1", step.command)])
            .current_dir(directory.path())
            .env("PATH", &path)
            .env_remove("DATABASE_URL")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            is_like(&step.expected, &said),
            "{}: $ {}\n{said}\nThe document has:\n{}",
            document.display(),
            step.command,
            step.expected
        );
        // What somebody would now type into the file that was written is the document's own.
        if let Some(file) = step.command.contains("migrate new").then(|| said.trim()) {
            write_revision(document, &directory.path().join(file));
        }
    }
    steps.len()
}

/// Fills in a new revision with the first one that the document shows, if it shows one of this id.
fn write_revision(document: &Path, file: &Path) {
    let text = fs::read_to_string(document).unwrap();
    let shown = text.split("```sql\n").skip(1);
    let shown = shown.filter_map(|block| block.split("```").next());
    let id = file
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .split('_')
        .next();
    let head = format!("-- revision: {}\n", id.unwrap());
    if let Some(revision) = shown.into_iter().find(|block| block.starts_with(&head)) {
        fs::write(file, revision).unwrap();
    }
}

fn documents(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(documents(&path));
        } else if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_sessions_of_the_documents_are_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut count = run(&root.join("README.md"));
    assert!(count >= 5, "the README shows {count} commands");
    for document in documents(&root.join("docs/guide/src")) {
        count += run(&document);
    }
    assert!(count >= 15, "{count} commands");
}

#[test]
fn a_pattern_holds_where_it_should() {
    assert!(is_like("a … c\n", "a b c\n"));
    assert!(is_like("a\n…\nd …\n", "a\nb\nc\nd e\n"));
    assert!(!is_like("a … c\n", "a b d\n"));
    assert!(!is_like("a\n", "a\nb\n"));
    assert!(is_like("", ""));
    assert!(!is_like("", "said\n"));
}

//! The words of ARCHITECTURE.md: each is used, and replaced words do not come back.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Rust sources in a folder, with their paths.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The words in a name: `IdleCache` and `idle_cache` consist of `idle` and `cache`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| letter != '_') {
            part.extend(letter.to_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The names in a text, including comments.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|name| !name.is_empty())
}

const TYPES: &[&str] = &["struct", "enum", "trait", "type", "mod"];
const ITEMS: &[&str] = &["struct", "enum", "trait", "type", "mod", "fn"];

/// The words in the names of the items that these sources declare with one of the keywords.
fn declared(sources: &[(PathBuf, String)], keywords: &[&str]) -> HashSet<String> {
    let mut words = HashSet::new();
    for (_, text) in sources {
        let mut all = names(text).peekable();
        while let Some(name) = all.next() {
            let declares = keywords.contains(&name);
            if let Some(name) = all.peek().filter(|_| declares) {
                words.extend(parts(name));
            }
        }
    }
    words
}

/// The first column of all tables of words in ARCHITECTURE.md.
fn table() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("\n## Words\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| "));
    let words = cells.filter_map(|cells| cells.split(" |").next());
    let words: Vec<String> = words
        .filter(|word| *word != "word")
        .map(str::to_owned)
        .collect();
    assert!(words.len() > 10, "the table was not found: {words:?}");
    words
}

#[test]
fn each_word_of_the_table_names_something() {
    let mut all = sources(&root().join("crates"));
    all.extend(sources(&root().join("drivers")));
    let declared = declared(&all, ITEMS);
    for word in table() {
        let plural = format!("{word}s");
        assert!(
            declared.contains(&word) || declared.contains(&plural),
            "nothing is named after \"{word}\", which ARCHITECTURE.md explains"
        );
    }
}

/// Words that misled readers of the pool, in any name or comment in it.
const REPLACED: &[&str] = &[
    "standby",
    "berth",
    "suspect",
    "habit",
    "census",
    "rider",
    "riders",
    "succession",
    "moment",
];
/// Words that are too common for that, but must not be in the name of a type or module in it.
const NO_NAMES: &[&str] = &["pass", "terms", "turn", "place", "standing", "hold"];

#[test]
fn replaced_words_do_not_come_back() {
    let replaced: HashSet<&str> = REPLACED.iter().copied().collect();
    let sources = sources(&root().join("crates/pool/src"));
    for (path, text) in &sources {
        for word in names(text).flat_map(parts) {
            assert!(
                !replaced.contains(word.as_str()),
                "{} says \"{word}\"",
                path.display()
            );
        }
    }
    let declared = declared(&sources, TYPES);
    for word in NO_NAMES {
        assert!(!declared.contains(*word), "a type is named \"{word}\"");
    }
}

#[test]
fn a_name_is_cut_into_its_words() {
    assert_eq!(parts("IdleCache"), ["idle", "cache"]);
    assert_eq!(parts("take_any"), ["take", "any"]);
    assert_eq!(parts("MAX"), ["m", "a", "x"]);
}

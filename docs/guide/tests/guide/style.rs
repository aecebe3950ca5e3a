//! The words that the texts of the project avoid, in documents, comments and messages.
//!
//! `style.txt` lists the files that still have some, with their numbers. No number may rise, and no
//! file may be added. `UNDERPIN_UPDATE=1` lowers the numbers to what they are.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::root;

/// What is avoided, and what is written instead.
const AVOIDED: &[(&str, &str)] = &[
    ("to be had", "is available"),
    ("can be had", "is available"),
    ("cannot be had", "is not available"),
    ("shall", "will, or the present tense"),
    ("in vain", "say what failed"),
    ("none of", "no, or: not any of"),
    ("is no", "is not a"),
    ("anew", "again, or re- as in recreated"),
    ("made again", "recreated"),
    ("given back", "returned"),
    ("gives back", "returns"),
    ("take hold", "take effect"),
    ("takes hold", "takes effect"),
    ("taken hold", "taken effect"),
    ("took hold", "took effect"),
    ("he", "they"),
    ("his", "their"),
    ("him", "them"),
    ("without a word", "silently"),
    ("and its kin", "and related ones"),
    ("whoever", "a noun: the caller"),
    ("learnt", "learned"),
    ("cancelled", "canceled"),
    ("cancelling", "canceling"),
    ("licence", "license"),
    ("normalised", "normalized"),
    ("behaviour", "behavior"),
    ("colour", "color"),
    ("neighbour", "neighbor"),
    ("neighbours", "neighbors"),
    ("artefact", "artifact"),
    ("artefacts", "artifacts"),
    ("signalled", "signaled"),
    ("spelt", "spelled"),
];

/// This list, and what names other people's words.
const EXEMPT: &[&str] = &[
    "docs/guide/tests/guide/style.rs",
    "docs/guide/tests/guide/style.txt",
];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The phrases in a text, each with its line.
fn found(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let lines: Vec<String> = text.lines().map(str::to_lowercase).collect();
    for (number, line) in lines.iter().enumerate() {
        // "is no" may be followed by "longer" on the next line, behind the slashes of a comment.
        let next = lines.get(number + 1).map_or("", String::as_str);
        let next = next.trim_start_matches([' ', '/', '!']);
        for (phrase, _) in AVOIDED {
            for (at, _) in line.match_indices(phrase) {
                let (before, after) = (&line[..at], &line[at + phrase.len()..]);
                let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
                // "There is no …" and "is no longer" are plain English.
                let plain = *phrase == "is no"
                    && (["there", "answer"]
                        .iter()
                        .any(|word| before.trim_end().ends_with(word))
                        || after.trim_start().starts_with("longer")
                        || after.is_empty() && next.starts_with("longer"));
                if whole && !plain {
                    found.push((number + 1, *phrase));
                }
            }
        }
    }
    found
}

fn texts(directory: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                texts(&path, all);
            }
        } else if name.ends_with(".rs") || name.ends_with(".md") {
            all.push(path);
        }
    }
}

fn list() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guide/style.txt")
}

/// The files of the list with their numbers.
fn listed() -> BTreeMap<String, usize> {
    let text = fs::read_to_string(list()).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(number, file)| (file.to_owned(), number.parse().unwrap()))
        .collect()
}

#[test]
fn no_text_returns_to_words_that_are_avoided() {
    let root = root();
    let mut files = Vec::new();
    texts(&root, &mut files);
    assert!(files.len() > 500, "{} files", files.len());
    let listed = listed();
    let (mut said, mut kept) = (String::new(), BTreeMap::new());
    for path in files {
        let file = path.strip_prefix(&root).unwrap().display().to_string();
        if EXEMPT.contains(&file.as_str()) {
            continue;
        }
        let found = found(&fs::read_to_string(&path).unwrap());
        let allowed = listed.get(&file).copied().unwrap_or_default();
        if found.len() > allowed {
            let _ = writeln!(said, "{file}: {} where {allowed} were allowed", found.len());
            for (line, phrase) in &found {
                let instead = AVOIDED.iter().find(|(known, _)| known == phrase).unwrap().1;
                let _ = writeln!(said, "  line {line}: \"{phrase}\"; write {instead}");
            }
        }
        if !found.is_empty() {
            kept.insert(file, found.len().min(allowed));
        }
    }
    assert!(said.is_empty(), "{said}");
    if std::env::var_os("UNDERPIN_UPDATE").is_some() {
        let lines = kept
            .iter()
            .map(|(file, number)| format!("{number} {file}\n"));
        fs::write(list(), lines.collect::<String>()).unwrap();
    }
}

#[test]
fn phrases_are_found_as_whole_words() {
    assert_eq!(found("It is no id.\nThis_is_nothing"), [(1, "is no")]);
    assert!(found("There is no file; it is no longer the shallow one.").is_empty());
    assert!(found("/// It is no\n/// longer there.").is_empty());
    assert_eq!(found("/// It is no\n/// file."), [(1, "is no")]);
    assert_eq!(found("He took hold"), [(1, "took hold"), (1, "he")]);
}

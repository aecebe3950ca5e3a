use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{documents, prose, root};

/// The targets of the links in a document.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let (target, after) = after.split_once(')').unwrap_or((after, ""));
            found.push(target.to_owned());
            rest = after;
        }
    }
    found
}

/// The anchors that a document has, as GitHub and mdBook make them of headings.
fn anchors(text: &str) -> HashSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

fn problem(document: &Path, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = match file {
        "" => document.to_owned(),
        file => document.parent().unwrap().join(file),
    };
    if !path.exists() {
        return Some(format!("{}: {target} does not exist", document.display()));
    }
    if anchor.is_empty() || anchors(&fs::read_to_string(path).unwrap()).contains(anchor) {
        return None;
    }
    Some(format!(
        "{}: {target} has no such heading",
        document.display()
    ))
}

#[test]
fn every_link_leads_somewhere() {
    let root = root();
    let mut all: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    all.extend(documents(&root.join("docs")));
    let (mut count, mut problems) = (0, Vec::new());
    for document in all {
        for target in targets(&fs::read_to_string(&document).unwrap()) {
            count += 1;
            problems.extend(problem(&document, &target));
        }
    }
    assert!(count > 30, "{count} links were found");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn links_and_anchors_are_found() {
    let text = "# The pool's words\n[a](b.md#c), [d](e)\n```\n[no](no)\n```\n## … connect?\n";
    assert_eq!(targets(text), ["b.md#c", "e"]);
    let anchors = anchors(text);
    assert!(anchors.contains("the-pools-words"), "{anchors:?}");
    assert!(anchors.contains("-connect"), "{anchors:?}");
}

use std::fs;

use mdbook_driver::MDBook;

use crate::files::{documents, guide};

#[test]
fn the_book_builds() {
    let mut book = MDBook::load(env!("CARGO_MANIFEST_DIR")).unwrap();
    let output = tempfile::tempdir().unwrap();
    book.config.build.build_dir = output.path().to_owned();
    book.build().unwrap();
    for page in [
        "index.html",
        "how-do-i.html",
        "reference/configuration.html",
    ] {
        let text = fs::read_to_string(output.path().join(page)).unwrap();
        assert!(text.contains("</html>"), "{page}");
    }
}

#[test]
fn every_page_is_in_the_summary_and_among_the_examples() {
    let summary = fs::read_to_string(guide().join("SUMMARY.md")).unwrap();
    let examples = include_str!("../../guide.rs");
    for path in documents(&guide()) {
        let page = path.strip_prefix(guide()).unwrap().display().to_string();
        if page == "SUMMARY.md" {
            continue;
        }
        assert!(
            summary.contains(&format!("({page})")),
            "{page} is in no list"
        );
        let has_rust = fs::read_to_string(&path).unwrap().contains("```rust");
        let listed = examples.contains(&format!("\"src/{page}\""));
        assert!(
            !has_rust || listed,
            "the examples of {page} are not compiled"
        );
    }
}

/// What somebody looks for first has an example that runs.
#[test]
fn the_usual_tasks_have_examples() {
    let page = fs::read_to_string(guide().join("how-do-i.md")).unwrap();
    let tasks: Vec<&str> = page.split("\n## … ").skip(1).collect();
    assert!(tasks.len() >= 20, "{} tasks", tasks.len());
    for task in tasks {
        let title = task.lines().next().unwrap();
        assert!(title.ends_with('?'), "{title}");
        assert!(
            task.contains("```rust") || task.contains("```console"),
            "{title} has no example"
        );
    }
}

use std::fmt::Write;

use underpin::Engine;
use underpin::config::{ConfigKey, Loader};

use crate::files::{documents, guide, is_made, root};

const HEAD: &str = "\
# Configuration keys

Each key can stand in `underpin.toml`, in the query of a URL (`?pool_max_size=40`), and in the environment.
This page is made from the code.

A duration has a unit: `500ms`, `5s`, `2min`, `1h`. `off` switches off what can be switched off. Keys that name a
place (`host`, `port`, `user`, `password`, `database`) are usually part of the URL.

";

fn engines(key: &ConfigKey) -> &'static str {
    match (
        key.applies_to(Engine::POSTGRES),
        key.applies_to(Engine::SQLITE),
    ) {
        (true, true) => "PostgreSQL and SQLite",
        (true, false) => "PostgreSQL",
        (false, true) => "SQLite",
        (false, false) => "no engine of this build",
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for key in ConfigKey::all() {
        let _ = writeln!(page, "## `{}`\n\n{}\n", key.name, key.description());
        let _ = write!(page, "- Environment: `{}`", key.variable);
        let _ = write!(page, "\n- Engines: {}", engines(&key));
        if !key.aliases.is_empty() {
            let names: Vec<String> = key.aliases.iter().map(|name| format!("`{name}`")).collect();
            let _ = write!(page, "\n- Also called: {}", names.join(", "));
        }
        page.push_str("\n\n");
    }
    format!("{}\n", page.trim_end())
}

#[test]
fn the_reference_has_every_key() {
    let page = page();
    for key in ["statement_timeout", "pool_max_size", "host", "busy_timeout"] {
        assert!(page.contains(&format!("## `{key}`")), "{key}");
    }
    for key in ConfigKey::all() {
        let text = key.description();
        assert!(
            text.ends_with('.') && text.len() > 20,
            "{}: {text}",
            key.name
        );
    }
    is_made("reference/configuration.md", &page);
}

/// Every file of configuration that the documents show is one that can be loaded.
#[test]
fn the_configuration_files_of_the_documents_are_understood() {
    let mut all = documents(&guide());
    all.push(root().join("README.md"));
    let mut count = 0;
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
            std::fs::write(file.path(), block.split("```").next().unwrap()).unwrap();
            let loaded = Loader::new().file(file.path()).load();
            loaded.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            count += 1;
        }
    }
    assert!(count > 0, "no file was found");
}

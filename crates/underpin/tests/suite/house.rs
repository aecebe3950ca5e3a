//! The allowed dependencies between the crates, and the minimum supported Rust version.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Cargo's metadata of the workspace, including all dependencies for this platform.
fn metadata() -> Value {
    let rustc = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let version = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            host,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The crates of the workspace that each crate may depend on, except for its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("underpin-sql", &[]),
    ("underpin-core", &["underpin-sql"]),
    ("underpin-config", &["underpin-core"]),
    ("underpin-pool", &["underpin-core"]),
    ("underpin-cluster", &["underpin-core", "underpin-pool"]),
    ("underpin-schema", &["underpin-core", "underpin-sql"]),
    (
        "underpin-model",
        &["underpin-core", "underpin-schema", "underpin-sql"],
    ),
    ("underpin-query", &["underpin-core"]),
    (
        "underpin-copy",
        &["underpin-core", "underpin-schema", "underpin-sql"],
    ),
    (
        "underpin-migrate",
        &["underpin-config", "underpin-core", "underpin-sql"],
    ),
    (
        "underpin-sources",
        &[
            "underpin-config",
            "underpin-core",
            "underpin-migrate",
            "underpin-model",
            "underpin-schema",
        ],
    ),
    ("underpin-derive", &["underpin-sql"]),
    ("underpin-testkit", &["underpin-core"]),
    ("underpin-postgres", &["underpin-core", "underpin-sql"]),
    ("underpin-sqlite", &["underpin-core", "underpin-sql"]),
    // Its SQL is SQLite's.
    (
        "underpin-access",
        &["underpin-core", "underpin-sql", "underpin-sqlite"],
    ),
    ("underpin-odbc", &["underpin-core", "underpin-sql"]),
    (
        "underpin",
        &[
            "underpin-access",
            "underpin-cluster",
            "underpin-config",
            "underpin-copy",
            "underpin-core",
            "underpin-derive",
            "underpin-migrate",
            "underpin-model",
            "underpin-odbc",
            "underpin-pool",
            "underpin-postgres",
            "underpin-query",
            "underpin-schema",
            "underpin-sources",
            "underpin-sql",
            "underpin-sqlite",
        ],
    ),
    ("underpin-commands", &["underpin"]),
    ("underpin-cli", &["underpin", "underpin-commands"]),
    ("jobmatch", &["underpin", "underpin-commands"]),
    ("demo", &["jobmatch", "underpin"]),
    ("example-actix-service", &["underpin"]),
    ("example-command", &["underpin", "underpin-commands"]),
    ("example-desktop", &["underpin"]),
    ("example-worker", &["underpin"]),
    ("underpin-guide", &[]),
    ("xtask", &[]),
];

/// The same for the workspace of the benchmarks and of the tests that need their peers.
const ARROWS_OF_PEERS: &[(&str, &[&str])] = &[
    ("underpin-adopt", &["underpin-cli"]),
    (
        "underpin-bench",
        &[
            "jobmatch",
            "underpin",
            "underpin-core",
            "underpin-pool",
            "underpin-testkit",
        ],
    ),
];

#[test]
fn the_dependencies_are_those_of_the_design() {
    check_arrows(&metadata(), ARROWS);
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--no-deps",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../bench"))
        .output()
        .expect("cargo runs");
    let peers = serde_json::from_slice(&output.stdout).unwrap();
    check_arrows(&peers, ARROWS_OF_PEERS);
}

fn check_arrows(metadata: &Value, arrows: &[(&str, &[&str])]) {
    let packages = metadata["packages"].as_array().unwrap();
    let ours: Vec<&Value> = packages
        .iter()
        .filter(|package| package["source"].is_null())
        .collect();
    let mut names: Vec<&str> = ours.iter().map(|p| p["name"].as_str().unwrap()).collect();
    let mut listed: Vec<&str> = arrows.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(
        names, listed,
        "every crate is listed with its allowed dependencies"
    );
    for package in ours {
        let name = package["name"].as_str().unwrap();
        let allowed = arrows.iter().find(|(listed, _)| *listed == name).unwrap().1;
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            let of_ours = dependency["path"].is_string();
            let for_tests = dependency["kind"] == "dev";
            assert!(
                !of_ours || for_tests || allowed.contains(&on),
                "{name} may not depend on {on}"
            );
        }
    }
}

#[test]
fn no_dependency_asks_for_a_newer_rust_than_we_state() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let stated = |package: &Value| -> Option<Vec<u32>> {
        let text = package["rust_version"].as_str()?;
        Some(
            text.split('.')
                .take(2)
                .map(|n| n.parse().unwrap())
                .collect(),
        )
    };
    let of_ours = |package: &&Value| package["source"].is_null();
    let underpin = packages.iter().find(|p| p["name"] == "underpin").unwrap();
    for package in packages.iter().filter(of_ours) {
        let (name, limit) = (&package["name"], stated(package));
        assert!(
            limit == stated(underpin),
            "{name} states the Rust of all others"
        );
        let below = all_below(&metadata, package["id"].as_str().unwrap());
        for needed in packages
            .iter()
            .filter(|p| below.contains(p["id"].as_str().unwrap()))
        {
            assert!(
                stated(needed) <= limit,
                "{} needs Rust {}, and {name} states {limit:?}",
                needed["name"],
                needed["rust_version"]
            );
        }
    }
}

/// The peers of the benchmarks are not built with the main workspace.
#[test]
fn the_peers_are_outside_of_the_workspace() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let [own, peers] = ["Cargo.lock", "bench/Cargo.lock"].map(|lock| {
        let text = fs::read_to_string(root.join(lock)).unwrap();
        let names = text.lines().filter_map(|line| line.strip_prefix("name = "));
        names
            .map(|name| name.trim_matches('"').to_owned())
            .collect::<HashSet<String>>()
    });
    for peer in ["sqlx", "diesel", "refinery", "deadpool", "bb8", "mobc"] {
        assert!(peers.contains(peer), "{peer} is compared with");
        assert!(!own.contains(peer), "{peer} is in the main workspace");
    }
}

/// The ids of all dependencies of a package, including those of its tests.
fn all_below<'a>(metadata: &'a Value, id: &'a str) -> HashSet<&'a str> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let below: HashMap<&str, &Value> = nodes
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), &node["dependencies"]))
        .collect();
    let mut found = HashSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        for on in below[id].as_array().unwrap() {
            let on = on.as_str().unwrap();
            if found.insert(on) {
                open.push(on);
            }
        }
    }
    found
}

/// The features of the crate, as its manifest lists them.
fn features() -> Vec<String> {
    let manifest = include_str!("../../Cargo.toml");
    let section = manifest.split("[features]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split_once(" = ["));
    names
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "default")
        .collect()
}

/// The compiler's messages for these features; empty if it accepts them.
fn check_with(package: &str, features: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args([
            "check",
            "--quiet",
            "--offline",
            "-p",
            package,
            "--no-default-features",
        ])
        .args(["--features", features])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTFLAGS", "-D warnings")
        // Other flags make other builds: in a directory of their own, not in that of the tests.
        .env(
            "CARGO_TARGET_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/features"),
        )
        .output()
        .expect("cargo runs");
    match output.status.success() {
        true => String::new(),
        false => String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

const ENGINES: [&str; 5] = ["postgres", "sqlite", "sqlite-system", "access", "odbc"];

/// Each engine by itself, each other feature, and all together: no code relies on a feature that is
/// not enabled for it.
#[test]
fn every_set_of_features_builds() {
    let all = features();
    assert!(
        ENGINES
            .iter()
            .all(|engine| all.iter().any(|name| name == engine))
    );
    let others: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|name| !ENGINES.contains(name))
        .collect();
    assert_eq!(others.len(), 8, "{others:?}");
    let together = others.join(",");
    let mut sets: Vec<String> = ENGINES.map(str::to_owned).to_vec();
    sets.extend(["postgres,tls", "sqlite,metrics", "postgres,access"].map(str::to_owned));
    sets.push(format!("postgres,sqlite,{together}"));
    sets.push(format!("postgres,sqlite-system,{together}"));
    for features in sets {
        let said = check_with("underpin", &features);
        assert!(said.is_empty(), "with the features {features}:\n{said}");
    }
    // The types of other crates are features of one crate below.
    for feature in others
        .iter()
        .filter(|name| !["tls", "metrics", "patroni"].contains(name))
    {
        let said = check_with("underpin-core", feature);
        assert!(said.is_empty(), "with the feature {feature}:\n{said}");
    }
}

#[test]
fn features_that_contradict_each_other_are_refused() {
    for (features, part) in [
        ("sqlite,sqlite-system", "exclude each other"),
        ("access,sqlite-system", "exclude each other"),
        ("tls", "needs an engine"),
        ("chrono,metrics", "needs an engine"),
    ] {
        let said = check_with("underpin", features);
        assert!(said.contains(part), "{features}: {said}");
    }
}

/// Features of Tokio that a database library does not need.
const NOT_OF_TOKIO: [&str; 4] = ["fs", "full", "process", "signal"];

#[test]
fn no_library_asks_for_more_of_tokio_than_it_uses() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if !package["source"].is_null() {
            continue;
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["name"] != "tokio" || dependency["kind"] == "dev" {
                continue;
            }
            let asked = dependency["features"].as_array().unwrap().iter();
            // A program is interrupted from its terminal.
            let ended_by_signals = ["underpin-commands", "example-worker"].contains(&name);
            let is_for = |feature: &str| ended_by_signals && feature == "signal";
            let more: Vec<&Value> = asked
                .filter(|feature| NOT_OF_TOKIO.contains(&feature.as_str().unwrap()))
                .filter(|feature| !is_for(feature.as_str().unwrap()))
                .collect();
            assert!(more.is_empty(), "{name} asks for Tokio's {more:?}");
        }
    }
}

/// The files outside the drivers and the dialects that may name an engine, each with its reason.
/// The list may only become shorter.
const NAME_ENGINES: &[(&str, &str)] = &[
    (
        "crates/core/src/engine.rs",
        "describes the engines that the project knows",
    ),
    ("crates/core/src/dialect.rs", "has the dialect of each"),
    (
        "crates/schema/src/dialect.rs",
        "has the schema dialect of each",
    ),
    (
        "crates/model/src/dialect.rs",
        "has the model dialect of each",
    ),
    ("crates/copy/src/dialect.rs", "has the copy dialect of each"),
    ("crates/model/src/models.rs", "has an example"),
    (
        "crates/migrate/src/dialect.rs",
        "has the migration dialect of each",
    ),
    (
        "crates/config/src/resolve.rs",
        "falls back on PostgreSQL where no engine is named",
    ),
    (
        "crates/config/src/values.rs",
        "the defaults of a field are those of the engine, which is PostgreSQL where none is named",
    ),
    (
        "crates/config/src/fields.rs",
        "falls back on PostgreSQL where no engine is named",
    ),
    (
        "crates/config/src/builder.rs",
        "takes a file without an engine for SQLite's",
    ),
    ("crates/underpin/src/engines/access.rs", "registers Access"),
    ("crates/underpin/src/engines/odbc.rs", "registers ODBC"),
    (
        "crates/underpin/src/engines/postgres.rs",
        "registers PostgreSQL",
    ),
    ("crates/underpin/src/engines/sqlite.rs", "registers SQLite"),
    (
        "crates/underpin/src/postgres_builder.rs",
        "takes callbacks that only PostgreSQL has",
    ),
    ("apps/demo/src/main.rs", "says which databases it runs on"),
    (
        "apps/jobmatch/src/clock.rs",
        "asks each engine for its time",
    ),
    (
        "apps/jobmatch/src/emails.rs",
        "locks rows where the engine can",
    ),
    (
        "apps/jobmatch/src/matching.rs",
        "takes the faster statement of PostgreSQL",
    ),
    ("apps/jobmatch/src/verify.rs", "asks each engine's catalog"),
];

#[test]
fn few_files_name_an_engine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["crates", "apps"] {
        for source in sources(&root.join(folder)) {
            let text = fs::read_to_string(&source).unwrap();
            // Unit tests may name engines.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let names =
                ["POSTGRES", "SQLITE", "ACCESS", "ODBC"].map(|name| format!("Engine::{name}"));
            if names.iter().any(|name| code.contains(name.as_str())) {
                let path = source.strip_prefix(&root).unwrap();
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    let mut listed: Vec<String> = NAME_ENGINES
        .iter()
        .map(|(file, _)| (*file).to_owned())
        .collect();
    listed.sort();
    assert_eq!(
        found, listed,
        "a file that names an engine has its reason in the list"
    );
}

/// The Rust files in `src` directories, without those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" && name != "target" {
            all.extend(sources(&path));
        } else if name.ends_with(".rs")
            && !["tests.rs", "properties.rs"].contains(&&*name)
            && path.components().any(|part| part.as_os_str() == "src")
        {
            all.push(path);
        }
    }
    all
}

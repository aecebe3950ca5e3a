//! The arrows between the crates, and the oldest Rust that they are for.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

/// What cargo knows of the workspace, of what it stands on for this platform too.
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

/// What each crate of the house may stand on, its tests apart.
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
    (
        "underpin",
        &[
            "underpin-cluster",
            "underpin-config",
            "underpin-core",
            "underpin-derive",
            "underpin-migrate",
            "underpin-model",
            "underpin-pool",
            "underpin-postgres",
            "underpin-query",
            "underpin-schema",
            "underpin-sources",
            "underpin-sqlite",
        ],
    ),
    ("underpin-commands", &["underpin"]),
    ("underpin-cli", &["underpin", "underpin-commands"]),
    ("jobmatch", &["underpin", "underpin-commands"]),
    ("demo", &["jobmatch", "underpin"]),
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
fn the_arrows_point_as_the_design_has_them() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: Vec<&Value> = packages
        .iter()
        .filter(|package| package["source"].is_null())
        .collect();
    let mut names: Vec<&str> = ours.iter().map(|p| p["name"].as_str().unwrap()).collect();
    let mut listed: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(
        names, listed,
        "every crate is listed with what it may stand on"
    );
    for package in ours {
        let name = package["name"].as_str().unwrap();
        let allowed = ARROWS.iter().find(|(listed, _)| *listed == name).unwrap().1;
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

/// The benchmarks alone may state a newer one, for their peers: nobody stands on them.
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
            name == "underpin-bench" || limit == stated(underpin),
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

/// The ids of all that a package stands on, its tests' too.
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

/// Each engine by itself, without TLS, and with every type crate: nothing leans on a feature
/// that it did not ask for.
#[test]
fn every_set_of_features_builds() {
    let types = "postgres,sqlite,chrono,time,jiff,rust_decimal,bigdecimal";
    for features in [
        "sqlite",
        "postgres",
        "postgres,tls",
        "postgres,sqlite",
        "sqlite,metrics",
        types,
    ] {
        let output = Command::new(env!("CARGO"))
            .args([
                "check",
                "--quiet",
                "--offline",
                "-p",
                "underpin",
                "--no-default-features",
            ])
            .args(["--features", features])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("RUSTFLAGS", "-D warnings")
            // Other flags make other builds: beside those of the tests, not instead of them.
            .env(
                "CARGO_TARGET_DIR",
                concat!(env!("CARGO_TARGET_TMPDIR"), "/features"),
            )
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "with the features {features}:\n{said}"
        );
    }
}

//! The arrows between the crates, and the oldest Rust that they are for.

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
    ("underpin-core", &[]),
    ("underpin-config", &["underpin-core"]),
    ("underpin-pool", &["underpin-core"]),
    ("underpin-migrate", &["underpin-core"]),
    ("underpin-schema", &["underpin-core"]),
    ("underpin-derive", &[]),
    ("underpin-testkit", &[]),
    ("underpin-postgres", &["underpin-core"]),
    ("underpin-sqlite", &["underpin-core"]),
    (
        "underpin",
        &[
            "underpin-config",
            "underpin-core",
            "underpin-derive",
            "underpin-migrate",
            "underpin-pool",
            "underpin-postgres",
            "underpin-schema",
            "underpin-sqlite",
        ],
    ),
    ("underpin-commands", &["underpin"]),
    ("underpin-cli", &["underpin", "underpin-commands"]),
    ("jobmatch", &["underpin", "underpin-commands"]),
    ("demo", &["jobmatch", "underpin"]),
    (
        "underpin-bench",
        &["jobmatch", "underpin", "underpin-testkit"],
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

#[test]
fn no_dependency_asks_for_a_newer_rust_than_we_state() {
    let metadata = metadata();
    let version =
        |text: &str| -> Vec<u32> { text.split('.').map(|n| n.parse().unwrap()).collect() };
    let packages = metadata["packages"].as_array().unwrap();
    let of = |name: &str| {
        packages
            .iter()
            .find(|package| package["name"] == name)
            .unwrap()
    };
    let stated = of("underpin")["rust_version"].as_str().unwrap();
    for package in packages {
        if let Some(needed) = package["rust_version"].as_str() {
            assert!(
                version(needed)[..2] <= version(stated)[..2],
                "{} needs Rust {needed}, and {stated} is stated",
                package["name"]
            );
        }
    }
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

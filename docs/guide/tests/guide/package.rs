use std::process::Command;

use serde_json::Value;

use crate::files::root;

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "cargo {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &said
}

/// The packages that are published, as cargo knows them.
fn published() -> Vec<Value> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .filter(|package| package["publish"].is_null())
        .cloned()
        .collect()
}

#[test]
fn every_library_says_what_a_registry_asks_for() {
    let packages = published();
    assert_eq!(packages.len(), 20);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for key in [
            "description",
            "license",
            "repository",
            "readme",
            "rust_version",
        ] {
            let text = package[key].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name} has no {key}");
        }
        for key in ["keywords", "categories"] {
            let list = package[key].as_array().unwrap();
            assert!(!list.is_empty() && list.len() <= 5, "{name}: {key}");
        }
        assert!(
            package["metadata"]["docs"]["rs"].is_object(),
            "{name}: docs.rs"
        );
    }
}

/// All libraries can be packaged, in an order in which each comes after those that it needs; their
/// licenses are inside.
#[test]
fn every_library_can_be_packaged() {
    let packages = published();
    let target = tempfile::tempdir().unwrap();
    let mut arguments = vec!["package", "--offline", "--no-verify", "--allow-dirty"];
    let target_dir = target.path().display().to_string();
    arguments.extend(["--target-dir", &target_dir]);
    for package in &packages {
        arguments.extend(["--package", package["name"].as_str().unwrap()]);
    }
    let said = cargo(&arguments);
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        assert!(
            said.contains(&format!("Packaging {name} v")),
            "{name}: {said}"
        );
        let list = [
            "package",
            "--list",
            "--offline",
            "--allow-dirty",
            "--package",
            name,
        ];
        let list = cargo(&list);
        let files: Vec<&str> = list.lines().collect();
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
            assert!(files.contains(&file), "{name} has no {file}: {list}");
        }
    }
}

/// Whether an expression of licenses is allowed: one of those joined by OR, and all joined by AND.
fn is_allowed(license: &str, allowed: &[String]) -> bool {
    let license = license
        .replace(['(', ')'], "")
        .replace(" / ", "/")
        .replace('/', " OR ");
    license.split(" AND ").all(|part| {
        part.split(" OR ")
            .any(|name| allowed.iter().any(|known| known == name.trim()))
    })
}

/// The license that `deny.toml` gives for a crate that names a file alone.
fn clarified<'d>(deny: &'d str, name: &str) -> Option<&'d str> {
    let (_, rest) = deny.split_once(&format!("crate = \"{name}\"\nexpression = \""))?;
    rest.split('"').next()
}

/// The licenses of all dependencies are those that `deny.toml` allows.
#[test]
fn the_licenses_are_allowed() {
    let arguments = ["metadata", "--format-version", "1", "--offline"];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let deny = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let allowed = deny.split("allow = [").nth(1).unwrap();
    let allowed = allowed.split(']').next().unwrap().lines();
    let allowed: Vec<String> = allowed
        .map(|line| line.trim().trim_matches([',', '"']).to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    assert!(allowed.len() > 5, "{allowed:?}");
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let license = package["license"].as_str();
        let license = license.or_else(|| clarified(&deny, name));
        let license = license.unwrap_or_else(|| panic!("{name} names no license"));
        assert!(is_allowed(license, &allowed), "{name}: {license}");
    }
}

#[test]
fn an_expression_of_licenses_is_understood() {
    let allowed = ["MIT", "ISC"].map(str::to_owned);
    assert!(is_allowed("MIT/Apache-2.0", &allowed));
    assert!(is_allowed("(Apache-2.0 OR MIT) AND ISC", &allowed));
    assert!(!is_allowed("MIT AND GPL-3.0", &allowed));
}

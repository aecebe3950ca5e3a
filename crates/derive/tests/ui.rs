//! What does not compile, and what the compiler then says.
//!
//! Each file of `ui` is given to the compiler itself, with the libraries that cargo has built beside
//! this test: nothing is built a second time. `UNDERPIN_UPDATE=1` writes what it says to the files
//! that end in `.stderr`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library of a crate among the messages that cargo prints for programs.
fn library(messages: &str, name: &str) -> PathBuf {
    let of_crate = format!("\"name\":\"{name}\"");
    let messages = messages.lines().filter(|line| {
        line.contains("\"reason\":\"compiler-artifact\"") && line.contains(&of_crate)
    });
    let files = messages.flat_map(|line| line.split('"'));
    files
        .filter(|text| text.ends_with(".rlib") || text.ends_with(std::env::consts::DLL_SUFFIX))
        .filter(|text| text.contains(&format!("lib{name}")) || text.contains(&format!("{name}-")))
        .map(PathBuf::from)
        .next_back()
        .unwrap_or_else(|| panic!("cargo built no library of {name}"))
}

/// The libraries that the files use, as the compiler is told of them.
fn libraries() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--no-run", "--offline", "--quiet"])
        .args(["--message-format", "json", "--package", "underpin-derive"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut arguments = Vec::new();
    for name in ["underpin_derive", "underpin_core"] {
        let path = library(&messages, name);
        let directory = path.parent().unwrap().display().to_string();
        arguments.push(format!("--extern={name}={}", path.display()));
        arguments.push(format!("-Ldependency={directory}"));
    }
    arguments
}

/// What the compiler says to a file that it refuses, without its closing lines.
fn said(file: &str, libraries: &[String], output: &Path) -> String {
    let compiled = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition=2024",
            "--emit=metadata",
            "--crate-type=bin",
            "--color=never",
        ])
        .args(["--cap-lints=allow", "-o"])
        .arg(output)
        .args(libraries)
        .arg(file)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the compiler runs");
    assert!(!compiled.status.success(), "{file} compiles");
    let text = String::from_utf8_lossy(&compiled.stderr).into_owned();
    let end = [
        "error: aborting due to",
        "Some errors have detailed",
        "For more information",
    ];
    let kept = text
        .lines()
        .filter(|line| !end.iter().any(|start| line.starts_with(start)));
    let text: String = kept.flat_map(|line| [line, "\n"]).collect();
    format!("{}\n", text.trim_end())
}

#[test]
fn mistakes_are_explained() {
    let libraries = libraries();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui.rmeta");
    let update = std::env::var_os("UNDERPIN_UPDATE").is_some();
    let (mut count, mut differ) = (0, Vec::new());
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        count += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let said = said(&format!("tests/ui/{name}"), &libraries, &output);
        let expected = path.with_extension("stderr");
        if update {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != said {
            differ.push(format!("{name}:\n{said}"));
        }
    }
    assert_eq!(count, 11, "every file was compiled");
    assert!(
        differ.is_empty(),
        "not what is expected:\n{}",
        differ.join("\n")
    );
}

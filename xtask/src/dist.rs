//! Builds the command `underpin` for distribution.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::json;

use crate::checkout::Checkout;
use crate::debian::run as run_command;

/// No program that is handed out is larger.
const LIMIT: u64 = 15 * 1024 * 1024;
const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

pub(crate) fn run(checkout: &Checkout, directory: Option<&str>) -> ExitCode {
    let directory = directory.map_or_else(|| checkout.target.join("dist-packages"), PathBuf::from);
    match build(checkout, &directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The packages could not be built: {error}.");
            ExitCode::FAILURE
        }
    }
}

fn build(checkout: &Checkout, directory: &Path) -> io::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([
            "build",
            "--profile",
            "dist",
            "--package",
            "underpin-cli",
            "--target-dir",
        ])
        .arg(&checkout.target)
        .current_dir(&checkout.root);
    if !cargo.status()?.success() {
        return Err(io::Error::other("cargo failed"));
    }
    let program = checkout.target.join("dist/underpin");
    let size = fs::metadata(&program)?.len();
    if size > LIMIT {
        let message = format!(
            "{} has {size} bytes, and the limit is {LIMIT}",
            program.display()
        );
        return Err(io::Error::other(message));
    }
    assemble(checkout, &program, directory)?;
    wheel(checkout, "dist", &checkout.target, directory)?;
    println!(
        "{} contains the command and its packages",
        directory.display()
    );
    Ok(())
}

/// Puts a program that is built into a directory, with all that goes with it.
pub(crate) fn assemble(checkout: &Checkout, program: &Path, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory.join("completions"))?;
    fs::copy(program, directory.join("underpin"))?;
    for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(checkout.root.join(license), directory.join(license))?;
    }
    for shell in SHELLS {
        let mut command = Command::new(program);
        command.args(["completions", shell]);
        let script = run_command(command)?.stdout;
        fs::write(
            directory
                .join("completions")
                .join(format!("underpin.{shell}")),
            script,
        )?;
    }
    let mut man = Command::new(program);
    man.arg("man").arg(directory.join("man"));
    run_command(man)?;
    npm(program, &directory.join("npm"))
}

/// The version of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A package for npx: one for this platform, which holds the program.
fn npm(program: &Path, directory: &Path) -> io::Result<()> {
    let bin = directory.join("bin");
    fs::create_dir_all(&bin)?;
    let target = bin.join("underpin");
    fs::copy(program, &target)?;
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let manifest = json!({
        "name": format!("@underpin/cli-{os}-{cpu}"),
        "version": VERSION,
        "description": "The command underpin: migrations, schemas and queries for PostgreSQL and SQLite.",
        "license": "MIT OR Apache-2.0",
        "repository": env!("CARGO_PKG_REPOSITORY"),
        "os": [os],
        "cpu": [cpu],
        "bin": { "underpin": "bin/underpin" },
        "files": ["bin"],
    });
    fs::write(directory.join("package.json"), format!("{manifest:#}\n"))
}

/// A wheel for pip, by maturin where that is installed, which builds the program once more.
fn wheel(checkout: &Checkout, profile: &str, target: &Path, directory: &Path) -> io::Result<()> {
    let own = checkout.target.join("test-python/bin/maturin");
    let maturin = if own.is_file() { own } else { "maturin".into() };
    let known = Command::new(&maturin).arg("--version").output();
    if !known.is_ok_and(|output| output.status.success()) {
        println!("maturin is not installed, so no wheel is built. Run pip install maturin.");
        return Ok(());
    }
    let mut command = Command::new(maturin);
    command
        .args(["build", "--quiet", "--offline", "--profile", profile])
        .arg("--manifest-path")
        .arg(checkout.root.join("crates/cli/Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .arg("--out")
        .arg(directory)
        .current_dir(&checkout.root);
    run_command(command).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds the packages around the debug program of this target directory, and installs and runs
    /// what is in them.
    #[test]
    fn the_packages_hold_a_command_that_runs() {
        let checkout = Checkout {
            root: Checkout::root(),
            target: Checkout::target_of_tests(),
        };
        let program = checkout.target.join("debug/underpin");
        if !program.is_file() {
            return skip("the_packages", "the command underpin");
        }
        let directory = tempfile::tempdir().unwrap();
        assemble(&checkout, &program, directory.path()).unwrap();

        let pages = fs::read_dir(directory.path().join("man")).unwrap().count();
        assert!(pages > 20, "{pages} man pages");
        let page = fs::read_to_string(directory.path().join("man/underpin-migrate-up.1")).unwrap();
        assert!(page.contains("lock"), "{page}");
        for shell in SHELLS {
            let file = directory
                .path()
                .join(format!("completions/underpin.{shell}"));
            assert!(
                fs::read_to_string(file).unwrap().contains("migrate"),
                "{shell}"
            );
        }
        npx_runs_it(directory.path());
        // Beside the target directory of the tests, whose programs others are running.
        let target = checkout.target.join("tmp/wheel");
        wheel(&checkout, "dev", &target, directory.path()).unwrap();
        pip_runs_it(&checkout, directory.path());
    }

    fn version_of(mut command: Command) {
        command.arg("--version");
        let output = run_command(command).unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said.trim(), format!("underpin {VERSION}"));
    }

    /// Says that a part of this test needs a program that is not there.
    fn skip(part: &str, program: &str) {
        let line = format!("xtask::dist::{part}: {program} is not installed.");
        println!("skipped {line}");
        if let Some(path) = std::env::var_os("UNDERPIN_TEST_SKIPS") {
            use std::io::Write;
            let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }

    fn npx_runs_it(directory: &Path) {
        let known = Command::new("npm").arg("--version").output();
        if known.is_err() {
            return skip("npx_runs_it", "npm");
        }
        let project = tempfile::tempdir().unwrap();
        fs::write(project.path().join("package.json"), "{}").unwrap();
        let mut install = Command::new("npm");
        install
            .args([
                "install",
                "--offline",
                "--no-audit",
                "--no-fund",
                "--silent",
            ])
            .arg(directory.join("npm"))
            .current_dir(project.path());
        run_command(install).unwrap();
        let mut npx = Command::new("npx");
        npx.args(["--offline", "underpin"])
            .current_dir(project.path());
        version_of(npx);
    }

    fn pip_runs_it(checkout: &Checkout, directory: &Path) {
        let entries = fs::read_dir(directory).unwrap();
        let wheel = entries
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|end| end == "whl"));
        let python = checkout.target.join("test-python/bin/python");
        let (Some(wheel), true) = (wheel, python.is_file()) else {
            return skip("pip_runs_it", "maturin");
        };
        let place = tempfile::tempdir().unwrap();
        let mut install = Command::new(python);
        install
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-index",
                "--no-deps",
                "--target",
            ])
            .arg(place.path())
            .arg(wheel);
        run_command(install).unwrap();
        version_of(Command::new(place.path().join("bin/underpin")));
    }
}

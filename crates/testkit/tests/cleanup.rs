//! Nothing outlives the process that started it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use underpin_testkit::{Postgres, or_skip};

/// Starts the server of a run in a process of its own, and tells its directory and postmaster.
fn start() -> (Child, PathBuf, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_underpin-test-server"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = output
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .collect();
    let socket = lines
        .iter()
        .find_map(|line| line.strip_prefix("export UNDERPIN_TEST_POSTGRES_SOCKET_DIR='"))
        .unwrap()
        .trim_end_matches('\'');
    let directory = Path::new(socket).parent().unwrap().to_owned();
    let postmaster = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap();
    let postmaster = postmaster.lines().next().unwrap().to_owned();
    (child, directory, postmaster)
}

fn await_end(directory: &Path, postmaster: &str) {
    let running = || {
        Command::new("sh")
            .args(["-c", "kill -0 \"$1\" 2>/dev/null", "sh", postmaster])
            .status()
            .is_ok_and(|status| status.success())
    };
    // Each look is 20 ms after the one before.
    for _ in 0..750 {
        if !directory.exists() && !running() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!(
        "the server in {} or its directory is still there",
        directory.display()
    );
}

#[test]
fn a_server_goes_when_its_owner_is_killed() {
    or_skip!(Postgres::shared());
    let (mut owner, directory, postmaster) = start();
    // Frozen processes are in nobody's way either.
    let frozen = Command::new("sh")
        .args(["-c", "kill -STOP \"$1\"", "sh", &postmaster])
        .status();
    assert!(frozen.unwrap().success());
    owner.kill().unwrap();
    owner.wait().unwrap();
    await_end(&directory, &postmaster);
}

#[test]
fn a_server_goes_when_its_owner_lets_go() {
    or_skip!(Postgres::shared());
    let (mut owner, directory, postmaster) = start();
    drop(owner.stdin.take());
    assert!(owner.wait().unwrap().success());
    assert!(!directory.exists());
    await_end(&directory, &postmaster);
}

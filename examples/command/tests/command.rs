//! The command, as somebody types it.

use std::path::Path;
use std::process::Command;

fn run(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_example-command"))
        .args(["--url", "sqlite:contacts.db?mode=rwc"])
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn it_migrates_itself_and_keeps_contacts() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    // Without its table, it says what is missing.
    let (code, said) = run(at, &["list"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("contacts"), "{said}");
    for arguments in [
        &["migrate", "up"][..],
        &["add", "Ada", "555-0100"],
        &["add", "Bob", "555-0101"],
        &["add", "Ada", "555-0102"],
        &["health"],
    ] {
        let (code, said) = run(at, arguments);
        assert_eq!(code, Some(0), "{said}");
    }
    let (_, said) = run(at, &["list"]);
    assert_eq!(said, "Ada\t555-0102\nBob\t555-0101\n");
}

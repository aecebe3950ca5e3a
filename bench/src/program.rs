use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A program of this workspace, built beside the benchmarks with the same profile.
pub(crate) fn ours(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a program has a path");
    let path = own.with_file_name(name);
    assert!(
        path.exists(),
        "{} is not built: cargo build --release -p jobmatch -p underpin-cli",
        path.display()
    );
    path
}

/// What is said where [`python`] finds none.
pub(crate) const NO_PYTHON: &str =
    "there is no Python with Alembic; UNDERPIN_TEST_PYTHON names one";

/// The Python that has the tools of others.
pub(crate) fn python() -> Option<PathBuf> {
    let named = std::env::var_os("UNDERPIN_TEST_PYTHON").map(PathBuf::from);
    let own = ours("underpin-bench");
    let beside = own.parent()?.parent()?.join("test-python/bin/python");
    named.into_iter().chain([beside]).find(|path| path.exists())
}

/// Runs a program to its good end.
pub(crate) fn run(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs a program to its good end, and gives the most memory that it had, in bytes, as the
/// system last said.
pub(crate) fn peak_memory(command: &mut Command) -> u64 {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = quiet.spawn().expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().expect("a child can be asked for") {
            assert!(status.success());
            return peak;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

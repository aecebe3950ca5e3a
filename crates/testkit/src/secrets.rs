//! The passwords of a test run, so that the run can prove that they were not printed.
//!
//! The file that `UNDERPIN_TEST_SECRETS` names gets each secret, one a line. After the run its
//! owner searches everything that was printed for each of them. Without the variable nothing is
//! kept.

use std::fs::OpenOptions;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

/// The shortest secret that may be registered, in bytes. A shorter one would be found by chance.
pub const MIN_LEN: usize = 8;

/// Declares that a text must never be printed by this run.
///
/// # Panics
///
/// When the secret is shorter than [`MIN_LEN`] or has a line break in it, or cannot be noted.
pub fn register(secret: &str) {
    assert!(
        secret.len() >= MIN_LEN && !secret.contains(['\n', '\r']),
        "A secret for a test must have at least {MIN_LEN} bytes, on one line."
    );
    let Some(path) = std::env::var_os("UNDERPIN_TEST_SECRETS") else {
        return;
    };
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{secret}\n").as_bytes()))
        .unwrap_or_else(|error| {
            panic!("A secret cannot be written to {}: {error}.", path.display())
        });
}

/// A new password that occurs nowhere else, already registered.
pub fn password() -> String {
    let password = format!("s3cr3t-{}", random_hex());
    register(&password);
    password
}

/// Sixteen hexadecimal digits that no other call on this machine gives.
pub(crate) fn random_hex() -> String {
    // Each RandomState has keys of its own, so hashing the same value gives different numbers.
    format!("{:016x}", RandomState::new().hash_one("underpin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_passwords_are_alike() {
        assert_ne!(password(), password());
    }

    #[test]
    #[should_panic(expected = "at least 8 bytes")]
    fn a_short_secret_is_refused() {
        register("app");
    }
}

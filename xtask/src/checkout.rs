use std::path::{Path, PathBuf};

/// Where the sources and the target directory are.
#[derive(Debug)]
pub(crate) struct Checkout {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Checkout {
    /// The checkout that this program was built from.
    pub(crate) fn find() -> Self {
        let root = Checkout::root();
        // This program is `target/debug/xtask`.
        let own = std::env::current_exe().expect("a program has a path");
        let target = own
            .ancestors()
            .nth(2)
            .expect("cargo builds programs in a directory of the target directory")
            .to_owned();
        Checkout { root, target }
    }

    pub(crate) fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the package is in a directory of the checkout")
            .to_owned()
    }

    /// The target directory of a test, which is in `debug/deps` of it.
    #[cfg(test)]
    pub(crate) fn target_of_tests() -> PathBuf {
        let own = std::env::current_exe().expect("a program has a path");
        own.ancestors()
            .nth(3)
            .expect("cargo builds tests in debug/deps")
            .to_owned()
    }

    /// The manifest of the workspace that holds the benchmarks and the tests that need their peers.
    pub(crate) fn peers(&self) -> PathBuf {
        self.root.join("bench/Cargo.toml")
    }
}

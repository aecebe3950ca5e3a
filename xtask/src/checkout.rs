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
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the package is in a directory of the checkout")
            .to_owned();
        // This program is `target/debug/xtask`.
        let own = std::env::current_exe().expect("a program has a path");
        let target = own
            .ancestors()
            .nth(2)
            .expect("cargo builds programs in a directory of the target directory")
            .to_owned();
        Checkout { root, target }
    }

    /// The manifest of the workspace that holds the benchmarks and the tests that need their peers.
    pub(crate) fn peers(&self) -> PathBuf {
        self.root.join("bench/Cargo.toml")
    }
}

//! What `embed_revisions!` takes into the binary.

/// Stands in for `underpin::migrate`, on which this crate cannot depend.
mod migrate {
    pub(crate) struct Embedded {
        pub(crate) name: &'static str,
        pub(crate) text: &'static str,
        pub(crate) path: Option<&'static str>,
    }
}

static REVISIONS: &[migrate::Embedded] =
    underpin_derive::embed_revisions!("tests/revisions", crate = "crate");

#[test]
fn the_files_of_a_directory_in_the_order_of_their_names() {
    let names: Vec<_> = REVISIONS.iter().map(|file| file.name).collect();
    assert_eq!(
        names,
        [
            "tests/revisions/1_a.sql",
            "tests/revisions/2_b.sql",
            "tests/revisions/later/3_c.sql"
        ]
    );
    assert_eq!(REVISIONS[0].text, include_str!("revisions/1_a.sql"));
    assert_eq!(REVISIONS[1].text, include_str!("revisions/2_b.sql"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/revisions/1_a.sql");
    assert_eq!(REVISIONS[0].path, cfg!(debug_assertions).then_some(path));
}

//! The picture in the README is of the models as they are.

use std::path::Path;

use jobmatch::models::MODELS;
use underpin::Engine;
use underpin::schema::erd::{self, Columns};

#[test]
fn the_picture_in_the_readme_is_of_these_models() {
    let schema = MODELS.schema(Engine::POSTGRES).unwrap();
    assert_eq!(schema.tables.len(), 6);
    let svg = erd::svg(&schema, Columns::All);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("docs/jobmatch.svg");
    if std::env::var_os("UNDERPIN_TEST_REWRITE").is_some() {
        std::fs::create_dir_all(root.join("docs")).unwrap();
        std::fs::write(&file, &svg).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == svg,
        "docs/jobmatch.svg is not of the models as they are. \
         `UNDERPIN_TEST_REWRITE=1 ./test the_picture_in_the_readme` draws it again."
    );
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("](docs/jobmatch.svg)"));
}

//! What a generator made is what is read, and comes back elsewhere.

use std::collections::BTreeMap;

use underpin::schema::sqlite;
use underpin_testkit::SqliteFile;

use crate::generate::{self, KINDS};
use crate::pragmas::assert_told;
use crate::round_trip::{apply, assert_same, comes_back, connect, read};

/// So many schemas, the same in every run.
const SEEDS: u64 = 60;

#[tokio::test]
async fn any_schema_is_read_as_it_was_made_and_comes_back_elsewhere() {
    let mut counts: BTreeMap<&str, usize> = KINDS.iter().map(|kind| (*kind, 0)).collect();
    for seed in 0..SEEDS {
        let made = generate::schema(seed);
        for (kind, many) in generate::count(&made) {
            *counts.get_mut(kind).expect(kind) += many;
        }
        let name = format!("seed {seed}");
        let statements = sqlite::dump(&made).unwrap();
        let place = SqliteFile::new();
        let db = connect(&place).await;
        apply(&db, &name, &statements).await;
        let found = read(&db).await;
        assert_same(&name, &made, &found, &statements);
        assert_told(&name, &db, &found).await;
        let mut inserts = vec!["PRAGMA foreign_keys = OFF".to_owned()];
        for (table, of) in &made.tables {
            inserts.extend(generate::rows(table, of));
        }
        apply(&db, &name, &inserts).await;
        comes_back(&name, &found).await;
    }
    for (kind, many) in &counts {
        println!("{many:6} {kind}");
    }
    let none: Vec<_> = counts.iter().filter(|(_, many)| **many == 0).collect();
    assert!(none.is_empty(), "the generator made none of {none:?}");
}

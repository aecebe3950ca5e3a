//! What a generator made is what is read, and comes back elsewhere.

use std::collections::BTreeMap;

use underpin::Database;
use underpin::schema::{Extension, Selection, introspect, postgres};
use underpin_testkit::{Postgres, or_skip};

use crate::generate::{self, KINDS, Server};
use crate::round_trip::{apply, assert_same, connect};

/// So many schemas, the same in every run.
const SEEDS: u64 = 24;

/// Extensions that come with the server, where they are installed.
const EXTENSIONS: [&str; 2] = ["btree_gist", "citext"];

pub(crate) async fn server(db: &Database) -> Server {
    let version = db.query_scalar("SELECT current_setting('server_version_num')::int4", ());
    let available: Vec<(String, String, String)> = db
        .query_as(
            "SELECT name::text, default_version, comment FROM pg_available_extensions WHERE name = ANY ($1::text[])",
            (EXTENSIONS.map(str::to_owned).to_vec(),),
        )
        .await
        .unwrap();
    let extensions = available.into_iter().map(|(name, version, comment)| {
        let extension = Extension {
            namespace: "public".to_owned(),
            version,
            comment: Some(comment),
            ..Extension::default()
        };
        (name, extension)
    });
    Server {
        version: version.await.unwrap(),
        role: db
            .query_scalar("SELECT current_user::text", ())
            .await
            .unwrap(),
        extensions: extensions.collect(),
    }
}

#[tokio::test]
async fn any_schema_is_read_as_it_was_made_and_comes_back_elsewhere() {
    let place = or_skip!(Postgres::shared());
    let about = place.database("about");
    let about = server(&connect(&about).await).await;
    let mut counts: BTreeMap<&str, usize> = KINDS.iter().map(|kind| (*kind, 0)).collect();
    for seed in 0..SEEDS {
        let made = generate::schema(seed, &about);
        for (kind, many) in generate::count(&made) {
            *counts.get_mut(kind).expect(kind) += many;
        }
        let name = format!("seed {seed}");
        let statements = postgres::dump(&made).unwrap();
        let first = place.database("generated");
        let db = connect(&first).await;
        apply(&db, &name, &statements).await;
        let read = introspect(&db, &Selection::default()).await.unwrap();
        assert_same(&name, &made, &read, &statements);
        let second = place.database("generated");
        let elsewhere = connect(&second).await;
        apply(&elsewhere, &name, &postgres::dump(&read).unwrap()).await;
        let again = introspect(&elsewhere, &Selection::default()).await.unwrap();
        assert_same(&name, &read, &again, &statements);
    }
    for (kind, many) in &counts {
        println!("{many:6} {kind}");
    }
    let none: Vec<_> = counts.iter().filter(|(_, many)| **many == 0).collect();
    assert!(none.is_empty(), "the generator made none of {none:?}");
}

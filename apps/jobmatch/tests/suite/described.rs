//! The models describe the database that the revisions make.

use jobmatch::models::MODELS;
use underpin::schema::{Schema, Selection, introspect, postgres};
use underpin::{Database, Engine};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place, close};

/// All but the history of the revisions.
pub(crate) async fn read(database: &Database) -> Schema {
    let selection = Selection {
        exclude: vec!["underpin_*".into()],
        ..Selection::default()
    };
    let mut schema = introspect(database, &selection).await.unwrap();
    // Every database on PostgreSQL says of it that it is the standard one.
    if let Some(public) = schema.namespaces.get_mut("public") {
        public.comment = None;
    }
    schema
}

pub(crate) fn lines(schema: &Schema) -> Vec<String> {
    let text = serde_json::to_string_pretty(schema).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn tables_made_from_the_models_are_those_of_the_revisions() {
    let server = or_skip!(Postgres::shared());
    let [place, empty] = ["described", "made"].map(|name| Place::Postgres(server.database(name)));
    let migrated = place.migrated().await;
    let made = Database::connect(empty.url()).await.unwrap();
    let described = MODELS.schema(Engine::POSTGRES).unwrap();
    for statement in postgres::dump(&described).unwrap() {
        made.batch(&statement).await.unwrap();
    }
    let found = read(&migrated).await;
    assert_eq!(found.tables.len(), 6);
    assert_eq!(lines(&read(&made).await), lines(&found));
    close(migrated).await;
    close(made).await;
}

/// Before any server has seen them, they differ in what a server renders, and in nothing else.
#[tokio::test]
async fn the_models_say_what_is_read_but_for_the_casts_of_the_server() {
    let server = or_skip!(Postgres::shared());
    let place = Place::Postgres(server.database("described"));
    let migrated = place.migrated().await;
    let described = lines(&MODELS.schema(Engine::POSTGRES).unwrap());
    let found = lines(&read(&migrated).await);
    assert_eq!(described.len(), found.len());
    let pairs = described.iter().zip(&found);
    let differing = pairs.filter(|(left, right)| left != right);
    let (said, read): (Vec<&str>, Vec<&str>) =
        differing.map(|(left, right)| (&**left, &**right)).unzip();
    assert_eq!(
        said,
        [
            r#""default": "'pending'","#,
            r#""default": "'pending'","#,
            r#""default": "'1.0'","#,
            r#""expression": "total_score >= 0 AND total_score <= 100","#,
            r#""expression": "salary_min >= 0","#,
            r#""default": "'pending'","#,
            r#""expression": "confidence_level >= 0 AND confidence_level <= 1","#,
        ]
    );
    assert!(read.iter().all(|one| one.contains("::")), "{read:?}");
    close(migrated).await;
}

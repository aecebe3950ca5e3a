//! The description of a table by a model, and the table that a server then has.

use std::collections::BTreeSet;

use serde_json::Value;
use underpin::model::Models;
use underpin::schema::{
    Action, GeneratedKind, KeyTarget, Match, ObjectName, PartitionStrategy, Schema, Selection,
    introspect, postgres,
};
use underpin::{Class, Database, Engine, Model, models};
use underpin_testkit::{Postgres, or_skip};

use super::shop::{Event, Goal, MODELS, Match as TheMatch, Player, Team};

fn postgres_schema() -> Schema {
    MODELS.schema(Engine::POSTGRES).unwrap()
}

#[test]
fn columns_have_the_types_of_their_fields() {
    let types = |engine| -> Vec<String> {
        let columns = Player::table(engine).unwrap().columns;
        let each = columns.iter();
        each.map(|one| format!("{} {}", one.name, one.data_type))
            .collect()
    };
    let postgres = types(Engine::POSTGRES);
    for expected in [
        "id uuid",
        "email character varying(40)",
        "age smallint",
        "number integer",
        "mood public.mood",
        "labels jsonb",
        "salary numeric",
        "scores integer[]",
        "picture bytea",
        "order double precision",
        "updated_at timestamp without time zone",
        "seen_at timestamp with time zone",
    ] {
        assert!(
            postgres.contains(&expected.to_owned()),
            "{expected} of {postgres:?}"
        );
    }
    assert!(!postgres.iter().any(|one| one.starts_with("selected")));
    let sqlite = types(Engine::SQLITE);
    for expected in [
        "id TEXT",
        "age INTEGER",
        "salary NUMERIC",
        "scores TEXT",
        "picture BLOB",
    ] {
        assert!(
            sqlite.contains(&expected.to_owned()),
            "{expected} of {sqlite:?}"
        );
    }
}

#[test]
fn keys_checks_and_indexes_are_as_they_are_given() {
    let table = Player::table(Engine::POSTGRES).unwrap();
    let keys: Vec<&String> = table.foreign_keys.keys().collect();
    assert_eq!(keys, ["once_in", "players_team_id_fkey"]);
    let key = &table.foreign_keys["players_team_id_fkey"];
    assert_eq!(key.references, ObjectName::new("public", "teams"));
    assert_eq!(
        (key.on_delete, &key.referenced_columns[..]),
        (Action::SetNull, &["id".to_owned()][..])
    );
    let checks: Vec<&String> = table.checks.keys().collect();
    assert_eq!(checks, ["guarded", "players_age_check"]);
    let indexes: Vec<&String> = table.indexes.keys().collect();
    assert_eq!(
        indexes,
        ["idx_players", "players_email_idx", "players_labels_idx"]
    );
    let index = &table.indexes["idx_players"];
    assert!(index.unique && index.predicate.is_some());
    assert!(matches!(&index.keys[0].target, KeyTarget::Expression(_)));
    assert!(index.keys[1].descending && !index.keys[1].nulls_first);
    assert_eq!(table.indexes["players_labels_idx"].method, "gin");
    // SQLite has no such method.
    assert_eq!(Player::table(Engine::SQLITE).unwrap().indexes.len(), 2);
    let generated = table
        .column("next_age")
        .unwrap()
        .generated
        .as_ref()
        .unwrap();
    assert_eq!(generated.kind, GeneratedKind::Stored);
    assert_eq!(
        table.column("email").unwrap().comment.as_deref(),
        Some("Where to write to.")
    );
    let goal = Goal::table(Engine::POSTGRES).unwrap();
    let pair = &goal.foreign_keys["goals_day_field_fkey"];
    assert_eq!(
        (pair.matching, pair.on_delete),
        (Match::Full, Action::Cascade)
    );
    let key = TheMatch::table(Engine::POSTGRES)
        .unwrap()
        .primary_key
        .unwrap();
    assert_eq!(
        (&*key.name, &key.columns[..]),
        ("pk_matches", &["day".to_owned(), "field".to_owned()][..])
    );
    let by = Event::table(Engine::POSTGRES)
        .unwrap()
        .partition_by
        .unwrap();
    assert_eq!(by.strategy, PartitionStrategy::Range);
}

#[test]
fn old_names_are_kept_for_comparisons() {
    assert_eq!(Team::DESCRIPTION.renamed_from, Some("groups"));
    let column = Player::DESCRIPTION.column("team_id").unwrap();
    assert_eq!(column.renamed_from, Some("group_id"));
    let mood = Player::DESCRIPTION.column("mood").unwrap();
    let labels = mood.field_type.unwrap().enumeration.unwrap().labels;
    assert_eq!(labels[1].renamed_from, Some("unhappy"));
}

/// The server renders expressions in its own way; everything else matches the models.
#[tokio::test]
async fn a_server_has_the_tables_that_the_models_describe() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("model_schema");
    let db = Database::connect(place.url()).await.unwrap();
    let described = postgres_schema();
    for statement in postgres::dump(&described).unwrap() {
        db.batch(&statement).await.unwrap();
    }
    let selection = Selection {
        namespaces: vec!["public".into(), "league".into()],
        ..Selection::default()
    };
    let mut found = introspect(&db, &selection).await.unwrap();
    // The comment that every database has.
    found.namespaces.get_mut("public").unwrap().comment = None;
    let [described, found] = [described, found].map(|one| serde_json::to_value(&one).unwrap());
    let mut differences = Vec::new();
    compare("", &described, &found, &mut differences);
    let players = "tables/public.players";
    let expected = [
        format!(
            "{players}/checks/guarded/expression: age >= 18 OR guardian IS NOT NULL is \
             (age >= 18) OR (guardian IS NOT NULL)"
        ),
        format!("{players}/columns/8/default: 'very_happy' is 'very_happy'::public.mood"),
        format!(
            "{players}/indexes/idx_players/keys/0/target/expression: lower(email) is lower((email)::text)"
        ),
    ];
    assert_eq!(differences, expected);
    db.close(std::time::Duration::from_secs(10)).await.unwrap();
}

/// Records each place where two values differ, and the values there.
fn compare(place: &str, left: &Value, right: &Value, differences: &mut Vec<String>) {
    let below = |key: &str| match place {
        "" => key.to_owned(),
        place => format!("{place}/{key}"),
    };
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let [left, right] = [left, right].map(|of| of.get(key).unwrap_or(&Value::Null));
                compare(&below(key), left, right, differences);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                compare(&below(&at.to_string()), left, right, differences);
            }
        }
        (left, right) if left == right => {}
        (left, right) => {
            let plain = |of: &Value| of.as_str().map_or_else(|| of.to_string(), str::to_owned);
            differences.push(format!("{place}: {} is {}", plain(left), plain(right)));
        }
    }
}

mod wrong {
    use underpin::Model;

    #[derive(Debug, Clone, Model)]
    #[expect(dead_code, reason = "only its table is looked at")]
    pub(super) struct Counted {
        #[model(primary_key)]
        id: i64,
        #[model(on_update)]
        version: i32,
    }
}

#[test]
fn contradicting_models_are_refused() {
    let twice: Models = models![Team, Team];
    let error = twice.schema(Engine::POSTGRES).unwrap_err();
    assert_eq!(error.class(), Class::Config);
    assert_eq!(
        error.to_string(),
        "Two models describe the table public.teams."
    );
    let error = wrong::Counted::table(Engine::SQLITE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "The column \"version\" of the table \"counted\" has the type integer, which has no \
         automatic new value. Set its new value: `#[model(on_update = \"…\")]`."
    );
}

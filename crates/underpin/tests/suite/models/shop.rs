//! Models with everything that a model can have, and their tables.

use std::collections::BTreeMap;

use underpin::model::Models;
use underpin::schema::postgres;
use underpin::value::{Numeric, Timestamp, TimestampTz, Uuid};
use underpin::{ColumnType, Database, Engine, FromValue, IntoValue, Model, models};

use crate::place::Place;

#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "teams",
    comment = "Who plays together.",
    renamed_from = "groups"
)]
pub(crate) struct Team {
    #[model(primary_key, identity)]
    pub(crate) id: i64,
    /// What it is called.
    #[model(unique)]
    pub(crate) name: String,
    #[model(default = 0)]
    pub(crate) points: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, FromValue, IntoValue, ColumnType)]
#[value(rename_all = "snake_case")]
#[model(comment = "How somebody feels.")]
pub(crate) enum Mood {
    VeryHappy,
    #[model(renamed_from = "unhappy")]
    Sad,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, FromValue, IntoValue, ColumnType)]
pub(crate) struct PlayerId(pub(crate) Uuid);

#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "players",
    check("age >= 18 OR guardian IS NOT NULL", name = "guarded"),
    index("lower(email)", name desc nulls last, name = "idx_players", unique = true,
        where = "guardian IS NULL"),
    index(labels, method = "gin"),
    unique(team_id, number, name = "one_number_each", deferrable = "initially deferred")
)]
pub(crate) struct Player {
    #[model(primary_key)]
    pub(crate) id: PlayerId,
    #[model(type = "varchar(40)", comment = "Where to write to.", index)]
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    #[model(check = "age > 0", default = 18)]
    pub(crate) age: i16,
    pub(crate) guardian: Option<String>,
    #[model(references(Team, on_delete = "set null"), renamed_from = "group_id")]
    pub(crate) team_id: Option<i64>,
    #[model(references(Team, name = "once_in", on_update = "cascade"))]
    pub(crate) former_team: Option<i64>,
    #[row(try_from = "i32")]
    pub(crate) number: u16,
    #[model(default = "'very_happy'")]
    pub(crate) mood: Mood,
    #[row(json)]
    pub(crate) labels: BTreeMap<String, i32>,
    #[row(json)]
    pub(crate) notes: Option<Vec<String>>,
    pub(crate) salary: Option<Numeric>,
    #[model(sqlite(type = "TEXT"))]
    pub(crate) scores: Vec<i32>,
    pub(crate) picture: Option<Vec<u8>>,
    #[model(generated = "age + 1")]
    pub(crate) next_age: Option<i32>,
    #[row(rename = "order")]
    pub(crate) rank: Option<f64>,
    #[model(default = "now()")]
    pub(crate) created_at: Timestamp,
    #[model(default = "now()", on_update)]
    pub(crate) updated_at: Timestamp,
    #[model(default = "now()", on_update)]
    pub(crate) seen_at: TimestampTz,
    #[model(default = 1, on_update = "version + 1")]
    pub(crate) version: i32,
    #[row(skip)]
    pub(crate) selected: bool,
}

/// A key of several columns, which another table references.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "matches",
    schema = "league",
    primary_key(day, field, name = "pk_matches")
)]
pub(crate) struct Match {
    pub(crate) field: i32,
    pub(crate) day: i32,
    pub(crate) title: String,
}

#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "goals",
    schema = "league",
    foreign_key(day, field, references = Match, on_delete = "cascade", match = "full")
)]
pub(crate) struct Goal {
    #[model(primary_key, serial)]
    pub(crate) id: i32,
    pub(crate) day: Option<i32>,
    pub(crate) field: Option<i32>,
    #[model(references = "players(id)")]
    pub(crate) player: Option<PlayerId>,
}

/// A table without a key, and with partitions.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(table = "events", schema = "league", partition_by(range(at)))]
pub(crate) struct Event {
    pub(crate) at: i32,
    pub(crate) what: Option<String>,
}

pub(crate) static MODELS: Models = models![Team, Player, Match, Goal, Event];

/// The tables on SQLite, written by hand.
const SQLITE: &str = "
CREATE TABLE teams (
    id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    points INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE players (
    id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT,
    age INTEGER NOT NULL DEFAULT 18 CHECK (age > 0), guardian TEXT,
    team_id INTEGER REFERENCES teams (id) ON DELETE SET NULL,
    former_team INTEGER REFERENCES teams (id), number INTEGER NOT NULL,
    mood TEXT NOT NULL DEFAULT 'very_happy', labels TEXT NOT NULL, notes TEXT, salary NUMERIC,
    scores TEXT NOT NULL, picture BLOB,
    next_age INTEGER GENERATED ALWAYS AS (age + 1) STORED, \"order\" REAL,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT NOT NULL DEFAULT (datetime('now', 'subsec')),
    seen_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')),
    version INTEGER NOT NULL DEFAULT 1,
    CONSTRAINT guarded CHECK (age >= 18 OR guardian IS NOT NULL),
    CONSTRAINT one_number_each UNIQUE (team_id, number)
);
CREATE TABLE matches (
    field INTEGER NOT NULL, day INTEGER NOT NULL, title TEXT NOT NULL, PRIMARY KEY (day, field)
);
CREATE TABLE goals (
    id INTEGER PRIMARY KEY, day INTEGER, field INTEGER, player TEXT REFERENCES players (id),
    FOREIGN KEY (day, field) REFERENCES matches (day, field) ON DELETE CASCADE
);
CREATE TABLE events (at INTEGER NOT NULL, what TEXT);";

/// A database with the tables of the models.
pub(crate) async fn opened(place: &Place) -> Database {
    let database = Database::connect(place.url()).await.unwrap();
    match database.engine() {
        Engine::POSTGRES => {
            let schema = MODELS.schema(Engine::POSTGRES).unwrap();
            for statement in postgres::dump(&schema).unwrap() {
                if let Err(error) = database.batch(&statement).await {
                    panic!("{error}\n{statement}");
                }
            }
            let partition = "CREATE TABLE league.early PARTITION OF league.events DEFAULT";
            database.batch(partition).await.unwrap();
        }
        _ => database.batch(SQLITE).await.unwrap(),
    }
    database
}

/// A player without a team.
pub(crate) fn somebody(number: u16) -> NewPlayer {
    let id = PlayerId(Uuid::from_u128(number.into()));
    let email = format!("player{number}@example.com");
    NewPlayer::new(id, email, number, BTreeMap::new(), vec![])
}

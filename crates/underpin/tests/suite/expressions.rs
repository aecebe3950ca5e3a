//! Whether two expressions are one is the server's to say.

use underpin::Config;
use underpin::schema::{
    Plan, SchemaDialect, Selection, Source, Sources, Target, introspect, plan, postgres,
};
use underpin_testkit::{Postgres, SqliteFile, TestDatabase, or_skip};

use crate::place::{InPlace, Place};

const SAME_TABLE: &str = "CREATE TABLE t (a int, b int, code varchar(10));";

/// Two definitions that differ in a cast, or in quotes, and are not the same.
const DIFFERENT: [(&str, &str); 8] = [
    (
        "ALTER TABLE t ADD c numeric GENERATED ALWAYS AS (a / b) STORED",
        "ALTER TABLE t ADD c numeric GENERATED ALWAYS AS (a::numeric / b) STORED",
    ),
    (
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a / b > 1)",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a::numeric / b > 1)",
    ),
    (
        "CREATE INDEX i ON t (a) WHERE a / b > 1",
        "CREATE INDEX i ON t (a) WHERE a::numeric / b > 1",
    ),
    (
        "CREATE INDEX i ON t ((a / b))",
        "CREATE INDEX i ON t ((a::numeric / b))",
    ),
    (
        "CREATE DOMAIN d AS int CHECK (VALUE / 2 > 1)",
        "CREATE DOMAIN d AS int CHECK (VALUE::numeric / 2 > 1)",
    ),
    (
        "CREATE POLICY p ON t USING (a / b > 1)",
        "CREATE POLICY p ON t USING (a::numeric / b > 1)",
    ),
    (
        "ALTER TABLE t ALTER b SET DEFAULT 7 / 2",
        "ALTER TABLE t ALTER b SET DEFAULT 7::numeric / 2",
    ),
    (
        "CREATE VIEW v AS SELECT a / b AS c FROM t",
        "CREATE VIEW v AS SELECT (a::float8 / b)::int AS c FROM t",
    ),
];

/// What the server renders in another way once it has read what it rendered.
const RENDERED_TWICE: &str = "
CREATE TABLE t (id int, code varchar(10) CHECK (code IN ('a', 'b')), at timestamptz);
CREATE DOMAIN letters AS varchar(3) CHECK (VALUE IN ('a', 'b'));
CREATE VIEW v AS SELECT id FROM t WHERE code IN ('a', 'b') UNION SELECT NULL;
CREATE VIEW typed AS SELECT code FROM t UNION ALL SELECT NULL UNION ALL SELECT 'x';
CREATE MATERIALIZED VIEW m AS SELECT id FROM t WHERE code IN ('a', 'b');
CREATE INDEX i ON t (id) WHERE code IN ('a', 'b');
CREATE INDEX e ON t ((code IN ('a', 'b')));
CREATE POLICY p ON t USING (code IN ('a', 'b'));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN (new.code IN ('a', 'b')) EXECUTE FUNCTION touch();
CREATE TABLE split (id int, code varchar(10)) PARTITION BY LIST ((code IN ('a', 'b')));
CREATE RULE r AS ON DELETE TO t WHERE old.code IN ('a', 'b') DO INSTEAD NOTHING;
";

async fn compared(from: &TestDatabase, to: &str) -> (Target, Target, Vec<String>, Plan) {
    let sources = Sources::new(Config::from_url(&from.url()).unwrap());
    let to: Source = to.parse().unwrap();
    let all = Selection::default();
    let both = sources.read_both(&Source::Database, &to, &all).await;
    let (has, mut wanted) = both.unwrap();
    sources.settle(&has, &mut wanted).await.unwrap();
    let dialect = SchemaDialect::of(sources.engine()).unwrap();
    let diff = has.diff(&wanted, dialect);
    let plan = plan(sources.engine(), &has.schema, &wanted.schema, &diff).unwrap();
    let words = diff.changes.iter().map(ToString::to_string).collect();
    (has, wanted, words, plan)
}

#[tokio::test]
async fn expressions_that_differ_in_a_cast_are_not_the_same() {
    let server = or_skip!(Postgres::shared());
    for (one, other) in DIFFERENT {
        let databases = [one, other].map(|_| server.database("expressions"));
        for (database, sql) in databases.iter().zip([one, other]) {
            let client = database.client().await;
            client
                .batch_execute(&format!("{SAME_TABLE} {sql}"))
                .await
                .unwrap();
        }
        let (_, _, changes, _) = compared(&databases[0], &databases[1].url()).await;
        assert_eq!(changes.len(), 1, "{one} and {other}: {changes:?}");
    }
}

#[tokio::test]
async fn a_schema_is_the_same_as_its_own_dump() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("rendered_twice");
    let place = Place::Postgres(database);
    let db = place.open().await;
    let version = "SELECT current_setting('server_version_num')::int4";
    let version: i32 = db.query_scalar(version, ()).await.unwrap();
    db.batch(RENDERED_TWICE).await.unwrap();
    if version >= 140_000 {
        db.batch(
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql
             BEGIN ATOMIC SELECT count(*) FROM t WHERE code IN ('a', 'b'); END",
        )
        .await
        .unwrap();
    }
    let schema = introspect(&db, &Selection::default()).await.unwrap();
    let statements = postgres::dump(&schema).unwrap();
    let directory = SqliteFile::new();
    let file = directory.directory().join("dump.sql");
    std::fs::write(&file, statements.join(";\n") + ";\n").unwrap();
    let Place::Postgres(database) = &place else {
        return;
    };
    let (has, wanted, changes, plan) = compared(database, file.to_str().unwrap()).await;
    // It is rendered in two ways, or this would show nothing.
    assert!(has.schema.differs_in_texts(&wanted.schema));
    assert_eq!(changes, [""; 0]);
    assert!(plan.is_empty());
}

#[tokio::test]
async fn a_view_shows_a_renamed_column_under_its_old_name() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("renamed_view");
    let client = database.client().await;
    client
        .batch_execute(
            "CREATE TABLE users (id int, name text); CREATE VIEW names AS SELECT name FROM users;
             CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER g BEFORE UPDATE OF name ON users FOR EACH ROW WHEN (new.name <> old.name)
               EXECUTE FUNCTION touch()",
        )
        .await
        .unwrap();
    let directory = SqliteFile::new();
    let file = directory.directory().join("wanted.sql");
    std::fs::write(
        &file,
        "CREATE TABLE users (
           id int,
           -- renamed from: name
           full_name text
         );
         CREATE VIEW names AS SELECT full_name AS name FROM users;
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER g BEFORE UPDATE OF full_name ON users FOR EACH ROW WHEN (new.full_name <> old.full_name)
           EXECUTE FUNCTION touch();",
    )
    .unwrap();
    let (_, _, changes, plan) = compared(&database, file.to_str().unwrap()).await;
    assert_eq!(changes, ["Rename column public.users.name to full_name"]);
    assert_eq!(plan.steps.len(), 1);
}

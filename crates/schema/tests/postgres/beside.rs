//! What a schema says beside the definitions of objects: owners, privileges, storage, statistics,
//! rules, and the kinds of objects that are carried as statements. All of it is read, dumped,
//! compared, and comes back when an object is recreated. pg_dump is the judge where it is here.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use underpin::Database;
use underpin::schema::{
    AccessCompared, Diff, Hints, Schema, Selection, diff, introspect, postgres,
};
use underpin_testkit::postgres::pg_dump;
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use crate::carry_out::{carry_back, carry_out};
use crate::pairs::same;
use crate::round_trip::{apply, connect, round_trip};

/// Roles of the whole server, which other tests may make at the same time.
const ROLES: &str = "
DO $$ DECLARE r text; BEGIN
  FOREACH r IN ARRAY ARRAY['underpin_reader', 'underpin_writer', 'underpin_keeper'] LOOP
    BEGIN EXECUTE format('CREATE ROLE %I', r);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
  END LOOP;
END $$;
";

const BASE: &str = include_str!("beside.sql");

/// What only later versions have.
const FROM_14: &str = "ALTER TABLE shop.orders ALTER note SET COMPRESSION pglz;";

/// Changes of one thing each.
const CHANGES: &[&str] = &[
    "ALTER TABLE shop.orders ALTER note SET STORAGE MAIN",
    "ALTER TABLE shop.orders ALTER note SET STORAGE EXTENDED",
    "ALTER TABLE shop.orders ALTER tags SET STORAGE EXTERNAL",
    "ALTER TABLE shop.orders ALTER id SET STATISTICS 7",
    "ALTER TABLE shop.orders ALTER id SET STATISTICS -1",
    "ALTER TABLE shop.orders REPLICA IDENTITY FULL",
    "ALTER TABLE shop.orders REPLICA IDENTITY DEFAULT",
    "ALTER TABLE shop.orders CLUSTER ON orders_pkey",
    "ALTER TABLE shop.orders SET WITHOUT CLUSTER",
    "ALTER INDEX shop.orders_upper ALTER COLUMN 1 SET STATISTICS 9",
    "COMMENT ON INDEX shop.orders_pkey IS 'another'",
    "COMMENT ON INDEX shop.orders_pkey IS NULL",
    "ALTER TABLE shop.typed NOT OF",
    "ALTER TABLE shop.orders DISABLE RULE quiet",
    "DROP RULE quiet ON shop.orders",
    "COMMENT ON RULE quiet ON shop.orders IS 'other'",
    "CREATE RULE more AS ON DELETE TO shop.orders DO INSTEAD NOTHING",
    "DROP STATISTICS shop.pairs",
    "CREATE STATISTICS shop.more ON total, placed FROM shop.orders",
    "ALTER TABLE shop.orders DISABLE TRIGGER touch",
    "ALTER TYPE shop.address ADD ATTRIBUTE zip text",
    "ALTER TYPE shop.address DROP ATTRIBUTE since",
    "CREATE TYPE shop.second AS (a int, b text COLLATE \"C\")",
    "COMMENT ON TYPE shop.address IS 'where'",
    "COMMENT ON COLUMN shop.address.city IS 'which'",
    "DROP TYPE shop.unused",
    "CREATE TYPE shop.other_span AS RANGE (SUBTYPE = date)",
    "DROP AGGREGATE shop.product(integer) CASCADE",
    "CREATE AGGREGATE shop.lowest(integer) (SFUNC = int4smaller, STYPE = integer, SORTOP = <)",
    "DROP OPERATOR shop.=== (integer, integer) CASCADE",
    "DROP CAST (shop.mood AS integer)",
    "COMMENT ON CAST (shop.mood AS integer) IS 'of moods'",
    "DROP COLLATION shop.unused_collation",
    "CREATE COLLATION shop.more (provider = libc, locale = 'POSIX')",
    "ALTER TEXT SEARCH CONFIGURATION shop.words DROP MAPPING FOR email",
    "ALTER TEXT SEARCH DICTIONARY shop.plain (accept = true)",
    "DROP EVENT TRIGGER underpin_watching",
    "ALTER EVENT TRIGGER underpin_watching ENABLE ALWAYS",
    "GRANT DELETE ON shop.orders TO underpin_reader",
    "GRANT SELECT ON shop.orders TO underpin_reader WITH GRANT OPTION",
    "REVOKE SELECT ON shop.orders FROM underpin_reader",
    "REVOKE ALL ON shop.orders FROM underpin_writer",
    "REVOKE SELECT (note) ON shop.orders FROM underpin_keeper",
    "GRANT UPDATE (total) ON shop.orders TO underpin_writer",
    "GRANT EXECUTE ON FUNCTION shop.guarded(integer) TO PUBLIC",
    "GRANT EXECUTE ON FUNCTION shop.guarded(integer) TO underpin_reader",
    "REVOKE EXECUTE ON PROCEDURE shop.work() FROM PUBLIC",
    "GRANT ALL ON SEQUENCE shop.free TO underpin_writer",
    "GRANT ALL ON SEQUENCE shop.counted_id_seq TO underpin_writer",
    "ALTER TABLE shop.counted OWNER TO underpin_keeper",
    "DROP TABLE shop.counted",
    "ALTER TABLE shop.counted ALTER id DROP IDENTITY",
    "GRANT CREATE ON SCHEMA shop TO underpin_writer",
    "REVOKE USAGE ON SCHEMA shop FROM underpin_reader",
    "GRANT USAGE ON TYPE shop.mood TO PUBLIC",
    "REVOKE USAGE ON TYPE shop.address FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION shop.product(integer) TO underpin_writer",
    "ALTER TABLE shop.kept_by OWNER TO CURRENT_USER",
    "ALTER VIEW shop.totals OWNER TO underpin_keeper",
    "ALTER FUNCTION shop.guarded(integer) OWNER TO underpin_keeper",
    "ALTER TYPE shop.mood OWNER TO underpin_keeper",
    "ALTER TYPE shop.address OWNER TO underpin_keeper",
    "ALTER SCHEMA shop OWNER TO underpin_keeper",
    "ALTER COLLATION shop.german OWNER TO underpin_keeper",
    "REVOKE SELECT ON shop.kept_by FROM underpin_keeper",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM underpin_reader",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES FOR ROLE underpin_keeper GRANT ALL ON TABLES TO underpin_writer",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT ALL ON SCHEMA public TO underpin_writer",
];

async fn version(db: &Database) -> i32 {
    db.query_scalar("SELECT current_setting('server_version_num')::int4", ())
        .await
        .unwrap()
}

async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

/// The script for this server.
fn base(version: i32) -> String {
    let later = if version >= 140_000 { FROM_14 } else { "" };
    format!("{ROLES}{BASE}{later}")
}

/// A database with all of it, which nobody is connected to.
async fn made(server: &Postgres) -> TestDatabase {
    let place = server.database("beside");
    let db = connect(&place).await;
    let sql = base(version(&db).await);
    db.batch(&sql).await.unwrap();
    db.close(Duration::from_secs(5)).await.unwrap();
    place
}

fn always() -> Hints {
    Hints {
        access: AccessCompared::Always,
        ..Hints::default()
    }
}

fn words(diff: &Diff) -> Vec<String> {
    diff.changes.iter().map(ToString::to_string).collect()
}

/// The statements of `pg_dump --schema-only`, in the order of their texts.
fn statements(place: &TestDatabase, version: i32) -> Option<Vec<String>> {
    let dumped = Command::new(pg_dump(version).ok()?)
        .args(["--schema-only", "--dbname", &place.url()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&dumped.stderr);
    assert!(dumped.status.success(), "{said}");
    let text = String::from_utf8(dumped.stdout).unwrap();
    let lines = text.lines();
    let lines = lines.filter(|line| !line.starts_with("--") && !line.starts_with('\\'));
    let text: Vec<&str> = lines.collect();
    let text = text.join("\n");
    let statements = text.split(";\n").map(|one| one.trim().to_owned());
    let mut statements: Vec<String> = statements.filter(|one| !one.is_empty()).collect();
    statements.sort_unstable();
    Some(statements)
}

/// Compares what `pg_dump` says of both. Where it is missing, the test is named.
pub(crate) fn assert_same_dump(name: &str, version: i32, one: &TestDatabase, other: &TestDatabase) {
    let (Some(one), Some(other)) = (statements(one, version), statements(other, version)) else {
        println!("{name}: no pg_dump of this version is here");
        return;
    };
    let missing: Vec<&String> = one.iter().filter(|line| !other.contains(line)).collect();
    let extra: Vec<&String> = other.iter().filter(|line| !one.contains(line)).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{name}: pg_dump misses {missing:#?} and has {extra:#?}"
    );
    assert_eq!(one.len(), other.len(), "{name}");
}

#[tokio::test]
async fn all_of_it_comes_back_elsewhere_and_pg_dump_sees_no_difference() {
    let server = or_skip!(Postgres::shared());
    let (first, second) = (server.database("beside"), server.database("beside"));
    let db = connect(&first).await;
    let sql = base(version(&db).await);
    db.batch(&sql).await.unwrap();
    let schema = read(&db).await;
    let none: [String; 0] = [];
    let left_out = schema.unsupported.iter().map(ToString::to_string);
    assert_eq!(left_out.collect::<Vec<_>>(), none);
    let statements = postgres::dump(&schema).unwrap();
    let elsewhere = connect(&second).await;
    apply(&elsewhere, "beside", &statements).await;
    let again = read(&elsewhere).await;
    crate::compare::assert_same("beside", &schema, &again, &statements);
    assert_same_dump("beside", version(&db).await, &first, &second);
    let kinds = schema.defined.keys().map(|name| name.kind.words());
    let kinds: BTreeSet<&str> = kinds.collect();
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

#[tokio::test]
async fn each_change_is_seen_and_leads_there_and_back() {
    let server = or_skip!(Postgres::shared());
    let template = made(server).await;
    let first = server.database_like("beside_from", &template);
    let db = connect(&first).await;
    let was = read(&db).await;
    let mut wrong = Vec::new();
    for change in CHANGES {
        let second = server.database_like("beside_to", &template);
        let other = connect(&second).await;
        if let Err(error) = other.batch(change).await {
            wrong.push(format!("{change}: {error}"));
            continue;
        }
        let to = read(&other).await;
        if let Err(what) = there_and_back(&db, (&was, &to)).await {
            wrong.push(format!("{change}: {what}"));
            // The next change cannot start from what is left.
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(crate) async fn there_and_back(
    db: &Database,
    (was, to): (&Schema, &Schema),
) -> Result<(), String> {
    let seen = diff(was, to, &always());
    if seen.changes.is_empty() {
        return Err("it is not seen".to_owned());
    }
    let plan = postgres::plan(was, to, &seen).unwrap();
    if !plan.refusals.is_empty() {
        return Err(format!("{:?}", plan.refusals));
    }
    let steps = || {
        let steps = plan.steps.iter();
        let steps = steps.map(|step| format!("{}\n  undo {:?}", step.sql, step.undo));
        steps.collect::<Vec<_>>().join("\n")
    };
    let done = carry_out(db, &plan).await;
    done.map_err(|error| format!("{error}\n{}", steps()))?;
    let left = diff(&read(db).await, to, &always());
    if !left.changes.is_empty() {
        return Err(format!("left: {:?}\n{}", words(&left), steps()));
    }
    let back = carry_back(db, &plan).await;
    back.map_err(|error| format!("on the way back: {error}\n{}", steps()))?;
    let left = diff(&read(db).await, was, &always());
    match left.changes.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "left on the way back: {:?}\n{}",
            words(&left),
            steps()
        )),
    }
}

/// Privileges on columns change with the owner, and the plan says that they do not come back.
#[tokio::test]
async fn a_new_owner_of_a_table_with_privileges_on_columns_has_no_way_back() {
    let server = or_skip!(Postgres::shared());
    let template = made(server).await;
    let (first, second) = (
        server.database_like("beside_owner", &template),
        server.database_like("beside_owned", &template),
    );
    let (db, other) = (connect(&first).await, connect(&second).await);
    let change = "ALTER TABLE shop.orders OWNER TO underpin_keeper";
    other.batch(change).await.unwrap();
    let (was, to) = (read(&db).await, read(&other).await);
    let plan = postgres::plan(&was, &to, &diff(&was, &to, &always())).unwrap();
    carry_out(&db, &plan).await.unwrap();
    let left = diff(&read(&db).await, &to, &always());
    assert!(left.changes.is_empty(), "{:?}", words(&left));
    let mut undos = plan.steps.iter().map(|step| &step.undo);
    assert!(undos.any(|undo| matches!(undo, underpin_schema::Undo::None(_))));
}

#[tokio::test]
async fn what_is_recreated_keeps_all_that_is_said_of_it() {
    let server = or_skip!(Postgres::shared());
    let template = made(server).await;
    let first = server.database_like("beside_again", &template);
    let db = connect(&first).await;
    let was = read(&db).await;
    for change in [
        // Each drops and makes something again, and what stands on it.
        "DROP FUNCTION shop.guarded(integer);
         CREATE FUNCTION shop.guarded(a integer) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint';
         REVOKE ALL ON FUNCTION shop.guarded(integer) FROM PUBLIC",
        "DROP VIEW shop.totals, shop.products; DROP MATERIALIZED VIEW shop.sums; DROP RULE quiet ON shop.orders;
         ALTER TABLE shop.orders ALTER total TYPE numeric;
         CREATE VIEW shop.totals AS SELECT id, total FROM shop.orders;
         CREATE VIEW shop.products AS SELECT shop.product(total::integer) AS product FROM shop.orders;
         CREATE MATERIALIZED VIEW shop.sums AS SELECT sum(total) AS total FROM shop.orders;
         CREATE RULE quiet AS ON UPDATE TO shop.orders WHERE new.total IS NULL DO INSTEAD NOTHING",
    ] {
        let second = server.database_like("beside_again", &template);
        let other = connect(&second).await;
        other.batch(change).await.unwrap();
        // What is wanted says nothing of owners and privileges.
        let mut to = read(&other).await;
        to.access.clear();
        let seen = diff(&was, &to, &Hints::default());
        let plan = postgres::plan(&was, &to, &seen).unwrap();
        assert_eq!(plan.refusals, []);
        carry_out(&db, &plan).await.unwrap();
        let now = read(&db).await;
        assert_eq!(now.access, was.access, "{change}");
        let public: bool = db
            .query_scalar(
                "SELECT has_function_privilege('underpin_writer', 'shop.guarded(integer)', 'EXECUTE')",
                (),
            )
            .await
            .unwrap();
        assert!(!public, "{change}");
        let granted: bool = db
            .query_scalar("SELECT has_table_privilege('underpin_reader', 'shop.totals', 'SELECT')", ())
            .await
            .unwrap();
        assert!(granted, "{change}");
        carry_back(&db, &plan).await.unwrap();
        same("the way back left this", &read(&db).await, &was).unwrap();
        assert_eq!(read(&db).await.access, was.access, "{change}");
    }
}

#[tokio::test]
async fn a_target_that_says_nothing_of_privileges_leaves_them_alone() {
    let server = or_skip!(Postgres::shared());
    let first = server.database("beside_silent");
    let db = connect(&first).await;
    db.batch(ROLES).await.unwrap();
    db.batch(
        "CREATE TABLE old (id int); GRANT SELECT ON old TO underpin_reader;
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO underpin_reader",
    )
    .await
    .unwrap();
    let was = read(&db).await;
    let mut to = was.clone();
    to.access.clear();
    let table = to.tables.values().next().unwrap().clone();
    to.tables
        .insert(underpin::schema::ObjectName::new("public", "new"), table);
    let seen = diff(&was, &to, &Hints::default());
    assert_eq!(words(&seen), ["Create table public.new"]);
    let plan = postgres::plan(&was, &to, &seen).unwrap();
    assert_eq!(plan.steps.len(), 1, "{:?}", plan.steps);
    carry_out(&db, &plan).await.unwrap();
    let sql = "SELECT has_table_privilege('underpin_reader', 'new', 'SELECT')";
    assert!(db.query_scalar::<bool>(sql, ()).await.unwrap());
    // Where it is said that all is to be as in a new database, that is made so.
    let seen = diff(&read(&db).await, &to, &always());
    assert_eq!(
        words(&seen),
        [
            "Change the privileges on table public.new",
            "Change the privileges on table public.old",
            "Change the privileges on future tables"
        ]
    );
}

#[tokio::test]
async fn one_who_is_not_the_owner_reads_who_is() {
    let schema = round_trip(
        "owners",
        &format!("{ROLES} CREATE TABLE t (id int); ALTER TABLE t OWNER TO underpin_keeper"),
    )
    .await;
    if let Some(schema) = schema {
        let owners: Vec<_> = schema.access.values().map(|of| of.owner.clone()).collect();
        assert_eq!(owners, [Some("underpin_keeper".to_owned())]);
    }
}

//! Queries compared with a database's description of them: every finding has its sentence here, and
//! correct queries have none.

use std::collections::BTreeMap;

use underpin::query::{Finding, Statement};
use underpin::value::{Numeric, Timestamp};
use underpin::{
    Class, Config, Database, Engine, FromRow, FromValue, IntoValue, Parameters, Queries, Query,
    ValueRow, queries, query,
};

use crate::place::{InPlace, Place};

#[derive(Debug, Clone, PartialEq, FromValue, IntoValue)]
#[value(rename_all = "snake_case")]
enum Mood {
    Happy,
    Sad,
}

#[derive(Debug, PartialEq, FromRow)]
struct Job {
    id: i64,
    title: String,
    mood: Option<Mood>,
}

#[derive(Debug, PartialEq, FromRow)]
struct User {
    id: i64,
    email: String,
}

static RECENT: Query<(i64, bool), Job> = query!("tests/queries/recent_jobs.sql");
static BY_EMAIL: Query<(&str,), User> = query!("tests/queries/more/users.sql", "user_by_email");
static RENAME: Query<(Option<&str>, i64)> = query!("tests/queries/more/users.sql", "rename_user");
static OPEN_JOB: Query<(i64, &str, Mood), (i64,)> = Query::new(
    "open_job",
    "INSERT INTO jobs (id, title, mood, is_open) VALUES ($1, $2, $3, true) RETURNING id",
);
static COUNT: Query<(), i64> = Query::new("count", "SELECT count(*) FROM jobs");
static ALL: Queries = queries![RECENT, BY_EMAIL, RENAME, OPEN_JOB, COUNT];

/// A database with the tables of these tests.
async fn made(place: &Place) -> Database {
    let db = place.open().await;
    let postgres = db.engine() == Engine::POSTGRES;
    let (mood, numbers, json) = if postgres {
        db.batch("CREATE TYPE mood AS ENUM ('happy', 'sad')")
            .await
            .unwrap();
        ("mood", "integer[]", "jsonb")
    } else {
        ("text", "text", "json")
    };
    db.batch(&format!(
        "CREATE TABLE jobs (id bigint PRIMARY KEY, title text NOT NULL, mood {mood}, is_open boolean NOT NULL,
             pay numeric(10, 2), numbers {numbers}, labels {json}, done_at timestamp, score double precision);
         CREATE TABLE users (id bigint PRIMARY KEY, email text, full_name text)"
    ))
    .await
    .unwrap();
    db
}

/// The findings of one query, as sentences without the place.
async fn said<P, R>(db: &Database, query: Query<P, R>) -> Vec<String>
where
    P: Parameters + 'static,
    R: FromRow + 'static,
{
    let query: &'static dyn Statement = Box::leak(Box::new(query));
    let list = Queries::new(Box::leak(Box::new([query])));
    let findings = list.findings(db).await.unwrap();
    findings
        .iter()
        .map(|finding| finding.problem.to_string())
        .collect()
}

#[tokio::test]
async fn right_queries_have_no_findings_and_run_where_sql_runs() {
    for place in Place::each("right_queries") {
        let db = made(&place).await;
        ALL.check(&db).await.unwrap();

        let title = String::from("Engineer");
        let opened = OPEN_JOB.one(&db, (7, &title, Mood::Sad)).await.unwrap();
        assert_eq!(opened, (7,));
        let tx = db.begin().await.unwrap();
        let jobs = RECENT.all(&tx, (0, true)).await.unwrap();
        assert_eq!(jobs.len(), 1);
        assert_eq!(
            (jobs[0].id, &jobs[0].title, &jobs[0].mood),
            (7, &title, &Some(Mood::Sad))
        );
        tx.commit().await.unwrap();
        let lease = db.acquire().await.unwrap();
        assert_eq!(COUNT.one(&*lease, ()).await.unwrap(), 1);
        assert_eq!(BY_EMAIL.optional(&*lease, ("a@b.c",)).await.unwrap(), None);
        assert_eq!(RENAME.execute(&*lease, (None, 7)).await.unwrap(), 0);
        let mut stream = RECENT.stream(&*lease, (0, false)).await.unwrap();
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn everything_that_can_be_sent_and_read_has_no_findings() {
    #[derive(FromRow)]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Wide {
        id: i64,
        #[row(rename = "title")]
        name: Box<str>,
        pay: Option<Numeric>,
        numbers: Option<Vec<i32>>,
        #[row(json)]
        labels: Option<BTreeMap<String, String>>,
        done_at: Option<Timestamp>,
        score: Option<f64>,
        #[row(default)]
        nowhere: Option<i32>,
        #[row(skip)]
        seen: bool,
        #[row(flatten)]
        rest: Rest,
    }
    #[derive(FromRow)]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Rest {
        is_open: bool,
        #[row(try_from = "i64", rename = "id")]
        narrow: u16,
    }
    for place in Place::each("wide_queries") {
        let db = made(&place).await;
        let fine: Vec<String> = [
            said::<(), Wide>(&db, Query::new("q", "SELECT * FROM jobs")).await,
            said::<(), ValueRow>(&db, Query::new("q", "SELECT * FROM jobs")).await,
            said::<(), (String, Option<String>)>(
                &db,
                Query::new("q", "SELECT title, mood FROM jobs"),
            )
            .await,
            said::<(), i64>(&db, Query::new("q", "SELECT count(*) FROM jobs")).await,
            said::<(i32, Vec<i32>, &str, &str), ()>(
                &db,
                Query::new(
                    "q",
                    "UPDATE jobs SET id = $1, numbers = $2, mood = $3, done_at = $4",
                ),
            )
            .await,
            said::<(f32, Option<Numeric>, serde_json::Value), ()>(
                &db,
                Query::new("q", "UPDATE jobs SET score = $1, pay = $2, labels = $3"),
            )
            .await,
        ]
        .concat();
        assert_eq!(fine, [""; 0], "{}", place.engine());
    }
}

#[tokio::test]
async fn a_statement_that_is_refused_is_found_with_its_line_and_column() {
    static BROKEN: Query<(), ()> = query!("tests/queries/broken.sql");
    static IN_CODE: Query<(), ()> = Query::new("in_code", "SELEC 1");
    static BOTH: Queries = queries![BROKEN, IN_CODE];
    for place in Place::each("refused_queries") {
        let db = made(&place).await;
        let findings = BOTH.findings(&db).await.unwrap();
        let [broken, in_code] = &findings[..] else {
            panic!("each is refused: {findings:?}");
        };
        let (broken, in_code) = (broken.to_string(), in_code.to_string());
        assert!(
            broken.starts_with("tests/queries/broken.sql:4:8: broken: ")
                && broken.contains("titel"),
            "{broken}"
        );
        let here = format!("{}: in_code: ", IN_CODE.origin());
        assert!(here.contains("tests/suite/queries.rs:"), "{here}");
        assert!(
            in_code.starts_with(&here) && in_code.contains("at character 1"),
            "{in_code}"
        );
        let error = BOTH.check(&db).await.unwrap_err();
        assert_eq!(error.class(), Class::Data);
        let expected = format!("2 things do not fit in the queries:\n{broken}\n{in_code}");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_wrong_number_of_parameters_is_found() {
    for place in Place::each("parameter_count") {
        let db = made(&place).await;
        let query: Query<(i64,)> =
            Query::new("q", "DELETE FROM jobs WHERE id = $1 AND is_open = $2");
        assert_eq!(
            said(&db, query).await,
            [
                "The statement has 2 parameters, but the query has 1 type. List the types of all \
              parameters, in order, as a tuple."
            ]
        );
        assert_eq!(RENAME.execute(&db, (Some("a"), 1)).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_parameter_that_cannot_be_sent_is_found() {
    #[derive(IntoValue)]
    #[value(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its labels are looked at")]
    enum Temper {
        Happy,
        Angry,
    }
    for place in Place::each("parameter_type") {
        let db = made(&place).await;
        let findings = [
            said::<(bool,), ()>(&db, Query::new("q", "DELETE FROM jobs WHERE id = $1")).await,
            said::<(&str,), ()>(&db, Query::new("q", "DELETE FROM jobs WHERE id = $1")).await,
            said::<(i64,), ()>(
                &db,
                Query::new("q", "UPDATE jobs SET id = CAST($1 AS integer)"),
            )
            .await,
            said::<(Temper,), ()>(&db, Query::new("q", "UPDATE jobs SET mood = $1")).await,
            said::<(Vec<String>,), ()>(&db, Query::new("q", "UPDATE jobs SET numbers = $1")).await,
        ]
        .concat();
        if db.engine() == Engine::SQLITE {
            assert_eq!(findings, [""; 0], "SQLite takes anything");
            continue;
        }
        assert_eq!(
            findings,
            [
                "Parameter 1 is the Rust type bool, but the statement expects int8: a boolean \
                 is not sent as int8. Use i64, or cast it: $1::type.",
                "Parameter 1 is the Rust type &str, but the statement expects int8: text is \
                 not sent as int8. Use i64, or cast it: $1::type.",
                "Parameter 1 is the Rust type i64, but the statement expects int4: \
                 9223372036854775807 is out of its range. Use i32, or cast it: $1::type.",
                "Parameter 1 is the Rust type Temper, but the statement expects mood: \
                 \"angry\" is not one of its labels, which are happy, sad. Use &str, or cast it: \
                 $1::type.",
                "Parameter 1 is the Rust type Vec<String>, but the statement expects int4[]: \
                 an array is not sent as int4[]. Use Vec<i32>, or cast it: $1::type.",
            ]
        );
    }
}

#[tokio::test]
async fn a_column_that_is_not_there_is_found_with_the_nearest() {
    for place in Place::each("missing_column") {
        let db = made(&place).await;
        let findings = [
            said::<(), Job>(
                &db,
                Query::new("q", "SELECT id, title AS titel, mood FROM jobs"),
            )
            .await,
            said::<(), User>(&db, Query::new("q", "SELECT id, full_name FROM users")).await,
            said::<(), User>(&db, Query::new("q", "DELETE FROM users")).await,
            said::<(), (i64,)>(&db, Query::new("q", "SELECT id, title FROM jobs")).await,
        ]
        .concat();
        assert_eq!(
            findings,
            [
                "A column \"title\" should be read as String, but the statement has none. The \
                 nearest is \"titel\"; write `titel AS title` if that is intended.",
                "A column \"email\" should be read as String, but the statement has none. Its \
                 columns are: id, full_name.",
                "The statement returns no rows, but the query reads them as User. Add RETURNING, \
                 or leave out the type of the row.",
                "(i64,) reads 1 column by position, but the statement returns 2: id, title. Select \
                 exactly the columns that are read.",
            ]
        );
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_found() {
    for place in Place::each("column_type") {
        let db = made(&place).await;
        let findings = [
            said::<(), i64>(&db, Query::new("q", "SELECT title FROM jobs")).await,
            said::<(), Option<i64>>(&db, Query::new("q", "SELECT score FROM jobs")).await,
        ]
        .concat();
        let (text, float) = match db.engine() {
            Engine::POSTGRES => ("text", "float8"),
            _ => ("TEXT", "double precision"),
        };
        let text = if findings[0].contains("TEXT") {
            text
        } else {
            "text"
        };
        assert_eq!(
            findings,
            [
                format!(
                    "Column \"title\" (number 1, of type {text}) cannot be read as the Rust type \
                     i64: expected a 64-bit integer, but found text. Read it as String, or \
                     cast it in the statement."
                ),
                format!(
                    "Column \"score\" (number 1, of type {float}) cannot be read as the Rust type \
                     Option<i64>: expected a 64-bit integer, but found a 64-bit float. Read \
                     it as f64, or cast it in the statement."
                ),
            ]
        );
    }
}

#[tokio::test]
async fn postgres_tells_widths_labels_and_the_types_of_expressions() {
    #[derive(Debug, FromValue)]
    #[value(rename_all = "snake_case")]
    enum Happy {
        Happy,
    }
    for place in Place::each("column_widths") {
        let db = made(&place).await;
        if db.engine() == Engine::SQLITE {
            continue;
        }
        let findings = [
            said::<(), i32>(&db, Query::new("q", "SELECT count(*) FROM jobs")).await,
            said::<(), Option<Happy>>(&db, Query::new("q", "SELECT mood FROM jobs")).await,
            said::<(), f64>(&db, Query::new("q", "SELECT 1.5 AS pay")).await,
            // It arrives as the text that the server prints.
            said::<(), String>(&db, Query::new("q", "SELECT '$1'::money")).await,
            said::<(), Timestamp>(&db, Query::new("q", "SELECT 'now' || 'here' AS at")).await,
        ]
        .concat();
        assert_eq!(
            findings,
            [
                "Column \"count\" (number 1, of type int8) cannot be read as the Rust type i32: \
                 2147483648 is out of range for a 32-bit integer. Read it as i64, or cast it in the \
                 statement.",
                "Column \"mood\" (number 1, of type mood) cannot be read as the Rust type \
                 Option<Happy>: found \"sad\", but the known labels are \"happy\". Read it as \
                 String, or cast it in the statement.",
                "Column \"pay\" (number 1, of type numeric) cannot be read as the Rust type f64: \
                 expected a 64-bit float, but found a decimal number. Read it as Numeric, or \
                 cast it in the statement.",
                "Column \"at\" (number 1, of type text) cannot be read as the Rust type Timestamp: it \
                 is read from a timestamp without zone, but the column contains text. Read it as \
                 String, \
                 or cast it in the statement.",
            ]
        );
    }
}

#[tokio::test]
async fn domains_arrays_and_models_are_checked_as_what_they_are() {
    #[derive(underpin::Model)]
    #[model(table = "people")]
    struct Person {
        #[model(primary_key)]
        id: i64,
        name: String,
        #[model(type = "mood[]")]
        moods: Vec<Mood>,
        nick: Option<String>,
    }
    for place in Place::each("domains_and_models") {
        let db = made(&place).await;
        let moods = match db.engine() {
            Engine::POSTGRES => {
                db.batch("CREATE DOMAIN calling AS text NOT NULL; CREATE DOMAIN temper AS mood")
                    .await
                    .unwrap();
                "mood[]"
            }
            _ => "text",
        };
        db.batch(&format!(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, moods {moods} NOT NULL, nick text)"
        ))
        .await
        .unwrap();
        let none: [&str; 0] = [];
        let all = Query::<(), Person>::new("q", "SELECT * FROM people");
        assert_eq!(said(&db, all).await, none);
        if db.engine() == Engine::SQLITE {
            continue;
        }
        db.batch("ALTER TABLE people ADD named calling, ADD temper temper, ADD grid integer[][], ADD within int4range")
            .await
            .unwrap();
        let named = said::<(Vec<Mood>, Mood), String>(
            &db,
            Query::new(
                "q",
                "UPDATE people SET moods = $1, temper = $2 RETURNING named",
            ),
        );
        assert_eq!(named.await, none);
        let odd = said::<(&str,), (Option<Vec<Vec<i32>>>, Option<String>)>(
            &db,
            Query::new("q", "SELECT grid, within FROM people WHERE within = $1"),
        );
        assert_eq!(odd.await, none);
        let wrong = said::<(), (Option<Mood>, Vec<i32>)>(
            &db,
            Query::new("q", "SELECT temper, moods FROM people"),
        );
        assert_eq!(
            wrong.await,
            [
                "Column \"moods\" (number 2, of type mood[]) cannot be read as the Rust type Vec<i32>: \
              element 1: expected a 32-bit integer, but found text. Read it as Vec<String>, or \
              cast it in the statement."
            ]
        );
    }
}

#[tokio::test]
async fn without_prepared_statements_it_is_said_what_to_do() {
    for place in Place::each("no_statement_cache") {
        if place.engine() == Engine::SQLITE {
            continue;
        }
        let config = Config::from_url(&place.url()).unwrap().to_builder();
        let config = config.statement_cache_size(0).build().unwrap();
        let db = Database::connect(config).await.unwrap();
        let said = said::<(), i32>(&db, Query::new("q", "SELECT 1")).await;
        assert_eq!(
            said,
            ["Only prepared statements can be described, but \
              statement_cache_size is 0. Check statements on a connection to the server itself, \
              without a pooler."]
        );
    }
}

#[tokio::test]
async fn a_column_that_may_be_null_is_found_unless_the_statement_keeps_null_out() {
    for place in Place::each("nullable") {
        let db = made(&place).await;
        assert_eq!(
            said::<(), User>(&db, Query::new("q", "SELECT id, email FROM users")).await,
            [
                "Column \"email\" (number 2) can be NULL, but String cannot. Read it as \
              Option<String>; if the statement excludes NULL, say so with a line `-- not null: \
              email` in it."
            ]
        );
        let unknown = Query::<(), User>::new(
            "q",
            "-- not null: email, mail\nSELECT id, email FROM users WHERE email > ''",
        );
        assert_eq!(
            said(&db, unknown).await,
            [
                "The line `-- not null:` names \"mail\", which is not a column of the statement. Its columns are: id, email."
            ]
        );
        db.batch("CREATE VIEW people AS SELECT id, email FROM users WHERE email > ''")
            .await
            .unwrap();
        for fine in [
            "SELECT id, coalesce(email, '') AS email FROM users",
            "SELECT u.id, j.title AS email FROM users u LEFT JOIN jobs j ON j.id = u.id",
            "SELECT 1 AS id, max(email) AS email FROM users",
        ] {
            let none: [&str; 0] = [];
            assert_eq!(
                said::<(), User>(&db, Query::new("q", fine)).await,
                none,
                "{fine}"
            );
        }
        // PostgreSQL does not report for a view what it reports for its tables.
        let of_view = said::<(), User>(&db, Query::new("q", "SELECT id, email FROM people")).await;
        assert_eq!(of_view.is_empty(), db.engine() == Engine::POSTGRES);
    }
}

#[tokio::test]
async fn unlisted_queries_and_duplicate_names_are_found() {
    static TWICE: Query<(), i64> = Query::new("rename_user", "SELECT 1");
    static SOME: Queries = queries!["tests/queries"; RECENT, RENAME, TWICE];
    let db = Database::connect("sqlite::memory:").await.unwrap();
    db.batch(
        "CREATE TABLE jobs (id bigint PRIMARY KEY, title text NOT NULL, mood text, is_open boolean);
         CREATE TABLE users (id bigint, full_name text)",
    )
    .await
    .unwrap();
    let findings = SOME.findings(&db).await.unwrap();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(
        lines,
        [
            format!(
                "{}: rename_user: The query at tests/queries/more/users.sql:6 has the same name. \
                 Rename one of them.",
                TWICE.origin()
            ),
            "tests/queries/broken.sql:2: broken: This query is not checked. Declare it with \
             query!(…) and add it to the list, or remove it."
                .to_owned(),
            "tests/queries/more/users.sql:1: user_by_email: This query is not checked. Declare it \
             with query!(…) and add it to the list, or remove it."
                .to_owned(),
        ]
    );
    static NOWHERE: Queries = queries!["tests/nowhere"; RECENT];
    let error = NOWHERE.check(&db).await.unwrap_err();
    assert_eq!(error.class(), Class::Missing);
    assert!(
        error
            .to_string()
            .starts_with("tests/nowhere, the directory of the queries"),
        "{error}"
    );
}

#[tokio::test]
async fn queries_that_cannot_be_checked_are_reported() {
    struct ByHand;
    impl FromRow for ByHand {
        type Layout = ();
        fn layout(_: &underpin::Columns) -> underpin::Result<()> {
            Ok(())
        }
        fn from_row(_: &dyn underpin::Row, (): &()) -> underpin::Result<Self> {
            Ok(ByHand)
        }
    }
    let db = Database::connect("sqlite::memory:").await.unwrap();
    let by_hand = said::<(), ByHand>(&db, Query::new("q", "SELECT 1")).await;
    assert!(
        by_hand[0].starts_with("The Rust type ByHand does not say which columns it reads"),
        "{by_hand:?}"
    );
    let pragma = said::<(), ()>(&db, Query::new("q", "PRAGMA user_version = 7")).await;
    assert!(pragma[0].contains("SQLite may run a PRAGMA"), "{pragma:?}");
    let version: i64 = db.query_scalar("PRAGMA user_version", ()).await.unwrap();
    assert_eq!(version, 0, "it was not run");
    db.close(std::time::Duration::from_secs(10)).await.unwrap();
    let closed = ALL.check(&db).await.unwrap_err();
    assert_eq!(closed.class(), Class::Closed);
}

#[tokio::test]
async fn checking_runs_nothing_and_sees_the_schema_as_it_is_now() {
    for place in Place::each("checking_runs_nothing") {
        let db = made(&place).await;
        let insert = "INSERT INTO users (id, email) VALUES (1, 'a@b.c') RETURNING id, email";
        assert_eq!(
            said::<(), User>(&db, Query::new("q", insert)).await.len(),
            1
        );
        let count: i64 = db
            .query_scalar("SELECT count(*) FROM users", ())
            .await
            .unwrap();
        assert_eq!(count, 0);
        let all = || Query::<(), User>::new("q", "SELECT * FROM users");
        assert_eq!(said(&db, all()).await.len(), 1);
        db.batch("DROP TABLE users; CREATE TABLE users (id bigint NOT NULL, email text NOT NULL)")
            .await
            .unwrap();
        assert_eq!(said(&db, all()).await, [""; 0]);
    }
}

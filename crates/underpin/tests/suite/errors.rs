//! The facts that an error tells a program: on each engine, from real errors of real servers, and
//! the same in every language of the server.

use std::path::Path;
use std::time::Duration;

use underpin::{
    Class, ConstraintKind, Database, Effect, Engine, Error, Executor, Existence, Result, Stage,
    Transaction, Value,
};
use underpin_testkit::{Postgres, Proxy, TestDatabase, or_skip, skip};

use crate::place::{InPlace, Place, eventually, small};

const TIMEOUT: Class = Class::Timeout {
    stage: Stage::Statement,
};

const TABLES: &str = "
    CREATE TABLE parent (id integer PRIMARY KEY);
    CREATE TABLE item (
        id integer PRIMARY KEY,
        name varchar(9) NOT NULL,
        price integer CONSTRAINT price_is_positive CHECK (price > 0),
        parent_id integer CONSTRAINT item_parent REFERENCES parent (id),
        CONSTRAINT item_name UNIQUE (name)
    );
    INSERT INTO item (id, name) VALUES (1, 'one');";

/// The fields of an error that a program reads.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    class: Class,
    effect: Effect,
    code: (Option<String>, Option<i64>),
    existence: Option<Existence>,
    constraint: Option<String>,
    namespace: Option<String>,
    table: Option<String>,
    column: Option<String>,
    data_type: Option<String>,
    row: Option<u64>,
    position: Option<usize>,
}

impl Told {
    fn by(error: &Error) -> Told {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        println!("{error:?}");
        Told {
            class: error.class(),
            effect: error.effect(),
            code: (owned(error.sqlstate()), error.number()),
            existence: error.existence(),
            constraint: owned(error.constraint()),
            namespace: owned(error.namespace()),
            table: owned(error.table()),
            column: owned(error.column()),
            data_type: owned(error.data_type()),
            row: error.row(),
            position: error.position(),
        }
    }
}

/// The names in an error: constraint, table, column.
type Names = (
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

#[track_caller]
fn assert_names(error: &Error, expected: Names) {
    let names = (error.constraint(), error.table(), error.column());
    assert_eq!(names, expected, "{error:?}");
}

#[tokio::test]
async fn a_violated_constraint_is_told_with_its_table_and_column() {
    for place in Place::each("errors_constraints") {
        let db = place.open().await;
        db.batch(TABLES).await.unwrap();
        let is_postgres = place.engine() == Engine::POSTGRES;
        let cases: [(&str, Names, Names, i64); 5] = [
            (
                "INSERT INTO item (id, name) VALUES (2, 'one')",
                (Some("item_name"), Some("item"), None),
                (Some("item_name"), Some("item"), Some("name")),
                2067,
            ),
            (
                "INSERT INTO item (id, name) VALUES (1, 'two')",
                (Some("item_pkey"), Some("item"), None),
                (Some("item_pkey"), Some("item"), Some("id")),
                1555,
            ),
            (
                "INSERT INTO item (id, name) VALUES (2, NULL)",
                (Some("item_name_not_null"), Some("item"), Some("name")),
                (Some("item_name_not_null"), Some("item"), Some("name")),
                1299,
            ),
            (
                "INSERT INTO item (id, name, price) VALUES (2, 'two', -1)",
                (Some("price_is_positive"), Some("item"), None),
                (Some("price_is_positive"), None, None),
                275,
            ),
            (
                "INSERT INTO item (id, name, parent_id) VALUES (2, 'two', 9)",
                (Some("item_parent"), Some("item"), None),
                (None, None, None),
                787,
            ),
        ];
        for (sql, on_postgres, on_sqlite, number) in cases {
            let error = db.execute(sql, ()).await.unwrap_err();
            assert_eq!(
                (error.class(), error.effect()),
                (Class::Constraint, Effect::RolledBack)
            );
            match is_postgres {
                true => {
                    assert_names(&error, on_postgres);
                    assert_eq!(error.namespace(), Some("public"), "{error:?}");
                    assert!(error.detail().is_some(), "{error:?}");
                    assert!(!error.message().contains(error.detail().unwrap()));
                    assert!(error.sqlstate().is_some_and(|code| code.starts_with("23")));
                    assert_eq!(error.number(), None);
                }
                false => {
                    assert_names(&error, on_sqlite);
                    assert_eq!(error.number(), Some(number), "{error:?}");
                    assert_eq!((error.sqlstate(), error.detail()), (None, None));
                }
            }
            assert_eq!((error.row(), error.existence()), (None, None), "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_object_that_exists_or_does_not_is_told_apart_from_a_row() {
    for place in Place::each("errors_existence") {
        let db = place.open().await;
        db.batch(TABLES).await.unwrap();
        let is_postgres = place.engine() == Engine::POSTGRES;
        let missing = Some(Existence::Missing);
        let exists = Some(Existence::Exists);
        for (sql, class, existence, position, table, column) in [
            (
                "SELECT * FROM gone",
                Class::Missing,
                missing,
                15,
                Some("gone"),
                None,
            ),
            (
                "DROP TABLE gone",
                Class::Missing,
                missing,
                0,
                Some("gone"),
                None,
            ),
            ("DROP INDEX gone", Class::Missing, missing, 0, None, None),
            (
                "SELECT 'ä', gone FROM item",
                Class::Syntax,
                missing,
                13,
                None,
                Some("gone"),
            ),
            (
                "CREATE TABLE item (id integer)",
                Class::Syntax,
                exists,
                0,
                Some("item"),
                None,
            ),
            (
                "ALTER TABLE item ADD COLUMN price integer",
                Class::Syntax,
                exists,
                0,
                None,
                Some("price"),
            ),
            ("SELEC 1", Class::Syntax, None, 1, None, None),
        ] {
            let error = db.execute(sql, ()).await.unwrap_err();
            assert_eq!(error.existence(), existence, "{sql}: {error:?}");
            if is_postgres {
                // Indexes share a code with all objects that have no code of their own.
                let is_index = sql.contains("INDEX");
                assert!(error.class() == class || is_index, "{sql}: {error:?}");
                assert_eq!(error.position().unwrap_or(0), position, "{sql}");
            } else {
                assert_eq!(error.class(), class, "{sql}: {error:?}");
                assert_eq!((error.table(), error.column()), (table, column), "{sql}");
            }
        }
        let none = db.query_one::<i32>("SELECT id FROM item WHERE id = 7", ());
        let error = none.await.unwrap_err();
        assert_eq!((error.class(), error.existence()), (Class::NotFound, None));
    }
}

/// A table with a constraint of each kind, with and without a name, the same for each engine.
const KINDS: &str = "
    CREATE TABLE parents (id integer PRIMARY KEY);
    INSERT INTO parents VALUES (1);
    CREATE TABLE kinds (
        id integer PRIMARY KEY,
        email varchar(90) NOT NULL UNIQUE,
        code varchar(90) CONSTRAINT one_code UNIQUE,
        first integer, last integer,
        age integer CHECK (age > 0),
        size integer CONSTRAINT size_is_small CHECK (size < 9),
        parent integer REFERENCES parents (id),
        UNIQUE (first, last),
        CHECK (first < last)
    );
    CREATE UNIQUE INDEX kinds_by_size ON kinds (size);
    CREATE TABLE pairs (a integer, b integer, CONSTRAINT pair PRIMARY KEY (a, b));
    INSERT INTO pairs VALUES (1, 1);
    INSERT INTO kinds VALUES (1, 'a', 'a', 1, 2, 1, 1, 1);";

/// Statements that violate each constraint, and its name.
const VIOLATIONS: [(&str, ConstraintKind, &str); 13] = {
    use ConstraintKind::{Check, ForeignKey, NotNull, Unique};
    [
        (
            "INSERT INTO kinds VALUES (1, 'b', 'b', 2, 3, 1, 2, 1)",
            Unique,
            "kinds_pkey",
        ),
        ("INSERT INTO pairs VALUES (1, 1)", Unique, "pair"),
        (
            "INSERT INTO kinds VALUES (2, 'a', 'b', 2, 3, 1, 2, 1)",
            Unique,
            "kinds_email_key",
        ),
        (
            "INSERT INTO kinds VALUES (2, 'b', 'a', 2, 3, 1, 2, 1)",
            Unique,
            "one_code",
        ),
        (
            "INSERT INTO kinds VALUES (2, 'b', 'b', 1, 2, 1, 2, 1)",
            Unique,
            "kinds_first_last_key",
        ),
        (
            "INSERT INTO kinds VALUES (2, 'b', 'b', 2, 3, 1, 1, 1)",
            Unique,
            "kinds_by_size",
        ),
        (
            "INSERT INTO kinds VALUES (2, NULL, 'b', 2, 3, 1, 2, 1)",
            NotNull,
            "kinds_email_not_null",
        ),
        (
            "UPDATE kinds SET email = NULL",
            NotNull,
            "kinds_email_not_null",
        ),
        (
            "INSERT INTO kinds VALUES (2, 'b', 'b', 2, 3, -1, 2, 1)",
            Check,
            "kinds_age_check",
        ),
        ("UPDATE kinds SET size = 10", Check, "size_is_small"),
        (
            "INSERT INTO kinds VALUES (2, 'b', 'b', 3, 2, 1, 2, 1)",
            Check,
            "kinds_check",
        ),
        // SQLite does not report which foreign key it was.
        (
            "INSERT INTO kinds VALUES (2, 'b', 'b', 2, 3, 1, 2, 7)",
            ForeignKey,
            "kinds_parent_fkey",
        ),
        ("DELETE FROM parents", ForeignKey, "kinds_parent_fkey"),
    ]
};

#[tokio::test]
async fn each_kind_of_constraint_is_the_same_field_and_name_on_every_engine() {
    for place in Place::each("errors_kinds") {
        let db = place.open().await;
        db.batch(KINDS).await.unwrap();
        let is_postgres = place.engine() == Engine::POSTGRES;
        for (sql, kind, name) in VIOLATIONS {
            let error = db.execute(sql, ()).await.unwrap_err();
            assert_eq!(error.class(), Class::Constraint, "{sql}: {error:?}");
            assert_eq!(error.constraint_kind(), Some(kind), "{sql}: {error:?}");
            let is_told = is_postgres || kind != ConstraintKind::ForeignKey;
            assert_eq!(
                error.constraint(),
                is_told.then_some(name),
                "{sql}: {error:?}"
            );
            // The same in a transaction.
            let tx = db.begin().await.unwrap();
            let error = tx.execute(sql, ()).await.unwrap_err();
            assert_eq!(error.constraint_kind(), Some(kind), "{sql}: {error:?}");
            tx.rollback().await.unwrap();
        }
        // Other errors have no kind of constraint, and a missing row is not a missing table.
        for (sql, class) in [
            ("SELECT * FROM gone", Class::Missing),
            ("SELEC 1", Class::Syntax),
        ] {
            let error = db.execute(sql, ()).await.unwrap_err();
            assert_eq!(
                (error.class(), error.constraint_kind()),
                (class, None),
                "{sql}"
            );
        }
        let none = db
            .query_one::<i32>("SELECT id FROM kinds WHERE id = 7", ())
            .await;
        assert_eq!(none.unwrap_err().class(), Class::NotFound);
        if is_postgres {
            db.batch(
                "CREATE TABLE stays (during int4range, CONSTRAINT one_at_a_time EXCLUDE USING gist (during WITH &&));
                 INSERT INTO stays VALUES ('[1,5)');
                 CREATE TABLE late (id int PRIMARY KEY, other int REFERENCES late DEFERRABLE INITIALLY DEFERRED);
                 CREATE VIEW grown AS SELECT * FROM kinds WHERE age > 17 WITH CHECK OPTION",
            )
            .await
            .unwrap();
            let error = db
                .execute("INSERT INTO stays VALUES ('[2,3)')", ())
                .await
                .unwrap_err();
            assert_eq!(error.constraint_kind(), Some(ConstraintKind::Exclusion));
            assert_eq!(error.constraint(), Some("one_at_a_time"));
            let error = db.execute("UPDATE grown SET age = 3", ()).await;
            assert!(error.is_ok());
            let error = db
                .execute("INSERT INTO grown VALUES (3, 'c', 'c', 5, 6, 2, 5, 1)", ())
                .await
                .unwrap_err();
            assert_eq!(
                error.constraint_kind(),
                Some(ConstraintKind::Check),
                "{error:?}"
            );
            let tx = db.begin().await.unwrap();
            tx.execute("INSERT INTO late VALUES (1, 2)", ())
                .await
                .unwrap();
            let error = tx.commit().await.unwrap_err();
            assert_eq!(error.constraint_kind(), Some(ConstraintKind::ForeignKey));
            assert_eq!(error.constraint(), Some("late_other_fkey"));
        }
    }
}

/// Every text of an error: its own, for users and for developers, and those of its sources.
fn texts(error: &Error) -> String {
    let mut texts = format!(
        "{error} {error:?} {error:#?} {} {}",
        error.message(),
        error.reason()
    );
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        texts.push_str(&format!(" {cause} {cause:?} {cause:#?}"));
        source = cause.source();
    }
    texts
}

#[tokio::test]
async fn data_of_a_row_is_in_no_text_of_an_error() {
    const SECRET: &str = "ada-4711@example.com";
    let tables = "
        CREATE TABLE people (
            id integer PRIMARY KEY, email varchar(90) UNIQUE, age integer CHECK (age > 0),
            name varchar(90) NOT NULL, friend varchar(90) REFERENCES people (email)
        );
        INSERT INTO people VALUES (1, 'ada-4711@example.com', 1, 'Ada', NULL)";
    let rows = [
        "(2, 'ada-4711@example.com', 1, 'x', NULL)",
        "(2, 'b', -1, 'ada-4711@example.com', NULL)",
        "(2, 'ada-4711@example.com', 1, NULL, NULL)",
        "(2, 'b', 1, 'x', 'ada-4711@example.comx')",
        "(2, 'ada-4711@example.com', 1, NULL, 'ada-4711@example.com')",
    ];
    for place in Place::each("errors_data") {
        let db = place.open().await;
        db.batch(tables).await.unwrap();
        let is_postgres = place.engine() == Engine::POSTGRES;
        let mut errors = Vec::new();
        for row in rows {
            let sql = format!("INSERT INTO people VALUES {row}");
            errors.push(db.execute(&sql, ()).await.unwrap_err());
            errors.push(db.query(&sql, ()).await.unwrap_err());
            errors.push(db.batch(&sql).await.unwrap_err());
            let tx = db.begin().await.unwrap();
            errors.push(tx.execute(&sql, ()).await.unwrap_err());
            tx.rollback().await.unwrap();
        }
        let columns = ["id", "email", "age", "name"];
        for row in [
            (2, SECRET, 1, Some("x")),
            (2, "b", -1, Some(SECRET)),
            (2, SECRET, 1, None),
        ] {
            let rows = vec![(3, "c", 1, Some("c")), row];
            let error = db.bulk_insert("people", &columns, rows).await.unwrap_err();
            assert_eq!(error.row(), Some(2), "{error:?}");
            errors.push(error);
        }
        for error in &errors {
            assert!(!texts(error).contains(SECRET), "{}", texts(error));
            if is_postgres {
                assert!(error.detail().is_some(), "{error:?}");
            }
        }
        if !is_postgres {
            continue;
        }
        let told = |error: &Error| error.detail().unwrap_or_default().contains(SECRET);
        assert!(errors.iter().any(told));
        // They are in the text if that is requested.
        let Place::Postgres(database) = &place else {
            continue;
        };
        let asked = small(&format!("{}&error_detail=on", database.url()), 1).await;
        let sql = format!("INSERT INTO people VALUES {}", rows[0]);
        let error = asked.execute(&sql, ()).await.unwrap_err();
        assert!(error.to_string().contains(SECRET), "{error}");
        assert!(format!("{error:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn an_update_that_matches_no_row_has_run() {
    for place in Place::each("errors_no_row") {
        let db = place.open().await;
        db.batch(TABLES).await.unwrap();
        let none = "UPDATE item SET price = 2 WHERE id = 9 RETURNING id";
        let error = db.query_one::<(i32,)>(none, ()).await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::NotFound, Effect::Applied)
        );
    }
}

#[tokio::test]
async fn a_whole_number_that_the_server_makes_a_decimal_says_how_to_cast_it() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("errors_casts");
    let db = small(&database.url(), 1).await;
    for sql in [
        "SELECT sum(n) FROM generate_series(1::bigint, 3) n",
        "SELECT avg(n) FROM generate_series(1, 3) n",
        "SELECT extract(epoch FROM now())",
        "SELECT round(1.5)",
    ] {
        let error = db.query_scalar::<i64>(sql, ()).await.unwrap_err();
        assert!(error.hint().unwrap().contains("::int8"), "{sql}: {error}");
        let error = db.query_scalar::<f64>(sql, ()).await.unwrap_err();
        assert!(error.hint().unwrap().contains("::float8"), "{sql}: {error}");
    }
}

/// Rows of `item` with this change to one of them.
fn rows(count: i32, change: impl Fn(&mut Vec<Value>, i32)) -> Vec<Vec<Value>> {
    let row = |number: i32| {
        let name = Value::Text(format!("name {number}"));
        let mut row = vec![Value::I32(100 + number), name, Value::I32(1)];
        change(&mut row, number);
        row
    };
    (1..=count).map(row).collect()
}

const COLUMNS: [&str; 3] = ["id", "name", "price"];

#[tokio::test]
async fn a_bulk_insert_names_the_row_and_the_column() {
    for place in Place::each("errors_rows") {
        let db = place.open().await;
        db.batch(TABLES).await.unwrap();
        let is_postgres = place.engine() == Engine::POSTGRES;
        let insert = async |rows: Vec<Vec<Value>>| {
            let error = db.bulk_insert("item", &COLUMNS, rows).await.unwrap_err();
            assert_eq!(error.effect(), Effect::RolledBack, "{error:?}");
            error
        };
        let at = |at: i32, place: usize, value: Value| {
            move |row: &mut Vec<Value>, number: i32| {
                if number == at {
                    row[place] = value.clone();
                }
            }
        };
        // Rows that the server refuses, in the first batch and in a later one.
        for number in [1, 3, 2500] {
            let taken = insert(rows(3000, at(number, 1, Value::Text("one".into())))).await;
            assert_eq!(taken.row(), Some(number as u64), "{taken:?}");
            assert_eq!(
                (taken.class(), taken.table()),
                (Class::Constraint, Some("item"))
            );
            let null = insert(rows(3000, at(number, 1, Value::Null))).await;
            assert_eq!(null.row(), Some(number as u64), "{null:?}");
            let name = Some("item_name_not_null");
            assert_names(&null, (name, Some("item"), Some("name")));
            // The text for people says the same.
            let text = null.to_string();
            assert!(
                text.contains(&format!("Row {number} could not be inserted")),
                "{text}"
            );
            let negative = insert(rows(3000, at(number, 2, Value::I32(-1)))).await;
            assert_eq!(negative.row(), Some(number as u64), "{negative:?}");
            assert_eq!(negative.constraint(), Some("price_is_positive"));
        }
        // Rows that the client refuses.
        let short = insert(rows(3, |row, number| row.truncate(4 - number as usize))).await;
        assert_eq!((short.row(), short.column()), (Some(2), None), "{short:?}");
        let misfit = match is_postgres {
            true => Value::Bytes(vec![1]),
            false => Value::F64(f64::NAN),
        };
        let misfit = insert(rows(3, at(2, 2, misfit))).await;
        assert_eq!(
            (misfit.row(), misfit.column()),
            (Some(2), Some("price")),
            "{misfit:?}"
        );
        if is_postgres {
            let long = insert(rows(9, at(5, 1, Value::Text("ten letters".into())))).await;
            assert_eq!(
                (long.row(), long.column()),
                (Some(5), Some("name")),
                "{long:?}"
            );
        }
        // An error that is not about a row.
        let error = db.bulk_insert("gone", &COLUMNS, rows(2, |_, _| ())).await;
        let error = error.unwrap_err();
        assert_eq!(
            (error.row(), error.existence()),
            (None, Some(Existence::Missing))
        );
        let left = db
            .query_scalar::<i64>("SELECT count(*) FROM item", ())
            .await;
        assert_eq!(left.unwrap(), 1);
    }
}

#[tokio::test]
async fn the_row_of_a_copy_is_not_read_out_of_names_and_values() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("errors_copy");
    let db = small(&database.url(), 1).await;
    let table = "CREATE SCHEMA \"a.b\"; CREATE TABLE \"a.b\".\"line 7, column id\" \
        (id integer, \"column\" inet, note varchar(60) UNIQUE)";
    db.batch(table).await.unwrap();
    let columns = ["id", "column", "note"];
    // Addresses are sent as text, which the server parses.
    let insert = async |second: [&str; 3]| {
        let row = |row: [&str; 3]| row.map(|text| Value::Text(text.into())).to_vec();
        let rows = vec![row(["1", "::1", "a"]), row(second)];
        let table = "\"a.b\".\"line 7, column id\"";
        db.bulk_insert(table, &columns, rows).await.unwrap_err()
    };
    let address = insert(["2", "here", "COPY"]).await;
    assert_eq!(
        (address.row(), address.column()),
        (Some(2), Some("column")),
        "{address:?}"
    );
    let value = "\nCOPY line 7, column id, line 99, column id: \"x\"".repeat(2);
    let long = insert(["2", "::2", &value]).await;
    assert_eq!(
        (long.row(), long.column()),
        (Some(2), Some("note")),
        "{long:?}"
    );
    let taken = insert(["2", "::2", "a"]).await;
    assert_eq!((taken.row(), taken.column()), (Some(2), None), "{taken:?}");
    assert_eq!(taken.namespace(), Some("a.b"));
    assert_eq!(taken.table(), Some("line 7, column id"));
    // A trigger reports first, and then the COPY.
    let trigger = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.id = 2 THEN RAISE check_violation USING CONSTRAINT = 'own', COLUMN = 'id'; END IF;
        RETURN NEW; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON \"a.b\".\"line 7, column id\"
        FOR EACH ROW EXECUTE FUNCTION refuse()";
    db.batch(trigger).await.unwrap();
    let refused = insert(["2", "::2", "b"]).await;
    assert_eq!(refused.row(), Some(2), "{refused:?}");
    assert_names(&refused, (Some("own"), None, Some("id")));
}

#[tokio::test]
async fn a_domain_and_a_strict_column_are_told() {
    for place in Place::each("errors_types") {
        let db = place.open().await;
        if place.engine() == Engine::SQLITE {
            db.batch("CREATE TABLE exact (n INTEGER) STRICT")
                .await
                .unwrap();
            let error = db
                .execute("INSERT INTO exact VALUES ('x')", ())
                .await
                .unwrap_err();
            assert_eq!(error.class(), Class::Data);
            assert_names(&error, (None, Some("exact"), Some("n")));
            continue;
        }
        let domain = "CREATE DOMAIN positive AS integer CONSTRAINT is_positive CHECK (VALUE > 0)";
        db.batch(domain).await.unwrap();
        let error = db.execute("SELECT (-1)::positive", ()).await.unwrap_err();
        assert_eq!(
            (error.namespace(), error.data_type()),
            (Some("public"), Some("positive"))
        );
        assert_names(&error, (Some("is_positive"), None, None));
        assert_eq!(error.class(), Class::Constraint);
    }
}

/// A database of a server, and the way in which the database under test reaches it.
struct Scene<'s> {
    database: &'s TestDatabase,
    url: String,
}

impl Scene<'_> {
    async fn open(&self, statement_timeout: &str) -> Database {
        let url = format!("{}&statement_timeout={statement_timeout}", self.url);
        small(&url, 2).await
    }

    /// Cancels, from another session, the statement with this mark once it has run for this long.
    async fn cancel(&self, mark: &str, after: &str) {
        let observer = self.database.client().await;
        let cancel = format!(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
               AND query LIKE '%{mark}%' AND query_start < clock_timestamp() - '{after}'::interval"
        );
        eventually("the statement runs and is canceled", async || {
            !observer.query(&cancel, &[]).await.unwrap().is_empty()
        })
        .await;
    }
}

const SLEEP: &str = "SELECT pg_sleep(60)";

async fn sleeps(executor: &impl Executor) -> Error {
    executor.execute(SLEEP, ()).await.unwrap_err()
}

async fn in_transaction(
    db: &Database,
    work: impl AsyncFn(&Transaction) -> Result<Error>,
) -> Result<Error> {
    let transaction = db.begin().await?;
    let error = work(&transaction).await?;
    transaction.rollback().await?;
    Ok(error)
}

/// Errors that the server reports in words of its language.
async fn provoked(scene: &Scene<'_>) -> Result<Vec<(&'static str, Told)>> {
    let mut told = Vec::new();
    let mut tell = |what, error: Error| told.push((what, Told::by(&error)));
    let admin = scene.database.client().await;
    let limit = format!(
        "ALTER DATABASE \"{}\" SET statement_timeout = '150ms'",
        scene.database.name()
    );
    admin.batch_execute(TABLES).await.unwrap();
    admin.batch_execute(&limit).await.unwrap();

    let brief = scene.open("150ms").await;
    tell("limit", sleeps(&brief).await);
    let error = in_transaction(&brief, async |tx| Ok(sleeps(tx).await)).await?;
    tell("limit in a transaction", error);
    let unlimited = scene.open("off").await;
    let error = in_transaction(&unlimited, async |tx| Ok(sleeps(tx).await)).await?;
    tell("limit of the database in a transaction", error);
    tell("limit of the database", sleeps(&unlimited).await);
    let long = scene.open("60s").await;
    let error = in_transaction(&long, async |tx| {
        tx.execute("SET LOCAL statement_timeout = '150ms'", ())
            .await?;
        Ok(sleeps(tx).await)
    });
    tell("limit of a transaction", error.await?);
    let error = in_transaction(&long, async |tx| {
        let set = "SELECT set_config('statement_timeout', $1, true)";
        tx.execute(set, ("150ms",)).await?;
        Ok(sleeps(tx).await)
    });
    tell("limit by a function", error.await?);
    let lease = long.acquire().await?;
    lease.execute("SET statement_timeout = '150ms'", ()).await?;
    tell("limit of a session", sleeps(&*lease).await);
    let transaction = lease.begin().await?;
    tell(
        "limit of a session in a transaction",
        sleeps(&transaction).await,
    );
    transaction.rollback().await?;
    drop(lease);
    let several = format!("SET statement_timeout = 150; {SLEEP}");
    tell(
        "limit of several statements",
        long.batch(&several).await.unwrap_err(),
    );
    let brief_call = long.deadline(Duration::from_millis(150));
    tell("deadline", sleeps(&brief_call).await);

    let sleeping = async { Ok::<_, Error>(sleeps(&long).await) };
    let (error, ()) = tokio::join!(sleeping, scene.cancel("pg_sleep(60)", "0"));
    tell("canceled", error?);
    let sleeping = in_transaction(&long, async |tx| Ok(sleeps(tx).await));
    let (error, ()) = tokio::join!(sleeping, scene.cancel("pg_sleep(60)", "0"));
    tell("canceled in a transaction", error?);
    let sleeping = in_transaction(&brief, async |tx| {
        tx.execute("SET LOCAL statement_timeout = 0", ()).await?;
        Ok(sleeps(tx).await)
    });
    let (error, ()) = tokio::join!(sleeping, scene.cancel("pg_sleep(60)", "300ms"));
    tell("canceled without a limit", error?);

    let holder = long.begin().await?;
    holder.execute("SELECT id FROM item FOR UPDATE", ()).await?;
    let error = in_transaction(&long, async |tx| {
        tx.execute("SET LOCAL lock_timeout = '100ms'", ()).await?;
        let waits = tx.execute("SELECT id FROM item FOR UPDATE", ());
        Ok(waits.await.unwrap_err())
    });
    tell("lock timeout", error.await?);
    let nowait = long.execute("SELECT id FROM item FOR UPDATE NOWAIT", ());
    tell("lock not available", nowait.await.unwrap_err());
    holder.rollback().await?;

    for (what, sql) in [
        ("unique", "INSERT INTO item (id, name) VALUES (2, 'one')"),
        ("not null", "INSERT INTO item (id, name) VALUES (2, NULL)"),
        (
            "check",
            "INSERT INTO item (id, name, price) VALUES (2, 'two', -1)",
        ),
        (
            "foreign key",
            "INSERT INTO item (id, name, parent_id) VALUES (2, 'two', 9)",
        ),
        ("no table", "SELECT * FROM gone"),
        ("syntax", "SELEC 1"),
        (
            "raised",
            "DO $$ BEGIN RAISE 'timeout' USING ERRCODE = '57014'; END $$",
        ),
    ] {
        tell(what, long.execute(sql, ()).await.unwrap_err());
    }
    let change = |row: &mut Vec<Value>, number| {
        if number == 7 {
            row[1] = Value::Text("ten letters".into());
        }
    };
    let inserted = long.bulk_insert("item", &COLUMNS, rows(9, change)).await;
    tell("row of a bulk insert", inserted.unwrap_err());

    // A plan that the server describes as outdated is prepared again silently.
    let lease = long.acquire().await?;
    lease.query("SELECT * FROM parent", ()).await?;
    admin
        .batch_execute("ALTER TABLE parent ADD more text")
        .await
        .unwrap();
    lease.query("SELECT * FROM parent", ()).await?;
    Ok(told)
}

#[tokio::test]
async fn a_server_that_speaks_another_language_gives_the_same_errors() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("errors_english");
    let url = database.url();
    let database = &database;
    let english = provoked(&Scene { database, url }).await.unwrap();
    for (what, told) in &english {
        let limited = what.starts_with("limit") || *what == "deadline";
        let canceled = what.starts_with("canceled") || *what == "raised";
        let expected = match *what {
            _ if limited => TIMEOUT,
            _ if canceled => Class::Canceled,
            "lock timeout" => Class::Timeout { stage: Stage::Lock },
            "lock not available" => Class::Busy,
            "no table" => Class::Missing,
            "syntax" => Class::Syntax,
            "row of a bulk insert" => Class::Data,
            _ => Class::Constraint,
        };
        assert_eq!(told.class, expected, "{what}: {told:?}");
        // A block may commit by itself.
        let effect = match *what {
            "raised" => Effect::Unknown,
            _ => Effect::RolledBack,
        };
        assert_eq!(told.effect, effect, "{what}");
        let row = (*what == "row of a bulk insert").then_some(7);
        assert_eq!(told.row, row, "{what}: {told:?}");
    }

    let database = server.database("errors_translated");
    let proxy = Proxy::before(server);
    proxy.translate();
    let url = database.url_through(&proxy);
    let database = &database;
    let translated = provoked(&Scene { database, url }).await.unwrap();
    assert_eq!(translated, english);
}

#[tokio::test]
async fn a_german_server_gives_the_same_errors() {
    let server = or_skip!(Postgres::shared());
    let Ok(german) = Postgres::builder().language("de_DE.UTF-8").start() else {
        let sources = Path::new("/usr/share/i18n/locales/de_DE");
        skip::report_without_input("a_german_server_gives_the_same_errors", sources);
        return;
    };
    let database = german.database("errors_german");
    let client = database.client().await;
    let error = client.batch_execute("SELEC 1").await.unwrap_err();
    let said = error.as_db_error().unwrap();
    if said.severity() == "ERROR" {
        // The server was built without translations, or they are not installed.
        let translation = Path::new("/usr/share/locale/de/LC_MESSAGES");
        skip::report_without_input("a_german_server_gives_the_same_errors", translation);
        return;
    }
    assert_eq!(said.severity(), "FEHLER");
    let url = database.url();
    let database = &database;
    let in_german = provoked(&Scene { database, url }).await.unwrap();
    let database = server.database("errors_reference");
    let url = database.url();
    let database = &database;
    let english = provoked(&Scene { database, url }).await.unwrap();
    assert_eq!(in_german, english);
}

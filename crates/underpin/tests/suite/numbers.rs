//! Every operator and aggregate on every type of number returns the same as on PostgreSQL. SQLite
//! differs in two of them: `%` works on whole numbers, and a whole number divided by a whole number
//! is a whole number even in a NUMERIC column.

use underpin::value::Numeric;
use underpin::{Database, Engine, Value};
use underpin_testkit::{Postgres, SqliteFile, or_skip};

const COLUMNS: [&str; 3] = ["qty", "price", "ratio"];

/// A number of each type, with its type on PostgreSQL.
fn numbers() -> Vec<(Value, &'static str)> {
    let numeric = |text: &str| Value::Numeric(text.parse::<Numeric>().unwrap());
    vec![
        (Value::I16(3), "int8"),
        (Value::I32(3), "int8"),
        (Value::I64(3), "int8"),
        (Value::I64(-7), "int8"),
        (Value::F32(2.25), "float8"),
        (Value::F64(2.25), "float8"),
        (Value::F64(-0.5), "float8"),
        (numeric("2.25"), "numeric"),
        (numeric("10.50"), "numeric"),
        (numeric("3"), "numeric"),
        (numeric("3.00"), "numeric"),
        (numeric("-0.10"), "numeric"),
        (numeric("1000000.01"), "numeric"),
    ]
}

/// The expressions, with `COLUMN` for each column and `GIVEN` for each parameter.
fn questions() -> Vec<String> {
    let mut all = Vec::new();
    let one = |expression: &str| {
        format!("SELECT CAST({expression} AS double precision) FROM n ORDER BY id")
    };
    let flag = |condition: &str| one(&format!("CASE WHEN {condition} THEN 1 ELSE 0 END"));
    for sign in ["=", "<>", "<", "<=", ">", ">="] {
        for left in [
            "COLUMN",
            "COLUMN * 2",
            "COLUMN + 1",
            "-COLUMN",
            "abs(COLUMN)",
            "coalesce(COLUMN, 0)",
            "(SELECT sum(COLUMN) FROM n)",
            "(SELECT avg(COLUMN) FROM n)",
            "(SELECT min(COLUMN) FROM n)",
            "(SELECT max(COLUMN) FROM n)",
            "(SELECT count(COLUMN) FROM n)",
            "CASE WHEN id > 1 THEN COLUMN ELSE 0 END",
            "sum(COLUMN) OVER ()",
        ] {
            all.push(flag(&format!("{left} {sign} GIVEN")));
            all.push(flag(&format!("GIVEN {sign} {left}")));
        }
        for aggregate in ["sum", "avg", "min", "max", "count"] {
            all.push(format!(
                "SELECT CAST(count(*) AS double precision) FROM (SELECT 1 AS x FROM n GROUP BY id % 2 \
                 HAVING {aggregate}(COLUMN) {sign} GIVEN) AS g"
            ));
        }
    }
    for condition in [
        "COLUMN BETWEEN GIVEN AND GIVEN",
        "COLUMN BETWEEN GIVEN - 1 AND GIVEN + 1",
        "COLUMN NOT BETWEEN -1 AND GIVEN",
        "COLUMN IN (GIVEN, 7)",
        "COLUMN NOT IN (GIVEN, 7)",
        "COLUMN * 1 IN (GIVEN, 7)",
        "nullif(COLUMN, GIVEN) IS NULL",
    ] {
        all.push(flag(condition));
    }
    for expression in [
        "COLUMN + GIVEN",
        "COLUMN - GIVEN",
        "GIVEN - COLUMN",
        "COLUMN * GIVEN",
        "(COLUMN * 1.0) / GIVEN",
        "coalesce(NULL, GIVEN)",
        "-GIVEN",
        "abs(GIVEN)",
        "CASE WHEN id = 1 THEN GIVEN ELSE COLUMN END",
        "(SELECT sum(COLUMN) FROM n) + GIVEN",
        "(SELECT avg(COLUMN + GIVEN) FROM n)",
        "(SELECT max(COLUMN * GIVEN) FROM n)",
        "GIVEN / 4.0",
    ] {
        all.push(one(expression));
    }
    all
}

async fn filled(db: &Database) {
    let create =
        "CREATE TABLE n (id bigint, qty bigint, price numeric(12,2), ratio double precision)";
    db.batch(create).await.unwrap();
    let numeric = |text: &str| text.parse::<Numeric>().unwrap();
    for (id, qty, price, ratio) in [
        (1_i64, 3_i64, numeric("10.50"), 2.25),
        (2, 1, numeric("0.10"), -0.5),
        (3, -7, numeric("1000000.01"), 3.0),
        (4, 9_007_199_254_740_993, numeric("-0.10"), 1e15),
    ] {
        let sql = "INSERT INTO n VALUES ($1, $2, $3, $4)";
        db.execute(sql, (id, qty, price, ratio)).await.unwrap();
    }
}

fn spelled(question: &str, column: &str, type_: Option<&str>) -> String {
    let given = type_.map_or("$1".to_owned(), |type_| format!("$1::{type_}"));
    question.replace("COLUMN", column).replace("GIVEN", &given)
}

#[tokio::test]
async fn each_number_compares_and_adds_up_as_on_postgresql() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("numbers");
    let postgres = Database::connect(database.url()).await.unwrap();
    let file = SqliteFile::new();
    let sqlite = Database::connect(file.url()).await.unwrap();
    filled(&postgres).await;
    filled(&sqlite).await;
    assert_eq!(sqlite.engine(), Engine::SQLITE);
    let mut asked = 0;
    for (number, type_) in numbers() {
        for column in COLUMNS {
            for question in questions() {
                let params = || vec![number.clone()];
                let theirs = spelled(&question, column, Some(type_));
                let expected: Vec<Option<f64>> = postgres
                    .query_as(&theirs, params())
                    .await
                    .unwrap_or_else(|error| panic!("{theirs} with {number}: {error}"));
                let ours = spelled(&question, column, None);
                let found: Vec<Option<f64>> = sqlite
                    .query_as(&ours, params())
                    .await
                    .unwrap_or_else(|error| panic!("{ours} with {number}: {error}"));
                assert_eq!(found.len(), expected.len(), "{ours} with {number}");
                for (found, expected) in found.iter().zip(&expected) {
                    let near = match (found, expected) {
                        (Some(found), Some(expected)) => {
                            (found - expected).abs() <= expected.abs() * 1e-12 + 1e-9
                        }
                        (found, expected) => found == expected,
                    };
                    assert!(near, "{ours} with {number}: {found:?} and not {expected:?}");
                }
                asked += 1;
            }
        }
    }
    assert!(asked > 5000, "{asked}");
}

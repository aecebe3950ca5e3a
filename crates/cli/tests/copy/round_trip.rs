//! From PostgreSQL to SQLite and back: every type that both hold comes back the same, as `pg_dump`
//! prints it.

use std::fmt::Write;
use std::process::Command;

use underpin_testkit::postgres::program;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place, copy, postgres, sqlite};

/// Types with values of theirs, as SQL.
const TYPES: &[(&str, &[&str])] = &[
    ("boolean", &["true", "false"]),
    ("smallint", &["-32768", "32767", "0"]),
    ("integer", &["-2147483648", "2147483647"]),
    (
        "bigint",
        &[
            "-9223372036854775808",
            "9223372036854775807",
            "9007199254740993",
        ],
    ),
    (
        "real",
        &[
            "0.1",
            "-1.5e-30",
            "3.4028235e38",
            "'Infinity'",
            "'-Infinity'",
            "16777216",
        ],
    ),
    (
        "double precision",
        &[
            "0.1",
            "1e300",
            "-1e-7",
            "'-Infinity'",
            "9007199254740993",
            "5",
        ],
    ),
    (
        "numeric",
        &[
            "0.10",
            "123456789012345678901234567890.0123456789",
            "-0.000001",
            "1e20",
        ],
    ),
    ("numeric(10,2)", &["1.10", "-99999999.99", "0", "1000"]),
    ("numeric(30,10)", &["12345678901234567890.0123456789", "-1"]),
    (
        "text",
        &[
            "''",
            "'it''s'",
            "E'a\\tb\\\\c\\nd\\re'",
            "'\u{1F600} \u{00fc}'",
            "'007'",
            "'1e5'",
            "'null'",
        ],
    ),
    ("varchar(20)", &["'twenty characters !!!'", "'   '", "'5'"]),
    ("char(5)", &["'ab'", "'abcde'", "''"]),
    ("bytea", &["'\\x'", "'\\x00ff10'", "'\\x616263'"]),
    (
        "date",
        &["'0001-01-01'", "'9999-12-31'", "'2024-02-29'", "'infinity'"],
    ),
    ("time", &["'00:00'", "'24:00'", "'12:34:56.789012'"]),
    (
        "timestamp",
        &[
            "'2024-02-29 12:34:56.5'",
            "'1999-12-31 23:59:59.999999'",
            "'-infinity'",
        ],
    ),
    (
        "timestamptz",
        &[
            "'2024-02-29 12:34:56.5+02'",
            "'0001-01-02 00:00:00+00'",
            "'infinity'",
        ],
    ),
    ("timestamp(3)", &["'2024-02-29 12:34:56.789'"]),
    (
        "interval",
        &[
            "'1 year 2 mons 3 days 04:05:06.7'",
            "'-1 day'",
            "'0'",
            "'-00:00:00.000001'",
        ],
    ),
    (
        "uuid",
        &[
            "'67e55044-10b1-426f-9247-bb680e5fe0c8'",
            "'00000000-0000-0000-0000-000000000001'",
        ],
    ),
    (
        "json",
        &["'{\"b\": 1,  \"a\": [1.50, null]}'", "'1.0'", "'\"x\"'"],
    ),
    (
        "jsonb",
        &["'{\"b\": 1,  \"a\": [1.50, null]}'", "'1.0'", "'[]'"],
    ),
    ("integer[]", &["'{1,NULL,3}'", "'{}'", "'{{1,2},{3,4}}'"]),
    ("text[]", &["'{\"a b\",\"c\\\"d\",NULL,\"NULL\",\"\"}'"]),
    ("boolean[]", &["'{t,f}'"]),
    ("double precision[]", &["'{0.1,1e300,5}'"]),
    ("real[]", &["'{0.1}'"]),
    ("numeric(10,2)[]", &["'{1.10,NULL}'"]),
    ("numeric[]", &["'{1.1000,123456789012345678901234567890}'"]),
    ("uuid[]", &["'{67e55044-10b1-426f-9247-bb680e5fe0c8}'"]),
    ("date[]", &["'{2024-02-29}'"]),
    ("timestamptz[]", &["'{\"2024-02-29 12:34:56.5+00\"}'"]),
    ("jsonb[]", &["ARRAY['{\"a\": 1}'::jsonb, '[1]']"]),
    ("inet", &["'10.0.0.1/8'", "'::1'"]),
    ("cidr", &["'10.0.0.0/8'"]),
    ("macaddr", &["'08:00:2b:01:02:03'"]),
    ("bit(5)", &["'01010'"]),
    ("bit varying(9)", &["'010'", "''"]),
    ("money", &["'-1234.56'"]),
    ("point", &["'(1.5,-2)'"]),
    ("box", &["'(2,2),(0,0)'"]),
    ("int4range", &["'[1,5)'", "'empty'", "'(,5)'"]),
    ("tstzrange", &["'[\"2024-02-29 00:00:00+00\",)'"]),
    ("tsvector", &["'''a'' ''b'':2'"]),
    ("time with time zone", &["'12:34:56+02'"]),
    ("xml", &["'<a>1</a>'"]),
    ("oid", &["'4294967295'"]),
    ("pg_lsn", &["'16/B374D848'"]),
    ("mood", &["'glad'", "'it''s'"]),
    ("price", &["12.50"]),
];

/// Numbers that look random, and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Tables with columns of some types and rows of their values. The first has all types.
fn generated(seed: u64) -> String {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut sql = "CREATE TYPE mood AS ENUM ('glad', 'it''s');\n\
                   CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE > 0);\n"
        .to_owned();
    for table in 0..4 {
        let chosen: Vec<usize> = match table {
            0 => (0..TYPES.len()).collect(),
            _ => (0..3 + dice.below(8))
                .map(|_| dice.below(TYPES.len()))
                .collect(),
        };
        let key = [
            "bigint GENERATED BY DEFAULT AS IDENTITY",
            "serial",
            "integer",
        ][dice.below(3)];
        let mut columns = vec![format!("id {key} PRIMARY KEY")];
        for (at, of) in chosen.iter().enumerate() {
            columns.push(format!("\"c{at} {}\" {}", table, TYPES[*of].0));
        }
        if table > 0 {
            let parent = dice.below(table);
            columns.push(format!("parent integer REFERENCES t{parent}"));
        }
        let _ = writeln!(sql, "CREATE TABLE t{table} ({});", columns.join(", "));
        for row in 1..=9 {
            let mut values = vec![row.to_string()];
            for of in &chosen {
                let of = TYPES[*of];
                values.push(match dice.below(5) {
                    // The first row has none, so that it does not tell what comes.
                    _ if row == 1 => "NULL".to_owned(),
                    0 => "NULL".to_owned(),
                    _ => format!("({})::{}", of.1[dice.below(of.1.len())], of.0),
                });
            }
            if table > 0 {
                values.push(row.to_string());
            }
            let _ = writeln!(sql, "INSERT INTO t{table} VALUES ({});", values.join(", "));
        }
        // A counter that is behind its rows would be moved on.
        if key != "integer" {
            let _ = writeln!(sql, "SELECT setval('t{table}_id_seq', 20);");
        }
    }
    sql
}

/// What `pg_dump --data-only` prints, in the order of its lines.
fn dumped(place: &Place) -> Option<Vec<String>> {
    let pg_dump = program("pg_dump").ok()?;
    let output = Command::new(pg_dump)
        .args(["--data-only", "-d", &place.url()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    // Of the newest minor versions, a key that is another each time.
    let own = |line: &&str| !line.starts_with("--") && !line.contains("restrict");
    let mut lines: Vec<String> = text.lines().filter(own).map(str::to_owned).collect();
    lines.sort();
    Some(lines)
}

/// The lines of one side alone.
#[track_caller]
fn assert_same(before: &[String], after: &[String], what: &str) {
    let only = |of: &[String], other: &[String]| -> Vec<String> {
        let left = of.iter().filter(|line| !other.contains(line));
        left.cloned().collect()
    };
    let (lost, new) = (only(before, after), only(after, before));
    assert!(
        lost.is_empty() && new.is_empty(),
        "{what}: {lost:#?} became {new:#?}"
    );
    assert_eq!(before.len(), after.len(), "{what}");
}

#[tokio::test]
async fn generated_schemas_come_back_from_sqlite_as_they_were() {
    let server = or_skip!(Postgres::shared());
    for seed in 1..=4 {
        let (from, back, file) = (
            postgres(server, "there"),
            postgres(server, "back"),
            sqlite(),
        );
        from.batch(&generated(seed)).await;
        let create = ["--create"];
        copy(&from, &file, &create).expect(0, &["equal"]);
        copy(&file, &back, &create).expect(0, &["equal"]);
        assert_eq!(file.count("t0").await, 9);
        let (Some(before), Some(after)) = (dumped(&from), dumped(&back)) else {
            underpin_testkit::skip!("round_trip", "pg_dump is not installed.");
        };
        assert!(before.len() > 40, "{before:?}");
        assert_same(&before, &after, &format!("seed {seed}"));
        // Nothing of the copy itself is left.
        let left = "SELECT count(*) FROM sqlite_schema WHERE name = '_underpin_copy'";
        assert_eq!(file.rows(left).await, ["0"]);
    }
}

#[tokio::test]
async fn a_database_is_copied_to_one_of_its_own_engine_with_all_that_belongs_to_it() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (postgres(server, "own"), postgres(server, "own_copy"));
    from.batch(&generated(9)).await;
    from.batch(
        "CREATE VIEW v AS SELECT id FROM t1;
         CREATE INDEX by_parent ON t1 (parent) WHERE id > 2;
         CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql
             AS 'BEGIN RAISE EXCEPTION ''a trigger ran''; END';
         CREATE TRIGGER refuses BEFORE INSERT ON t2 FOR EACH ROW EXECUTE FUNCTION noted();
         CREATE TABLE parts (id integer, at date) PARTITION BY RANGE (at);
         CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
         CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
         INSERT INTO parts VALUES (1, '2024-05-05'), (2, '2026-01-01')",
    )
    .await;
    copy(&from, &to, &["--create", "--jobs", "3"]).expect(0, &["equal"]);
    let (Some(before), Some(after)) = (dumped(&from), dumped(&to)) else {
        underpin_testkit::skip!("own_engine", "pg_dump is not installed.");
    };
    assert_same(&before, &after, "within the engine");
    let schemas = Command::new(env!("CARGO_BIN_EXE_underpin"))
        .args(["schema", "diff", &from.url(), &to.url()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&schemas.stdout).into_owned();
    assert!(schemas.status.success(), "{said}");
}

#[tokio::test]
async fn a_sqlite_file_is_copied_value_by_value_to_another() {
    let (from, to) = (sqlite(), sqlite());
    from.batch(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b INTEGER, c TEXT, d REAL, e NUMERIC);
         INSERT INTO t VALUES (1, 1, 'text', x'00', 1, 1.5), (5, 'a', 2.5, 3, NULL, '0x'),
             (7, NULL, x'', '', 1e300, 5);
         DELETE FROM t WHERE id = 7;
         CREATE TRIGGER t_refuses BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'a trigger ran'); END;
         CREATE VIEW v AS SELECT a FROM t",
    )
    .await;
    copy(&from, &to, &["--create"]).expect(0, &["equal"]);
    let all = "SELECT id, quote(a), quote(b), quote(c), quote(d), quote(e) FROM t ORDER BY id";
    assert_eq!(from.rows(all).await, to.rows(all).await);
    // The counter goes on behind the row that was deleted.
    let counter = "SELECT seq FROM sqlite_sequence WHERE name = 't'";
    assert_eq!(to.rows(counter).await, ["7"]);
    let schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
    assert_eq!(from.rows(schema).await.len(), to.rows(schema).await.len());
}

#[tokio::test]
async fn what_sqlite_declares_loosely_comes_to_postgres_as_what_it_is() {
    let server = or_skip!(Postgres::shared());
    let (from, to) = (sqlite(), postgres(server, "loose"));
    from.batch(
        "CREATE TABLE loose (id INTEGER PRIMARY KEY, at DATETIME DEFAULT CURRENT_TIMESTAMP,
             day DATE, ok BOOLEAN DEFAULT 1, total DECIMAL(10,2), any, name VARCHAR(10) NOT NULL,
             CHECK (total >= 0), UNIQUE (name));
         CREATE INDEX loose_name ON loose (name DESC);
         INSERT INTO loose VALUES
             (1, '2026-01-31 12:00:00', '2026-01-31', 1, 10.5, 'a', 'one'),
             (2, 1767225600, NULL, 0, 3, 2.5, 'two'),
             (3, '2026-01-31T12:00:00.5Z', '2026-02-01', NULL, '7', x'', 'three')",
    )
    .await;
    copy(&from, &to, &["--create"]).expect(4, &["main.loose, row id = 3, column \"any\"", "bytes"]);
    assert_eq!(to.count("loose").await, 0);
    from.batch("UPDATE loose SET any = 7 WHERE id = 3").await;
    copy(&from, &to, &["--create"]).expect(0, &["An earlier run had not ended", "equal"]);
    let all = "SELECT id, at, day, ok, total, \"any\", name FROM loose ORDER BY id";
    assert_eq!(
        to.rows(all).await,
        [
            "1|2026-01-31 12:00:00|2026-01-31|t|10.50|a|one",
            "2|2026-01-01 00:00:00|NULL|f|3.00|2.5|two",
            "3|2026-01-31 12:00:00.5|2026-02-01|NULL|7.00|7|three",
        ]
    );
    to.batch("INSERT INTO loose (name, total) VALUES ('four', 1)")
        .await;
    assert_eq!(
        to.rows("SELECT id, ok FROM loose WHERE name = 'four'")
            .await,
        ["4|t"]
    );
    let indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'loose'";
    assert_eq!(to.rows(indexes).await, ["3"]);
}

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio_postgres::{Client, SimpleQueryMessage};
use underpin_sql::POSTGRES;
use underpin_testkit::{Postgres, or_skip};

use crate::{statements, text};

/// What each statement of a text gave, one entry for each that the server found; none where
/// it refused the text.
async fn results(client: &Client, sql: &str) -> Option<Vec<Vec<String>>> {
    let messages = client.simple_query(sql).await.ok()?;
    let (mut results, mut rows) = (Vec::new(), Vec::new());
    for message in messages {
        match message {
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|at| row.get(at).unwrap_or("NULL"));
                rows.push(values.collect::<Vec<_>>().join("|"));
            }
            SimpleQueryMessage::CommandComplete(_) => results.push(std::mem::take(&mut rows)),
            _ => {}
        }
    }
    Some(results)
}

const EXPRESSIONS: &[&str] = &[
    "'a;''b'",
    "E'a\\';b'",
    "E'a'\n '\\';c'",
    "E'a' -- ;\n'\\';c'",
    "E'a'\r\n'\\\\'",
    "$$;'$$",
    "$q$;$$;$q$",
    "$é$;$$$é$",
    "$a$ $a ;$a$",
    "1 AS \"x;\"\"y\"",
    "U&'d\\0061;t'",
    "U&'d!0061;t' UESCAPE '!'",
    "x'0f'",
    "b'1'",
    "N'a;'",
    "1.5e3",
    ".5",
    "1.",
    "- -1",
    "1 /* /* ; */ ' */",
    "1 -- ;\r",
    "1 -- ;'\n",
    "ARRAY['a;b]', 'c']",
    "(ARRAY[1, 2])[1]",
    "'a'\n ';b'",
    "text'a\\'",
    "'{\"a\": 1}'::jsonb ? ';'",
    "(SELECT ';')",
    "2*/*;*/3",
    "1 -/* -- */- 1",
    "CASE WHEN true THEN ';' END",
    "1 AS a$b$c",
    "1::text",
    "'\\'",
    "1 AS größe",
];

const OTHERS: &[&str] = &[
    "CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a > 1 THEN 2 END; END",
    "create or replace function g() returns int begin /* ; */ atomic select 1 as \"end\"; end",
    "CREATE OR REPLACE FUNCTION h() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RETURN ';'; END; $f$",
    "CREATE OR REPLACE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT ';')",
    "DO 'BEGIN PERFORM 1; END'",
    "VALUES (1, ';')",
];

#[tokio::test(flavor = "multi_thread")]
async fn statements_end_where_postgres_ends_them() {
    let database = or_skip!(Postgres::shared()).database("statements_end");
    let client = database.client().await;
    client
        .batch_execute("CREATE TABLE t (a int)")
        .await
        .unwrap();
    for one in EXPRESSIONS {
        let sql = format!("SELECT {one}");
        assert_eq!(
            results(&client, &sql).await.map_or(0, |all| all.len()),
            1,
            "{sql}"
        );
    }
    for sql in OTHERS {
        assert_eq!(
            results(&client, sql).await.map_or(0, |all| all.len()),
            1,
            "{sql}"
        );
    }
    let read = Cell::new(0);
    let handle = tokio::runtime::Handle::current();
    let tried = tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(150));
        runner.run(&text(EXPRESSIONS, OTHERS), |sql| {
            let Some(theirs) = handle.block_on(results(&client, &sql)) else {
                return Err(TestCaseError::fail(format!("refused: {sql}")));
            };
            let ours = statements(&sql, &POSTGRES.lexis);
            prop_assert_eq!(ours.len(), theirs.len(), "{}", sql);
            for (ours, theirs) in ours.iter().zip(theirs) {
                let alone = handle.block_on(results(&client, ours));
                prop_assert_eq!(alone, Some(vec![theirs]), "{}\n{}", sql, ours);
            }
            read.set(read.get() + ours.len());
            Ok(())
        })
    });
    tried.unwrap();
    assert!(read.get() > 150, "{} statements", read.get());
}

fn soup() -> impl Strategy<Value = String> {
    let parts = [
        ";", "SELECT 1", "'", "''", "\"", "$", "$$", "$a$", "E'", "e'\\'", "U&'", "--", "/*", "*/",
        "*", "/", "\n", "\r", " ", "1", ",", "+", "-", "é", "a", "(", ")", "[", "]", "\\'",
        "::text",
    ];
    let part = prop::sample::select(parts.to_vec());
    prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

/// Text that opens something behind a `SELECT`, with what closes it, and another statement
/// behind it: where both agree on the opening, both find two statements.
#[tokio::test(flavor = "multi_thread")]
async fn random_text_is_split_as_postgres_does() {
    let database = or_skip!(Postgres::shared()).database("random_text");
    let client = database.client().await;
    let accepted = Cell::new(0);
    let handle = tokio::runtime::Handle::current();
    let around = [
        ("SELECT '", "'; SELECT 2"),
        ("SELECT E'", "'; SELECT 2"),
        ("SELECT $$", "$$; SELECT 2"),
        ("SELECT $a$", "$a$; SELECT 2"),
        ("SELECT 1 AS \"", "\"; SELECT 2"),
        ("SELECT 1 /*", "*/; SELECT 2"),
        ("SELECT 1 --", "\n; SELECT 2"),
        ("SELECT 1 --", "\r; SELECT 2"),
        ("SELECT ", "; SELECT 2"),
        ("", ""),
    ];
    let texts = (prop::sample::select(around.to_vec()), soup());
    let tried = tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(800));
        runner.run(&texts, |((before, after), middle)| {
            let sql = [before, &middle, after].concat();
            let Some(theirs) = handle.block_on(results(&client, &sql)) else {
                return Ok(());
            };
            accepted.set(accepted.get() + 1);
            let ours = statements(&sql, &POSTGRES.lexis);
            let theirs: Vec<_> = theirs.into_iter().collect();
            // A text without a statement has one empty answer.
            prop_assert!(
                ours.is_empty() || ours.len() == theirs.len(),
                "{}\n{:?}",
                sql,
                ours
            );
            for (ours, theirs) in ours.iter().zip(theirs) {
                let alone = handle.block_on(results(&client, ours));
                prop_assert_eq!(alone, Some(vec![theirs]), "{}\n{}", sql, ours);
            }
            Ok(())
        })
    });
    tried.unwrap();
    assert!(
        accepted.get() > 80,
        "{} texts were accepted",
        accepted.get()
    );
}

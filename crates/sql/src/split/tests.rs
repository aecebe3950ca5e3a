use proptest::prelude::*;

use super::*;

const EVERY: &Lexis = &crate::COMMON;
const POSTGRES: &Lexis = &crate::POSTGRES.lexis;
const SQLITE: &Lexis = &crate::SQLITE.lexis;
const ALL: [&Lexis; 3] = [EVERY, POSTGRES, SQLITE];

fn statements<'a>(sql: &'a str, lexis: &Lexis) -> Vec<(usize, &'a str)> {
    let pieces = split(sql, lexis).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    covers(sql, &pieces);
    pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Statement { range, line, .. } => Some((line, &sql[range])),
            Piece::Rows { .. } | Piece::Between { .. } => None,
        })
        .collect()
}

fn covers(sql: &str, pieces: &[Piece]) {
    let joined: String = pieces.iter().map(|piece| &sql[piece.range()]).collect();
    assert_eq!(joined, sql);
    for piece in pieces {
        assert!(!piece.range().is_empty());
        if let Piece::Statement { range, line, .. } = piece {
            assert_eq!(*line, sql[..range.start].matches('\n').count() + 1);
        }
    }
}

/// That `sql` is one statement in each lexis, whatever follows it.
fn is_one(sql: &str, lexes: &[&Lexis]) {
    for lexis in lexes {
        let text = format!("{sql};\nSELECT 2;");
        let line = sql.matches('\n').count() + 2;
        assert_eq!(
            statements(&text, lexis),
            [(1, sql), (line, "SELECT 2")],
            "{lexis:?}"
        );
    }
}

fn error(sql: &str, lexis: &Lexis) -> String {
    match split(sql, lexis) {
        Ok(pieces) => panic!("{sql} was split into {pieces:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn statements_begin_at_their_first_token() {
    let sql =
        "-- first\n\n/* a; */ SELECT 1 ; ;;\r\n  SELECT -- b;\r\n 2 -- c\n;\nSELECT 3 -- d;\n";
    for lexis in ALL {
        assert_eq!(
            statements(sql, lexis),
            [(3, "SELECT 1"), (4, "SELECT -- b;\r\n 2"), (7, "SELECT 3")]
        );
        assert_eq!(
            statements(" ;\n-- only this; /*\n;/* and this; */", lexis),
            []
        );
        assert_eq!(statements("", lexis), []);
    }
}

#[test]
fn quotes_hide_semicolons() {
    for sql in [
        "SELECT 'a;b''c;'",
        "SELECT 'a\\'",
        "SELECT \"a;\"\"b;\"",
        "SELECT x'00', N'a;', B'1', U&'d\\0061;t' UESCAPE '!'",
        "SELECT '-- no; /* comment'",
        "SELECT 'line\n;\nline'",
        "SELECT 1 - -1 /* ; */ / 2",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO a VALUES (1); DELETE FROM b;)",
        "SELECT 'é;', \"名前;\", größe FROM t",
    ] {
        is_one(sql, &ALL);
    }
}

#[test]
fn postgres_reads_escapes_dollar_quotes_and_nested_comments() {
    for sql in [
        "SELECT E'a\\';b', e'\\\\'",
        "SELECT E'a'\n  'b\\';c'",
        "SELECT E'a' -- ; '\n 'b\\';c'",
        "SELECT name'a\\'",
        "SELECT $$a;'b$$, $_tag1$ ; $$ ; $other$ $_tag1$",
        "SELECT $1, $2",
        "SELECT a$b$c, $1$$;$$",
        "SELECT é$x$é",
        "SELECT $q$ $q $ q$ ; $q$",
        "SELECT /* a /* b; */ c; */ 1",
        "SELECT ARRAY['a;b]', 'c'], a[1]",
        "SELECT 1 -- a; comment\r, 2",
    ] {
        is_one(sql, &[EVERY, POSTGRES]);
    }
    // On one line it is another string, and none with escapes.
    is_one("SELECT E'a' 'b\\'", &[EVERY, POSTGRES]);
}

#[test]
fn sqlite_reads_its_own_names_and_comments() {
    for sql in [
        "SELECT [a;'b], `c;``d`",
        "SELECT /* a /* b; */ 1",
        "SELECT $a, :b, @c, ?1, $$",
        "SELECT 'a\\'",
    ] {
        is_one(sql, &[SQLITE]);
    }
    is_one("SELECT `c;``d`", &[EVERY, SQLITE]);
    assert_eq!(
        statements("SELECT 1 ` ; SELECT `", POSTGRES),
        [(1, "SELECT 1 `"), (1, "SELECT `")]
    );
}

#[test]
fn bodies_of_functions_are_whole() {
    for sql in [
        "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT 1; \
         SELECT CASE WHEN a > 1 THEN 2 ELSE CASE a WHEN 1 THEN 3 END END; END",
        "create or replace procedure p() language sql begin /* ; */ atomic\n\
         INSERT INTO t VALUES (1);\n DELETE FROM t WHERE end_at < now();\nEND",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT t.end AS end FROM t; END",
        "CREATE FUNCTION f() RETURNS void BEGIN ATOMIC END",
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN; RETURN 1; END; $$ LANGUAGE plpgsql",
        "CREATE TRIGGER t BEFORE UPDATE OF begin ON x EXECUTE FUNCTION f()",
        "DO $do$ BEGIN PERFORM 1; END $do$",
    ] {
        is_one(sql, &[EVERY, POSTGRES]);
    }
    assert_eq!(
        statements(
            "CREATE TABLE t (begin atomic); SELECT begin atomic; SELECT 1",
            EVERY
        )
        .len(),
        3
    );
}

#[test]
fn bodies_of_triggers_are_whole() {
    for sql in [
        "CREATE TRIGGER t AFTER UPDATE ON x BEGIN UPDATE x SET a = CASE WHEN 1 THEN 2 END; END",
        "CREATE TEMP TRIGGER IF NOT EXISTS t UPDATE OF begin ON x FOR EACH ROW\n\
         WHEN new.begin > 1 BEGIN -- ; END;\n\
         SELECT new.\"end\", new.end;\n INSERT INTO y VALUES (';'); DELETE FROM z;\nEND",
        "create temporary trigger t instead of insert on v begin with a as (select 1) \
         select * from a; end",
        "CREATE TABLE t (begin text, end text)",
    ] {
        is_one(sql, &[EVERY, SQLITE]);
    }
}

#[test]
fn what_is_not_closed_is_named_with_its_line() {
    for (sql, lexis, expected) in [
        (
            "SELECT 1;\nSELECT 'a;\n",
            EVERY,
            "Line 2: The string that begins here with '",
        ),
        (
            "SELECT 'a''",
            EVERY,
            "Line 1: The string that begins here with '",
        ),
        (
            "SELECT e'\\'",
            EVERY,
            "Line 1: The string that begins here with '",
        ),
        (
            "SELECT e'\\",
            EVERY,
            "Line 1: The string that begins here with '",
        ),
        (
            "\n\"a",
            EVERY,
            "Line 2: The quoted name that begins here with \"",
        ),
        (
            "`a",
            SQLITE,
            "Line 1: The quoted name that begins here with `",
        ),
        (
            "[a",
            SQLITE,
            "Line 1: The quoted name that begins here with [",
        ),
        (
            "/* /* */",
            POSTGRES,
            "Line 1: The comment that begins here with /*",
        ),
        (
            "/* a",
            SQLITE,
            "Line 1: The comment that begins here with /*",
        ),
        (
            "\nSELECT $a$ $b$",
            EVERY,
            "Line 2: The dollar quote that begins here with $a$",
        ),
        (
            "A (\n(); (\n",
            EVERY,
            "Line 1: The parenthesis that is opened here",
        ),
        (
            "CREATE FUNCTION f()\nBEGIN\nATOMIC SELECT 1; SELECT 2 END;",
            POSTGRES,
            "Line 2: The body that begins here with BEGIN ATOMIC has no END.",
        ),
        (
            "CREATE TRIGGER t UPDATE ON x\nBEGIN SELECT 1; SELECT 2 END;",
            SQLITE,
            "Line 2: The body that begins here with BEGIN has no END.",
        ),
    ] {
        let error = error(sql, lexis);
        assert!(error.starts_with(expected), "{sql}: {error}");
    }
}

#[test]
fn commands_of_psql_and_copy_are_refused() {
    for lexis in ALL {
        assert_eq!(
            error("SELECT 1;\n\\connect other\nSELECT 2;", lexis),
            "Line 2: `\\connect` is a command of psql, not SQL."
        );
    }
    let sql = "-- a dump\nCOPY public.t (a, b) FROM stdin WITH (FORMAT csv);\n1\t'\n\\.\n";
    let one_line = sql.replace(";\n", "; ");
    assert!(error(&one_line, POSTGRES).starts_with("Line 2: This COPY needs a client"));
    assert!(error("COPY t FROM STDIN", EVERY).starts_with("Line 1: This COPY needs a client"));
    let endless = sql.replace("\n\\.", "");
    assert!(error(&endless, POSTGRES).starts_with("Line 2: The rows of this COPY are not ended"));
    assert!(error("COPY (SELECT 1) TO STDOUT", EVERY).starts_with("Line 1: This COPY"));
    is_one("COPY t FROM '/tmp/stdin'", &ALL);
    is_one("SELECT copy FROM stdin", &ALL);
}

#[test]
fn rows_of_a_copy_are_the_lines_below_it() {
    let sql = "SELECT 1;\nCOPY t (a, b) FROM STDIN; \r\n1\t'\n2\t;-- x\n\\.\nSELECT 2;\nCOPY t FROM stdin;\n\\.";
    for lexis in ALL {
        let pieces = split(sql, lexis).unwrap();
        covers(sql, &pieces);
        let rows: Vec<&str> = pieces
            .iter()
            .filter(|piece| matches!(piece, Piece::Rows { .. }))
            .map(|piece| Piece::rows(&sql[piece.range()]))
            .collect();
        assert_eq!(rows, ["1\t'\n2\t;-- x\n", ""]);
        assert_eq!(
            statements(sql, lexis),
            [
                (1, "SELECT 1"),
                (2, "COPY t (a, b) FROM STDIN"),
                (6, "SELECT 2"),
                (7, "COPY t FROM stdin")
            ]
        );
    }
}

#[test]
fn transaction_control_is_known_by_its_first_words() {
    for sql in [
        "BEGIN",
        "begin immediate",
        "/* a */ -- b\nStart Transaction",
        "COMMIT AND CHAIN",
        "END",
        "ROLLBACK TO a",
        "ABORT",
        "SAVEPOINT a",
        "RELEASE a",
        "PREPARE TRANSACTION 'a'",
    ] {
        assert!(is_transaction_control(sql, EVERY), "{sql}");
    }
    for sql in [
        "",
        "PREPARE a AS SELECT 1",
        "SELECT 'BEGIN'",
        "\"BEGIN\"",
        "beginning",
        "CREATE TRIGGER t BEGIN SELECT 1; END",
    ] {
        assert!(!is_transaction_control(sql, EVERY), "{sql}");
    }
}

fn lexis() -> impl Strategy<Value = &'static Lexis> {
    prop::sample::select(ALL.to_vec())
}

/// Tokens that open, close, hide and end things, in any order.
fn soup() -> impl Strategy<Value = String> {
    let tokens = [
        ";",
        ";",
        "'",
        "''",
        "\"",
        "`",
        "[",
        "]",
        "$",
        "$$",
        "$a$",
        "$1",
        "a$a$",
        "E'",
        "e'\\'",
        "U&'",
        "--",
        "-- up\n",
        "/*",
        "*/",
        "/",
        "*",
        "(",
        ")",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "BEGIN",
        " ATOMIC ",
        "END",
        "CASE",
        "CREATE ",
        "TRIGGER ",
        "FUNCTION ",
        "OR REPLACE ",
        "TEMP ",
        "SELECT ",
        "COPY ",
        "FROM ",
        "stdin",
        "\\",
        "\\.",
        "1",
        "1.5e3",
        "é",
        "名",
        "\0",
        "x",
    ];
    prop::collection::vec(prop::sample::select(tokens.to_vec()), 0..40)
        .prop_map(|tokens| tokens.concat())
}

/// Parts each of which is closed in itself, so that the text can always be split.
fn whole_parts() -> impl Strategy<Value = Vec<&'static str>> {
    let parts = [
        "SELECT 1",
        "'a;''b'",
        "\"a;\"\"b\"",
        "$$a;'$$",
        "$t$a;$$;$t$",
        "(a; (b;) c)",
        "/* ; /* ; */ */",
        "-- ;'\n",
        "E'\\';'",
        "$1",
        ";",
        ";",
        "\r\n",
        "é",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 0..30)
}

proptest! {
    #[test]
    fn no_byte_is_lost_in_token_soup(sql in soup(), lexis in lexis()) {
        if let Ok(pieces) = split(&sql, lexis) {
            covers(&sql, &pieces);
        }
    }

    #[test]
    fn no_byte_is_lost_in_random_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        lexis in lexis(),
    ) {
        let sql = String::from_utf8_lossy(&bytes);
        if let Ok(pieces) = split(&sql, lexis) {
            covers(&sql, &pieces);
        }
        is_transaction_control(&sql, EVERY);
    }

    #[test]
    fn tokens_lie_end_to_end(sql in soup(), lexis in lexis()) {
        let mut end = 0;
        for (line, token) in Lexer::new(&sql, lexis).lines() {
            prop_assert_eq!(token.start, end);
            prop_assert!(!token.text.is_empty());
            prop_assert_eq!(line, sql[..end].matches('\n').count() + 1);
            end = token.end();
            prop_assert!(token.closed || end == sql.len());
        }
        prop_assert_eq!(end, sql.len());
    }

    #[test]
    fn there_is_a_statement_between_any_two_semicolons(parts in whole_parts()) {
        let expected = parts
            .split(|part| *part == ";")
            .filter(|part| {
                let blank = |part: &&str| part.trim().is_empty() || part.starts_with(['-', '/']);
                !part.iter().all(blank)
            })
            .count();
        let sql = parts.join(" ");
        prop_assert_eq!(statements(&sql, POSTGRES).len(), expected, "{}", sql);
    }

    #[test]
    fn a_statement_by_itself_is_one_statement(sql in soup(), lexis in lexis()) {
        let Ok(pieces) = split(&sql, lexis) else { return Ok(()) };
        for piece in pieces {
            if let Piece::Statement { range, .. } = piece {
                let text = &sql[range];
                prop_assert_eq!(statements(text, lexis), [(1, text)]);
            }
        }
    }
}

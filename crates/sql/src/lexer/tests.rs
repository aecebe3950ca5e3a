use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::lexis::{Parameter, Rules};

const POSTGRES: &Lexis = &crate::POSTGRES.lexis;
const SQLITE: &Lexis = &crate::SQLITE.lexis;
const COMMON: &Lexis = &crate::COMMON;

/// A dialect that no crate knows.
static OTHER: Lexis = Lexis::new(Rules {
    names: &[
        Quotes::of(b'"'),
        Quotes {
            open: b'[',
            close: b']',
            doubled: true,
        },
    ],
    text_prefixes: b"nN",
    nested_comments: true,
    word_signs: b"$",
    word_first_signs: b"#",
    parameters: &[Parameter {
        sign: b'@',
        form: ParameterForm::Name,
    }],
    signs: &["<>", ">="],
    ..Rules::STANDARD
});

fn cut<'a>(sql: &'a str, lexis: &'a Lexis) -> Vec<(Kind, &'a str)> {
    let tokens = Lexer::new(sql, lexis).inspect(|token| assert!(token.closed, "{sql}"));
    let solid = tokens.filter(|token| token.kind != Kind::Space);
    solid.map(|token| (token.kind, token.text)).collect()
}

/// That the whole text is one token of this kind.
fn is_one(sql: &str, kind: Kind, lexes: &[&Lexis]) {
    for lexis in lexes {
        assert_eq!(cut(sql, lexis), [(kind, sql)], "{lexis:?}");
    }
}

#[test]
fn every_dialect_reads_the_standard() {
    for sql in ["'a''b'", "''", "'-- /*'", "'\\'"] {
        is_one(sql, Kind::Text, &[POSTGRES, SQLITE, COMMON, &OTHER]);
    }
    for sql in ["\"a\"\"b\"", "\"'\""] {
        is_one(sql, Kind::Name, &[POSTGRES, SQLITE, COMMON, &OTHER]);
    }
    for sql in ["a", "_a1", "größe", "名前", "a$b"] {
        is_one(sql, Kind::Word, &[POSTGRES, SQLITE, COMMON, &OTHER]);
    }
    for sql in ["1", "1.5", ".5", "1.5e-3", "1e5", "0x1F", "1_000", "1."] {
        is_one(sql, Kind::Number, &[POSTGRES, SQLITE, COMMON, &OTHER]);
    }
    for sql in ["-- it's\t*/", "--", "/* a */", "/**/", "/* -- */", "/*'*/"] {
        is_one(sql, Kind::Comment, &[POSTGRES, SQLITE, COMMON, &OTHER]);
    }
    let cuts = cut("f(a);", POSTGRES);
    let kinds: Vec<Kind> = cuts.into_iter().map(|(kind, _)| kind).collect();
    let expected = [
        Kind::Word,
        Kind::Open,
        Kind::Word,
        Kind::Close,
        Kind::Semicolon,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn texts_of_postgres_have_many_forms() {
    for sql in [
        "E'a\\'b'",
        "e'\\\\'",
        "E'a'\n 'b\\'c'",
        "E'a' -- c\n -- d\r\n'b\\'c'",
        "E'a''\\''",
        "$$a'$b$$",
        "$q$ $$ $q $ q$ $q$",
        "$größe$;$größe$",
        "x'00'",
        "N'a'",
    ] {
        is_one(sql, Kind::Text, &[POSTGRES, COMMON]);
    }
    // On one line, or without a line end outside of a comment, it is another text.
    assert_eq!(cut("E'a' 'b\\'", POSTGRES).len(), 2);
    assert_eq!(cut("name'a\\'", POSTGRES)[0], (Kind::Word, "name"));
    assert_eq!(cut("a$b$c", POSTGRES), [(Kind::Word, "a$b$c")]);
    assert_eq!(
        cut("$1$$;$$", POSTGRES),
        [(Kind::Parameter, "$1"), (Kind::Text, "$$;$$")]
    );
    assert_eq!(cut("1$$;$$", POSTGRES)[1], (Kind::Text, "$$;$$"));
    assert_eq!(
        cut("1FOR 0xaFOR", POSTGRES),
        [
            (Kind::Number, "1"),
            (Kind::Word, "FOR"),
            (Kind::Number, "0xaF"),
            (Kind::Word, "OR"),
        ]
    );
    assert_eq!(cut("$a", POSTGRES), [(Kind::Sign, "$"), (Kind::Word, "a")]);
    assert_eq!(cut("`a`", POSTGRES).len(), 3);
    is_one("`a`", Kind::Name, &[COMMON]);
}

#[test]
fn comments_end_where_the_server_ends_them() {
    let sql = "-- a\rb\n";
    let words = |lexis| cut(sql, lexis).len();
    assert_eq!([words(POSTGRES), words(COMMON), words(SQLITE)], [2, 2, 1]);
    let nested = "/* a /* b */ c */";
    is_one(nested, Kind::Comment, &[POSTGRES, COMMON, &OTHER]);
    assert_eq!(cut(nested, SQLITE).len(), 4);
    assert_eq!(cut("a/*/ b */c", SQLITE).len(), 3);
}

#[test]
fn sqlite_has_names_and_parameters_of_its_own() {
    for sql in ["[a;'b]", "`a``b`", "[a[]"] {
        is_one(sql, Kind::Name, &[SQLITE]);
    }
    let forms = [
        "?", "?12", "$a", ":a", "@a", "#a", "$1", "$a::b", ":a(b;c)", "$a::b(')",
    ];
    for sql in forms {
        is_one(sql, Kind::Parameter, &[SQLITE]);
    }
    assert_eq!(
        cut("a->>'$.b'||x'0f' -1.5e-3<>0x1F+.5", SQLITE),
        [
            (Kind::Word, "a"),
            (Kind::Sign, "->>"),
            (Kind::Text, "'$.b'"),
            (Kind::Sign, "||"),
            (Kind::Text, "x'0f'"),
            (Kind::Sign, "-"),
            (Kind::Number, "1.5e-3"),
            (Kind::Sign, "<>"),
            (Kind::Number, "0x1F"),
            (Kind::Sign, "+"),
            (Kind::Number, ".5"),
        ]
    );
    assert_eq!(cut("[a]]b`c``d`", SQLITE).len(), 4);
    assert_eq!(cut("0x1e+5", SQLITE).len(), 3);
    assert_eq!(cut("$a(b ;", SQLITE)[0], (Kind::Sign, "$a(b"));
    assert_eq!(cut("$ $", SQLITE), [(Kind::Sign, "$"), (Kind::Sign, "$")]);
}

#[test]
fn a_dialect_of_anybodys_is_read_by_its_rules() {
    assert_eq!(
        cut(
            "SELECT [a]]b], #t$.x FROM t WHERE a<>@p1 AND b>=N'c'",
            &OTHER
        ),
        [
            (Kind::Word, "SELECT"),
            (Kind::Name, "[a]]b]"),
            (Kind::Sign, ","),
            (Kind::Word, "#t$"),
            (Kind::Sign, "."),
            (Kind::Word, "x"),
            (Kind::Word, "FROM"),
            (Kind::Word, "t"),
            (Kind::Word, "WHERE"),
            (Kind::Word, "a"),
            (Kind::Sign, "<>"),
            (Kind::Parameter, "@p1"),
            (Kind::Word, "AND"),
            (Kind::Word, "b"),
            (Kind::Sign, ">="),
            (Kind::Text, "N'c'"),
        ]
    );
}

#[test]
fn names_lose_their_quotes() {
    for (sql, lexis, expected) in [
        ("a", POSTGRES, "a"),
        ("\"A b\"", POSTGRES, "A b"),
        ("\"a\"\"\"", POSTGRES, "a\""),
        ("\"a", POSTGRES, "a"),
        ("[c\"]", SQLITE, "c\""),
        ("`d```", SQLITE, "d`"),
        ("[a]]b]", &OTHER, "a]b"),
    ] {
        let token = Lexer::new(sql, lexis).next().unwrap();
        assert_eq!(lexis.name(&token).as_deref(), Some(expected));
    }
    let token = Lexer::new("'a'", SQLITE).next().unwrap();
    assert_eq!(SQLITE.name(&token), None);
}

#[test]
fn what_is_not_closed_reaches_to_the_end() {
    for sql in [
        "'a;''",
        "\"a;",
        "/* a; /* */",
        "$$a;$",
        "$a$;$b$",
        "E'\\'",
        "E'\\",
        "E'a' \n 'b",
    ] {
        let mut tokens = Lexer::new(sql, POSTGRES);
        let token = tokens.next().unwrap();
        assert!(!token.closed && token.text == sql, "{sql}");
        assert_eq!(tokens.next(), None);
    }
    for sql in ["`a;", "[a;", "/* a;", "x'00"] {
        let token = Lexer::new(sql, SQLITE).next().unwrap();
        assert!(!token.closed && token.text == sql, "{sql}");
    }
}

thread_local! {
    /// The bytes that were looked at, each as often as it was.
    pub(super) static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// The steps that it takes to cut a text of this length, made of one part.
fn steps(part: &str, length: usize, lexis: &Lexis) -> usize {
    let sql = part.repeat(length / part.len());
    STEPS.set(0);
    let mut end = 0;
    for token in Lexer::new(&sql, lexis) {
        end = token.end();
        assert!(STEPS.get() <= 5 * (end + 10), "{part:?} in {lexis:?}");
    }
    assert_eq!(end, sql.len());
    STEPS.get()
}

#[test]
fn no_text_takes_more_than_a_few_steps_a_byte() {
    for part in [
        "-- a comment\n",
        "/* a */",
        "/*",
        "/* /* */ */ ",
        "E'a'\n",
        "E'a' -- b\n",
        "$a ",
        "$a$",
        "$1",
        "' ",
        "'' ",
        "[",
        ":a::",
        "::",
        "\\'",
        "--\r",
        "$a(",
        "1.",
        ".5",
        "a",
        "- ",
        "é",
        "E'\\",
    ] {
        for lexis in [POSTGRES, SQLITE, COMMON, &OTHER] {
            let [short, long] = [1_000, 20_000].map(|length| steps(part, length, lexis));
            assert!(long <= 21 * short, "{part:?} in {lexis:?}: {short}, {long}");
        }
    }
}

#[test]
fn ten_megabytes_of_comments_take_ten_times_the_steps_of_one() {
    const MEGABYTE: usize = 1_000_000;
    for part in ["-- a comment\n", "/* a */", "/*", "/* /* */ */ "] {
        let [one, ten] = [1, 10].map(|length| steps(part, length * MEGABYTE, POSTGRES));
        assert!(ten <= 10 * one + 100, "{part:?}: {one} and {ten} steps");
    }
}

#[test]
fn comments_need_no_stack() {
    let sql = ["-- a\n", "/* a */"].concat().repeat(100_000) + &"/*".repeat(1_000_000);
    let small = std::thread::Builder::new().stack_size(64 * 1024);
    let count = move || Lexer::new(&sql, POSTGRES).count();
    assert_eq!(small.spawn(count).unwrap().join().unwrap(), 300_001);
}

fn soup() -> impl Strategy<Value = String> {
    let parts = [
        ";", "'", "''", "\"", "`", "[", "]", "$", "$$", "$a$", "$1", "E'", "e'\\'", "U&'", "x'",
        "--", "/*", "*/", "/", "*", "(", ")", "\n", "\r", " ", "a", "é", "名", "1", "1.", ".5",
        "e", "-", ":", "::", "?", "@", "#", "\\", "\0", "\u{feff}", "\u{a0}",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn tokens_lie_end_to_end_and_cover_the_text(sql in prop_oneof![soup(), ".{0,60}"]) {
        for lexis in [POSTGRES, SQLITE, COMMON, &OTHER] {
            let mut end = 0;
            for token in Lexer::new(&sql, lexis) {
                prop_assert_eq!(token.start, end);
                prop_assert!(!token.text.is_empty());
                end = token.end();
                prop_assert!(token.closed || end == sql.len());
            }
            prop_assert_eq!(end, sql.len());
        }
    }

    #[test]
    fn a_token_by_itself_is_the_same_token(sql in soup()) {
        for lexis in [POSTGRES, SQLITE, COMMON, &OTHER] {
            for token in Lexer::new(&sql, lexis) {
                let mut again = Lexer::new(token.text, lexis);
                let first = again.next().unwrap();
                prop_assert_eq!((first.kind, first.text), (token.kind, token.text));
                prop_assert_eq!(again.next(), None);
            }
        }
    }
}

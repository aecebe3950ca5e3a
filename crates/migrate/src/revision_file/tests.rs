use proptest::prelude::*;
use underpin_core::Class;

use super::*;
use crate::revision::{BranchLabel, RevisionId};

const HEAD: &str = "-- revision: 3f9c\n-- message: m\n";

fn read(text: &str) -> Revision {
    parse("r.sql", text.as_bytes()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// What is said of the text, without the name of the file.
fn refused(text: impl AsRef<[u8]>) -> String {
    let text = text.as_ref();
    let error = match parse("r.sql", text) {
        Ok(revision) => panic!("{:?} gave {revision:?}", String::from_utf8_lossy(text)),
        Err(error) => error,
    };
    assert_eq!(error.class(), Class::Config);
    let error = error.to_string();
    error.strip_prefix("r.sql, ").expect(&error).to_owned()
}

fn ids(ids: &[&str]) -> Vec<RevisionId> {
    ids.iter().map(|id| RevisionId::new(*id).unwrap()).collect()
}

fn section(engine: Option<Engine>, transactional: bool, statements: &[(usize, &str)]) -> Section {
    let statement = |&(line, sql): &(usize, &str)| Statement::new(sql, line);
    Section {
        engine,
        transactional,
        statements: statements.iter().map(statement).collect(),
        read_otherwise: Vec::new(),
    }
}

#[test]
fn the_whole_form() {
    let text = "\
-- A license, say.

-- revision: 3f9c2a1b7d40
-- parents: 91b2, aa_1
-- message: add performance indexes: all of them
-- date: 2026-01-31

-- up postgres no-transaction
-- concurrently; since it is large
CREATE INDEX CONCURRENTLY a ON t (b);
  -- up sqlite
CREATE INDEX c ON t (d)
;
-- down postgres
DROP INDEX a;
-- up sqlite
-- nothing to do
-- up
SELECT
  1; SELECT 2
-- down sqlite
-- down
DROP INDEX c";
    let revision = read(text);
    assert_eq!(revision.id.as_str(), "3f9c2a1b7d40");
    assert_eq!(revision.parents, ids(&["91b2", "aa_1"]));
    assert_eq!(revision.message, "add performance indexes: all of them");
    assert_eq!(revision.origin, Origin::File("r.sql".into()));
    let (postgres, sqlite) = (Some(Engine::POSTGRES), Some(Engine::SQLITE));
    let indexes = [
        (10, "CREATE INDEX CONCURRENTLY a ON t (b)"),
        (12, "CREATE INDEX c ON t (d)"),
    ];
    assert_eq!(
        revision.up,
        Script::Sql(vec![
            section(postgres, false, &indexes),
            section(sqlite, true, &[]),
            section(None, true, &[(19, "SELECT\n  1"), (20, "SELECT 2")]),
        ])
    );
    assert_eq!(
        revision.down,
        Script::Sql(vec![
            section(postgres, true, &[(15, "DROP INDEX a")]),
            section(sqlite, true, &[]),
            section(None, true, &[(23, "DROP INDEX c")]),
        ])
    );
    let sum = Checksum::of(&revision.id, &revision.up, &revision.down);
    assert_eq!(revision.checksum, sum);
}

#[test]
fn headers_in_any_spelling() {
    for (line, parents) in [
        ("", &[] as &[&str]),
        ("-- parents:", &[]),
        ("-- parents: none", &[]),
        ("--PARENTS:a", &["a"]),
        ("  --  Parents :  a  b ,c,", &["a", "b", "c"]),
        ("-- https://example.org/a", &[]),
        ("-- why: not".trim_end_matches(": not"), &[]),
        ("-- two words: no header", &[]),
        ("--", &[]),
    ] {
        let revision = read(&format!("{line}\n{HEAD}--UP\n--  Down  \n"));
        assert_eq!(revision.parents, ids(parents), "{line}");
        assert_eq!(revision.up, Script::Sql(Vec::new()));
        assert_eq!(revision.down, Script::Sql(Vec::new()));
    }
}

#[test]
fn branch_labels_and_dependencies() {
    let revision = read(&format!(
        "{HEAD}-- branch: shop, mail\n-- Depends-On: a b\n-- up\n"
    ));
    let labels: Vec<&str> = revision.branch_labels.iter().map(|l| l.as_str()).collect();
    assert_eq!(labels, ["shop", "mail"]);
    assert_eq!(revision.depends_on, ids(&["a", "b"]));
    for (line, said) in [
        (
            "-- branch: Shop",
            "line 3: `Shop` is not a valid branch label.",
        ),
        ("-- branch: a a", "line 3: The label a appears twice."),
        (
            "-- depends-on: a, a",
            "line 3: The dependency a is named twice.",
        ),
        (
            "-- depends: a",
            "line 3: `depends` is not a header of a revision.",
        ),
    ] {
        let refused = refused(format!("{HEAD}{line}\n-- up\n"));
        assert!(refused.starts_with(said), "{refused}");
    }
    let below = refused(format!("{HEAD}-- up\n-- branch: a\n"));
    assert!(
        below.starts_with("line 4: The header `branch` is below"),
        "{below}"
    );
}

#[test]
fn an_adopted_way_up_says_why_there_is_none() {
    let revision = read(&format!("{HEAD}-- up: adopted: it is Python.\n"));
    let reason = "it is Python.".to_owned();
    assert_eq!(revision.up, Script::Irreversible { reason });
    let said = refused(format!("{HEAD}-- up: adopted:\n"));
    assert!(said.starts_with("line 3: The line does not say why there is no way up."));
    let said = refused(format!("{HEAD}-- up\n-- down: adopted: x\n"));
    assert!(said.starts_with("line 4: A section line has no colon, except for"));
}

#[test]
fn byte_order_marks_and_line_ends_do_not_matter() {
    let text = format!("{HEAD}-- up\nSELECT 1,\n  'a'; -- b\n-- down\nSELECT 2;\n");
    let revision = read(&text);
    let windows = read(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
    assert_eq!(windows.checksum, revision.checksum);
    assert_eq!(windows.id, revision.id);
    let Script::Sql(sections) = windows.up else {
        panic!("{:?}", windows.up);
    };
    assert_eq!(
        sections,
        [section(None, true, &[(4, "SELECT 1,\r\n  'a'")])]
    );
}

#[test]
fn code_and_ways_of_no_return() {
    let irreversible = |reason: &str| Script::Irreversible {
        reason: reason.to_owned(),
    };
    let revision = read(&format!("{HEAD}-- up code\n-- a comment\n"));
    assert_eq!(revision.up, Script::Code);
    assert_eq!(
        revision.down,
        irreversible("The file has no section `-- down`.")
    );
    let revision = read(&format!(
        "{HEAD}-- up\nDROP TABLE t;\n-- down: Irreversible: the rows are gone.\n"
    ));
    assert_eq!(revision.down, irreversible("the rows are gone."));
    let revision = read(&format!("{HEAD}-- up\n-- down code\n"));
    assert_eq!(revision.down, Script::Code);
    for (tail, line) in [
        ("-- up code\nSELECT 1;", 4),
        ("-- up code\n-- up sqlite\nSELECT 1;", 4),
        ("-- up\nSELECT 1;\n-- up code", 3),
        ("-- up\n-- down: irreversible: x\n-- down\n", 5),
        ("-- up\n-- down: irreversible: x\n\nSELECT 1;\n", 6),
        ("-- up code\n-- up code", 4),
    ] {
        let expected =
            format!("line {line}: A way that is Rust code or irreversible has one section line");
        let said = refused(format!("{HEAD}{tail}"));
        assert!(said.starts_with(&expected), "{tail}: {said}");
    }
}

#[test]
fn comments_are_no_section_lines() {
    for comment in [
        "-- up to here it was easy",
        "-- down there is more",
        "-- update",
        "-- up-to-date",
        "-- up, then down",
        "-- downs",
        "  -- down",
        "\t-- up sqlite",
        "/* -- down */",
        "-- the way up",
    ] {
        let revision = read(&format!("{HEAD}-- up\n{comment}\nSELECT 1;\n{comment}"));
        let expected = section(None, true, &[(5, "SELECT 1")]);
        assert_eq!(revision.up, Script::Sql(vec![expected]), "{comment}");
    }
}

#[test]
fn what_only_looks_like_a_section_line_is_refused() {
    let unknown = "is not known on a section line";
    for (line, expected) in [
        ("-- up postgre", unknown),
        ("-- up mysql", unknown),
        ("-- down no_transaction", unknown),
        ("-- down sqlite no-transacton", unknown),
        ("-- down for sqlite", unknown),
        ("-- down then", unknown),
        ("-- down irreversible: it is gone", unknown),
        ("-- down:", "A section line has no colon"),
        ("-- down: sqlite", "A section line has no colon"),
        ("-- down: irreversable: x", "A section line has no colon"),
        ("-- down: irreversible", "The line does not say why"),
        ("-- up: irreversible: x", "Only the way down"),
        (
            "-- up postgres sqlite",
            "The section line names two engines.",
        ),
        (
            "-- up no-transaction no-transaction",
            "has `no-transaction` twice",
        ),
        ("-- up code sqlite", "`code` must be alone"),
        ("-- up sqlite code", "`code` must be alone"),
        (
            "---- down ----",
            "looks like a section line, but is not one",
        ),
        ("-- down;", "looks like a section line, but is not one"),
        ("-- === UP ===", "looks like a section line, but is not one"),
    ] {
        let said = refused(format!("{HEAD}-- up\nSELECT 1;\n{line}\nSELECT 2;\n"));
        assert!(said.starts_with("line 5: "), "{line}: {said}");
        assert!(said.contains(expected), "{line}: {said}");
    }
    assert_eq!(
        refused(format!("{HEAD}-- up sqlit\n")),
        "line 3: `sqlit` is not known on a section line `-- up`. The nearest known is `sqlite`; \
         indent a comment."
    );
}

#[test]
fn a_head_that_is_wrong_is_refused() {
    for (text, expected) in [
        (
            "-- revison: a\n-- message: m\n-- up\n",
            "line 1: `revison` is not a header of a revision. The nearest known header is `revision`;",
        ),
        (
            "-- message: m\n-- up\n",
            "line 1: The file has no header `-- revision:`.",
        ),
        (
            "-- revision: a\n-- up\n",
            "line 1: The file has no header `-- message:`.",
        ),
        ("", "line 1: The file has no header `-- revision:`."),
        (
            "-- revision: a\n-- message: m\n",
            "line 1: The file has no section line `-- up`.",
        ),
        (
            "-- revision: a\n-- message: m\n-- down\nSELECT 1;",
            "line 1: The file has no section line `-- up`.",
        ),
        (
            "-- revision: a\n-- message:\n-- up\n",
            "line 2: The message is empty.",
        ),
        ("-- revision:\n", "line 1: The header names no revision."),
        (
            "-- revision: 3F9C\n",
            "line 1: `3F9C` is not a valid revision id. An id has",
        ),
        (
            "-- revision: a-b\n",
            "line 1: `a-b` is not a valid revision id.",
        ),
        (
            "-- parents: a, B\n",
            "line 1: `B` is not a valid revision id.",
        ),
        (
            "-- parents: a none\n-- parents:",
            "line 2: The header `parents` appears twice.",
        ),
        (
            "-- parents: a, b a\n",
            "line 1: The parent a is named twice.",
        ),
        (
            "-- revision: a\n\n-- Revision: a\n",
            "line 3: The header `Revision` appears twice.",
        ),
        (
            "-- message: a\n-- message: a\n",
            "line 2: The header `message` appears twice.",
        ),
        (
            "-- revision: a\nSELECT 1;\n-- up",
            "line 2: There is text above the first section",
        ),
        (
            "/* a license */\n",
            "line 1: There is text above the first section line.",
        ),
        (
            "-- revision: a\n-- message: m\n-- up\n-- revision: b\n",
            "line 4: The header `revision` is below a section line.",
        ),
        (
            "-- revision: a\n-- message: m\n-- up\nSELECT 1;\n--parents:\n",
            "line 5: The header `parents` is below a section line.",
        ),
    ] {
        let said = refused(text);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
}

#[test]
fn what_is_no_text_is_refused_with_its_line() {
    let wrong = |tail: &[u8]| refused([HEAD.as_bytes(), b"-- up\nSELECT 1;\n", tail].concat());
    let expected = "line 5: The line contains a NUL byte. Save the file as UTF-8.";
    assert_eq!(wrong(b"-- \0\n"), expected);
    let expected = "line 6: The line is not valid UTF-8. Save the file as UTF-8.";
    assert_eq!(wrong(b"\n'gr\xf6\xdfer'"), expected);
}

#[test]
fn a_copy_has_its_rows() {
    let text = "-- up\nSELECT 1;\nCOPY t FROM stdin;\n1\tit's; -- x\n\\.\nSELECT 2;\n";
    let revision = read(&format!("{HEAD}{text}"));
    let Script::Sql(sections) = &revision.up else {
        panic!("{:?}", revision.up);
    };
    let statements = &sections[0].statements;
    let told: Vec<_> = statements
        .iter()
        .map(|one| (one.line, one.sql.as_str(), one.rows.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (4, "SELECT 1", None),
            (5, "COPY t FROM stdin", Some("1\tit's; -- x\n")),
            (8, "SELECT 2", None),
        ]
    );
    let other = read(&format!("{HEAD}{}", text.replace("1\tit's", "2\tit's")));
    assert_ne!(other.checksum, revision.checksum);
}

#[test]
fn sql_that_is_wrong_is_refused_with_its_line() {
    for (tail, expected) in [
        (
            "-- up\n\nSELECT 'a;\n-- down\n",
            "line 5: The string that begins here with ' is not closed.",
        ),
        (
            "-- up sqlite\nSELECT 1;\n-- down sqlite\n\nSELECT [a;\n",
            "line 7: The quoted name that begins here with [ is not closed.",
        ),
        (
            "-- up\nSELECT 1;\n\\connect other\n",
            "line 5: `\\connect` is a command of psql, not SQL. Only psql itself",
        ),
        (
            "-- up\nCOPY t TO stdout;\n",
            "line 4: This COPY needs a client",
        ),
        (
            "-- up\nCOPY t FROM stdin;\n1\n",
            "line 4: The rows of this COPY are not ended by a line `\\.`. Write a line with",
        ),
        (
            "-- up\nSELECT 1;\n-- down\n begin;SELECT 1; COMMIT;\n",
            "line 6: BEGIN is not allowed here: the runner itself begins and ends the transaction \
             of the section. Leave it out, or begin a section with `-- down no-transaction`.",
        ),
    ] {
        let said = refused(format!("{HEAD}{tail}"));
        assert!(said.starts_with(expected), "{tail}: {said}");
    }
    read(&format!(
        "{HEAD}-- up no-transaction\nBEGIN; SELECT 1; COMMIT;\n"
    ));
}

fn new_revision() -> NewRevision {
    NewRevision {
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        id: RevisionId::new("3f9c2a1b7d40").unwrap(),
        parents: ids(&["a", "b"]),
        message: "add {up}\n-- down  indexes".into(),
        date: "2026-01-31".into(),
        up: NewScript::of("CREATE INDEX i ON t (a); -- {id}\n"),
        down: NewScript::of("DROP INDEX i;"),
    }
}

#[test]
fn the_template_is_filled() {
    let text = render(TEMPLATE, &new_revision()).unwrap();
    assert_eq!(
        text,
        "-- revision: 3f9c2a1b7d40\n-- parents: a, b\n-- message: add {up} -- down indexes\n\
         -- date: 2026-01-31\n\n-- up\nCREATE INDEX i ON t (a); -- {id}\n\n-- down\n\
         DROP INDEX i;\n"
    );
    let branch = NewRevision {
        depends_on: ids(&["c"]),
        branch_labels: vec![BranchLabel::new("shop").unwrap()],
        ..new_revision()
    };
    let text = render(TEMPLATE, &branch).unwrap();
    assert!(text.contains("-- parents: a, b\n-- branch: shop\n-- depends-on: c\n-- message:"));
    let base = NewRevision {
        parents: Vec::new(),
        ..new_revision()
    };
    assert!(
        render(TEMPLATE, &base)
            .unwrap()
            .contains("-- parents: none\n")
    );
}

#[test]
fn a_template_that_would_lose_something_is_refused() {
    let refused = |template: &str, revision: &NewRevision| {
        render(template, revision).unwrap_err().to_string()
    };
    for (place, expected) in [
        ("{id}", "does not set the revision's revision."),
        ("{parents}", "does not set the revision's parents."),
        ("{message}", "does not set the revision's message."),
        ("{up}", "`{up}`"),
        ("{down}", "`{down}`"),
    ] {
        let other = if place.len() > 6 { "none" } else { "other" };
        let said = refused(&TEMPLATE.replace(place, other), &new_revision());
        assert!(said.contains(expected), "{place}: {said}");
    }
    let strays = NewRevision {
        up: NewScript::of("SELECT 1;\n-- down\nDROP TABLE t;"),
        ..new_revision()
    };
    assert_eq!(
        refused(TEMPLATE, &strays),
        "The SQL of the new revision, line 2: The line would begin another section."
    );
}

fn to_write(engine: Option<Engine>, transactional: bool, sql: &str) -> NewSection {
    NewSection {
        engine,
        transactional,
        sql: sql.into(),
    }
}

#[test]
fn sections_of_their_own_stand_in_the_place_of_the_templates() {
    let revision = NewRevision {
        up: NewScript::Sql(vec![
            to_write(Some(Engine::POSTGRES), false, "ALTER TYPE t ADD VALUE 'a';"),
            to_write(Some(Engine::POSTGRES), true, "SELECT 1;\n"),
            to_write(Some(Engine::SQLITE), true, "SELECT 2;"),
        ]),
        down: NewScript::Irreversible {
            reason: "A label stays.".into(),
        },
        ..new_revision()
    };
    let text = render(TEMPLATE, &revision).unwrap();
    let sections = &text[text.find("-- up").unwrap()..];
    assert_eq!(
        sections,
        "-- up postgres no-transaction\nALTER TYPE t ADD VALUE 'a';\n\n-- up postgres\nSELECT 1;\n\n\
         -- up sqlite\nSELECT 2;\n\n-- down: irreversible: A label stays.\n"
    );
    // What a team has written before the place stays, in a section of its own.
    let own = TEMPLATE.replace("-- up\n", "-- up\nSET x = 1;\n");
    let text = render(&own, &revision).unwrap();
    assert!(
        text.contains("-- up\nSET x = 1;\n-- up postgres no-transaction\nALTER"),
        "{text}"
    );
    let commented = TEMPLATE.replace("{up}", "/* {up} */");
    let said = render(&commented, &new_revision()).unwrap_err().to_string();
    assert!(
        said.contains("does not contain the SQL of the revision unchanged."),
        "{said}"
    );
}

#[test]
fn a_section_for_all_engines_is_cut_as_each_engine_reads_it() {
    let sql = "SELECT 1 AS [a;b];\nSELECT 2";
    let revision = read(&format!("{HEAD}-- up\n{sql};\n"));
    let Script::Sql(sections) = &revision.up else {
        panic!("{:?}", revision.up)
    };
    let on = |engine| -> Vec<&str> {
        let statements = sections[0].statements_on(engine).iter();
        statements.map(|statement| statement.sql.as_str()).collect()
    };
    assert_eq!(on(Engine::SQLITE), ["SELECT 1 AS [a;b]", "SELECT 2"]);
    assert_eq!(on(Engine::POSTGRES), ["SELECT 1 AS [a", "b]", "SELECT 2"]);
    // The text is what the checksum is of, whatever engines there are.
    let usual = sections[0].statements.len();
    assert_eq!(usual, 3);
}

fn begins_no_section(line: &str) -> bool {
    let place = SourceLine {
        name: "The test",
        line: 1,
    };
    matches!(section_line::read(&place, line), Ok(None))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        id in "[a-z0-9_]{1,64}",
        parents in prop::collection::hash_set("[a-z0-9_]{1,64}", 0..4),
        message in "\\PC*[a-z]\\PC*",
        statements in prop::collection::vec("[a-z]{1,5} '[a-z;\n-]*' \\$\\$[{}a-z]*\\$\\$", 0..4),
    ) {
        prop_assume!(!parents.contains("none"));
        let parents: Vec<_> = parents.into_iter().filter_map(RevisionId::new).collect();
        let sql = statements.join(";\n");
        prop_assume!(sql.lines().all(begins_no_section));
        let revision = NewRevision {
            id: RevisionId::new(id).unwrap(),
            depends_on: parents.iter().rev().cloned().collect(),
            branch_labels: parents.iter().filter_map(|p| BranchLabel::new(p.as_str())).collect(),
            parents,
            message,
            date: String::new(),
            up: NewScript::of(sql.clone()),
            down: NewScript::of(sql),
        };
        let text = render(TEMPLATE, &revision).unwrap();
        let read = read(&text);
        prop_assert_eq!(&read.id, &revision.id);
        prop_assert_eq!(&read.parents, &revision.parents);
        prop_assert_eq!(&read.depends_on, &revision.depends_on);
        prop_assert_eq!(&read.branch_labels, &revision.branch_labels);
        let message: Vec<_> = revision.message.split_whitespace().collect();
        prop_assert_eq!(read.message, message.join(" "));
        for script in [&read.up, &read.down] {
            let Script::Sql(sections) = script else { panic!("{script:?}") };
            let read: Vec<_> = sections
                .iter()
                .flat_map(|section| &section.statements)
                .map(|statement| statement.sql.as_str())
                .collect();
            prop_assert_eq!(read, statements.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse("r.sql", &bytes);
        let _ = parse("r.sql", &[HEAD.as_bytes(), b"-- up\n", &bytes[..]].concat());
    }

    #[test]
    fn no_lines_make_it_panic_and_each_statement_is_where_it_says(
        lines in prop::collection::vec(prop::sample::select(vec![
            "-- revision: a", "-- parents: b", "-- message: c", "-- up", "-- down", "-- up code",
            "-- up sqlite", "-- down: irreversible: x", "-- up no-transaction", "SELECT 1;", "",
            "SELECT 'a", "b';", "/*", "*/", "-- up x", "-- down:", "BEGIN;", "-- é",
        ]), 0..16),
        end in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let text = [vec!["-- revision: r", "-- message: m"], lines].concat().join(end);
        if let Ok(revision) = parse("r.sql", text.as_bytes()) {
            for script in [&revision.up, &revision.down] {
                let Script::Sql(sections) = script else { continue };
                for statement in sections.iter().flat_map(|section| &section.statements) {
                    let from: Vec<_> = text.split('\n').skip(statement.line - 1).collect();
                    prop_assert!(from.join("\n").starts_with(&statement.sql));
                }
            }
        }
    }
}

use underpin_core::Class;

use super::*;
use crate::revision::Script;

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    let source = |(name, text): &(&str, &str)| Source {
        name: (*name).to_owned(),
        path: format!("m/{name}"),
        text: (*text).to_owned(),
    };
    files.iter().map(source).collect()
}

/// A row: the version, the name, the checksum and the kind, where the tool has them.
fn record(version: &str, name: &str, checksum: &str, kind: &str) -> Record {
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Record {
        version: filled(version),
        name: filled(name),
        checksum: filled(checksum),
        kind: filled(kind),
        sound: true,
        applied_at: None,
    }
}

fn versions(versions: &[&str]) -> Vec<Record> {
    versions
        .iter()
        .map(|version| record(version, "", "", ""))
        .collect()
}

fn converted(tool: Tool, files: &[(&str, &str)], records: &[Record]) -> Result<Conversion> {
    let adoption = Adoption::new(tool, "m", "revisions");
    convert(&adoption, &sources(files), &[], records, Engine::POSTGRES)
}

fn refusal(tool: Tool, files: &[(&str, &str)], records: &[Record]) -> String {
    let error = converted(tool, files, records).unwrap_err();
    assert_eq!(error.class(), Class::Config);
    assert!(
        error.hint().is_some() || error.message().contains("same version"),
        "{error}"
    );
    error.message().to_owned()
}

fn applied(conversion: &Conversion) -> String {
    let ids: Vec<&str> = conversion.applied.iter().map(RevisionId::as_str).collect();
    ids.join(" ")
}

/// Each revision with its parents behind it.
fn graph(conversion: &Conversion) -> Vec<String> {
    let revisions = conversion.revisions.iter();
    revisions
        .map(|(revision, _)| format!("{}:{:?}", revision.id, revision.parents))
        .collect()
}

fn statements(script: &Script) -> Vec<(bool, &str)> {
    let Script::Sql(sections) = script else {
        return Vec::new();
    };
    let sections = sections.iter();
    sections
        .flat_map(|section| {
            section
                .statements
                .iter()
                .map(|s| (section.transactional, s.sql.as_str()))
        })
        .collect()
}

const GOLANG: [(&str, &str); 5] = [
    ("000001_users.up.sql", "CREATE TABLE users (id int);\n"),
    ("000001_users.down.sql", "DROP TABLE users;\n"),
    (
        "000002_add-mails.up.sql",
        "BEGIN;\nCREATE TABLE mails (id int);\nCOMMIT;\n",
    ),
    (
        "000010_index.up.sql",
        "CREATE INDEX CONCURRENTLY i ON users (id)",
    ),
    ("README.sql", "not one of them"),
];

#[test]
fn golang_migrate_has_applied_all_up_to_its_version() {
    let of = |records: &[Record]| converted(Tool::GolangMigrate, &GOLANG, records).unwrap();
    let conversion = of(&versions(&["2"]));
    assert_eq!(applied(&conversion), "000001 000002");
    assert_eq!(
        graph(&conversion),
        ["000001:[]", "000002:[000001]", "000010:[000002]"]
    );
    assert_eq!(applied(&of(&[])), "");
    assert_eq!(
        conversion.revisions[1].1,
        "-- revision: 000002\n-- parents: 000001\n-- message: add mails\n\
         -- Adopted from golang-migrate: 000002_add-mails.up.sql\n\n-- up\n\
         CREATE TABLE mails (id int);\n\n\
         -- down: irreversible: golang-migrate had no way down for it.\n"
    );
    let (index, _) = &conversion.revisions[2];
    assert_eq!(
        statements(&index.up),
        [(false, "CREATE INDEX CONCURRENTLY i ON users (id)")]
    );
}

#[test]
fn a_dirty_version_is_refused() {
    let mut dirty = versions(&["2"]);
    dirty[0].sound = false;
    let said = refusal(Tool::GolangMigrate, &GOLANG, &dirty);
    assert_eq!(
        said,
        "The database's table of golang-migrate says that the migration 2 failed half-way."
    );
    let said = refusal(Tool::GolangMigrate, &GOLANG, &versions(&["3"]));
    assert!(
        said.ends_with("records the migration 3, but there is no file for it."),
        "{said}"
    );
    let said = refusal(Tool::GolangMigrate, &GOLANG, &versions(&["1", "2"]));
    assert!(said.contains("has 2 rows"), "{said}");
}

#[test]
fn what_two_files_claim_is_refused() {
    for (tool, one, other) in [
        (Tool::Sqlx, "1_a.sql", "1_b.sql"),
        (Tool::Refinery, "V1__a.sql", "U1__b.sql"),
        (Tool::Flyway, "V1.0__a.sql", "V1__b.sql"),
        (Tool::GolangMigrate, "1_a.up.sql", "01_b.up.sql"),
    ] {
        let said = refusal(tool, &[(one, "SELECT 1"), (other, "SELECT 1")], &[]);
        assert!(
            said.contains(&format!("m/{one} has the same version.")),
            "{said}"
        );
    }
    let said = refusal(Tool::Diesel, &[("1_a/up.sql", ""), ("1_b/up.sql", "")], &[]);
    assert_eq!(said, "The directories 1_a and 1_b have the same version.");
}

#[test]
fn an_empty_directory_is_named() {
    for tool in Tool::ALL {
        let said = refusal(tool, &[("notes.sql", "SELECT 1")], &[]);
        assert_eq!(said, format!("There are no migrations of {tool} in m."));
    }
}

#[test]
fn a_file_that_changed_since_it_was_applied_is_refused() {
    for (tool, file, version) in [
        (Tool::Sqlx, "1_a.sql", "1"),
        (Tool::Refinery, "V1__a.sql", "1"),
        (Tool::Flyway, "V1__a.sql", "1"),
    ] {
        let said = refusal(
            tool,
            &[(file, "SELECT 1")],
            &[record(version, "", "7", "SQL")],
        );
        let expected = format!(
            "m/{file} has changed since {tool} applied it: its checksum is not the recorded one."
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn diesel_may_run_a_migration_outside_a_transaction() {
    let files = [
        (
            "2026-01-02-030405_create_users/up.sql",
            "CREATE TABLE users (id int);",
        ),
        (
            "2026-01-02-030405_create_users/down.sql",
            "DROP TABLE users;",
        ),
        (
            "2026-01-02-030405_create_users/metadata.toml",
            "run_in_transaction = false # so\n",
        ),
        ("empty/notes.txt.sql", ""),
    ];
    let conversion = converted(Tool::Diesel, &files, &versions(&["20260102030405"])).unwrap();
    assert_eq!(applied(&conversion), "20260102030405");
    let (revision, _) = &conversion.revisions[0];
    assert_eq!(revision.message, "create users");
    assert_eq!(
        statements(&revision.up),
        [(false, "CREATE TABLE users (id int)")]
    );
    assert_eq!(statements(&revision.down), [(false, "DROP TABLE users")]);
}

#[test]
fn what_cannot_be_carried_over_is_named_and_stops_no_other() {
    let files = [
        ("V1__a.rs", "pub fn migration() -> String"),
        ("V2__b.sql", "SELECT 1;\nSAVEPOINT s;"),
        ("V3__c.sql", "SELECT '\n-- down\n';"),
        ("V4__d.sql", "SELECT 4;"),
    ];
    let conversion = converted(Tool::Refinery, &files, &[]).unwrap();
    assert_eq!(graph(&conversion), ["1:[]", "2:[1]", "3:[2]", "4:[3]"]);
    let told = [
        "m/V1__a.rs is Rust code, which cannot be adopted. The revision `1` is adopted without its \
         way up.",
        "m/V2__b.sql, line 2: SAVEPOINT cannot be adopted: a revision cannot contain it. The revision \
         `2` is adopted without its way up.",
        "m/V3__c.sql, line 2: The line is part of a string, but would begin a section in the file of \
         a revision. The revision `3` is adopted without its way up.",
    ];
    assert_eq!(conversion.notes, told);
    for (revision, _) in &conversion.revisions[..3] {
        assert!(matches!(revision.up, Script::Irreversible { .. }));
    }
    let (last, _) = &conversion.revisions[3];
    assert_eq!(statements(&last.up), [(true, "SELECT 4")]);
}

#[test]
fn a_statement_about_the_tools_own_table_is_named() {
    let files = [
        (
            "1_a.up.sql",
            "CREATE TABLE t (a int);\nALTER TABLE schema_migrations ADD COLUMN b int;",
        ),
        ("1_a.down.sql", "DROP TABLE t;"),
    ];
    let conversion = converted(Tool::GolangMigrate, &files, &[]).unwrap();
    let [note] = &conversion.notes[..] else {
        panic!("{:?}", conversion.notes);
    };
    assert!(
        note.starts_with("1_a.up.sql, line 2: `ALTER TABLE schema_migrations"),
        "{note}"
    );
}

const FLYWAY: [(&str, &str); 6] = [
    ("V1__users.sql", "CREATE TABLE users (id int);\n"),
    ("V1.1__mails.sql", "CREATE TABLE ${prefix}mails (id int);\n"),
    ("U1.1__mails.sql", "DROP TABLE mails;\n"),
    ("later/V1.10__last.sql", "SELECT 10;\n"),
    ("V1.9__before.sql", "SELECT 9;\n"),
    ("R__views.sql", "CREATE VIEW v AS SELECT 1;\n"),
];

#[test]
fn statements_about_the_tools_own_table_are_left_out_where_that_is_asked_for() {
    let files = [(
        "1_a.up.sql",
        "CREATE TABLE t (a int);\nALTER TABLE schema_migrations ADD COLUMN b int;\n\
         INSERT INTO t VALUES (1);\n",
    )];
    let adoption = Adoption {
        without_own_table: true,
        ..Adoption::new(Tool::GolangMigrate, "m", "revisions")
    };
    let all = sources(&files);
    let conversion = convert(&adoption, &all, &[], &versions(&["1"]), Engine::POSTGRES).unwrap();
    assert_eq!(
        statements(&conversion.revisions[0].0.up),
        [
            (true, "CREATE TABLE t (a int)"),
            (true, "INSERT INTO t VALUES (1)")
        ]
    );
    assert_eq!(
        conversion.notes,
        [
            "1_a.up.sql, line 2: `ALTER TABLE schema_migrations ADD COLUMN b int` was left out, \
             since the table schema_migrations is golang-migrate's own.",
        ]
    );
}

#[test]
fn flyway_orders_by_numbers_and_repeatables_come_last() {
    let rows = [
        record("", "<< Flyway Schema Creation >>", "", "SCHEMA"),
        record("1", "V1__users.sql", "", "SQL"),
        record("1.1", "V1.1__mails.sql", "", "SQL"),
        record("", "R__views.sql", "1", "SQL"),
        record("1.1", "U1.1__mails.sql", "", "UNDO_SQL"),
    ];
    let conversion = converted(Tool::Flyway, &FLYWAY, &rows).unwrap();
    assert_eq!(
        graph(&conversion),
        ["1:[]", "1_1:[1]", "1_9:[1_1]", "1_10:[1_9]", "r_views:[]"]
    );
    assert_eq!(
        applied(&conversion),
        "1",
        "1.1 was undone, and the view has changed since"
    );
    assert_eq!(
        statements(&conversion.revisions[1].0.down),
        [(true, "DROP TABLE mails")]
    );
    assert_eq!(
        conversion.notes,
        [
            "m/V1.1__mails.sql, line 1: The placeholder ${prefix} is unchanged in the revision; \
             replace it with its value before a new database is created.",
        ]
    );
}

#[test]
fn a_baseline_of_flyway_stands_for_all_below_it() {
    let rows = [record("1.9", "<< Flyway Baseline >>", "", "BASELINE")];
    let conversion = converted(Tool::Flyway, &FLYWAY, &rows).unwrap();
    assert_eq!(applied(&conversion), "1 1_1 1_9");
    let missing = [record("2", "V2__gone.sql", "", "SQL")];
    let said = refusal(Tool::Flyway, &FLYWAY, &missing);
    assert!(
        said.ends_with("records the migration 2, but there is no file for it."),
        "{said}"
    );
    let code = [
        record("1", "V1__users.sql", "", "SQL"),
        record("1.2", "db.migration.V1_2__Fill_in", "", "JDBC"),
        record("2", "db.migration.V2__Code", "", "JDBC"),
    ];
    let conversion = converted(Tool::Flyway, &FLYWAY, &code).unwrap();
    assert_eq!(
        graph(&conversion),
        [
            "1:[]",
            "1_1:[1]",
            "1_2:[1_1]",
            "1_9:[1_2]",
            "1_10:[1_9]",
            "2:[1_10]",
            "r_views:[]"
        ]
    );
    assert_eq!(applied(&conversion), "1 1_2 2");
    let (filled, _) = &conversion.revisions[2];
    assert_eq!(filled.message, "Fill in");
    assert!(matches!(filled.up, Script::Irreversible { .. }));
    let named = "db.migration.V1_2__Fill_in is a program of Flyway's, which cannot be adopted. \
        The revision `1_2` is adopted without its way up.";
    assert!(
        conversion.notes.iter().any(|note| note == named),
        "{:?}",
        conversion.notes
    );
    let callback = [("V1__a.sql", "SELECT 1"), ("afterMigrate.sql", "SELECT 2")];
    let conversion = converted(Tool::Flyway, &callback, &[]).unwrap();
    assert!(
        conversion.notes[0].starts_with("m/afterMigrate.sql was left out"),
        "{:?}",
        conversion.notes
    );
    let mut failed = [record("1", "V1__users.sql", "", "SQL")];
    failed[0].sound = false;
    assert!(refusal(Tool::Flyway, &FLYWAY, &failed).contains("migration 1 failed half-way"));
}

const ALEMBIC: [(&str, &str); 4] = [
    (
        "a_base.py",
        "\"\"\"base\n\nRevision ID: A-1\n\"\"\"\nrevision = 'A-1'\ndown_revision = None\n",
    ),
    (
        "b.py",
        "'''users'''\nrevision: str = 'b2'\ndown_revision: str = 'A-1'\nbranch_labels = ('Shop',)\n",
    ),
    (
        "c.py",
        "revision = 'c3'\ndown_revision = 'A-1'\ndepends_on = 'Shop'\n",
    ),
    ("env_like.py", "x = 1\n"),
];

const UP: &str = "\
BEGIN;

CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);

-- Running upgrade  -> A-1

CREATE TABLE a (id int);

INSERT INTO alembic_version (version_num) VALUES ('A-1') RETURNING x;

-- Running upgrade A-1 -> b2

COMMIT;

CREATE INDEX CONCURRENTLY i ON a (id);

BEGIN;

UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'A-1';

-- Running upgrade A-1 -> c3

INSERT INTO alembic_version (version_num) VALUES ('c3');

COMMIT;
";

fn of_alembic(sql: &[&str], without_sql: bool, records: &[&str]) -> Result<Conversion> {
    let mut adoption = Adoption::new(Tool::Alembic, "m", "revisions");
    adoption.without_sql = without_sql;
    let sql: Vec<(&str, &str)> = sql.iter().map(|text| ("alembic.sql", *text)).collect();
    convert(
        &adoption,
        &sources(&ALEMBIC),
        &sources(&sql),
        &versions(records),
        Engine::POSTGRES,
    )
}

#[test]
fn the_graph_of_alembic_is_kept_with_the_sql_that_it_printed() {
    let down = "-- Running downgrade c3 -> A-1\n\nDROP TABLE x;\n";
    let conversion = of_alembic(&[UP, UP, down], false, &["c3"]).unwrap();
    assert_eq!(graph(&conversion), ["a_1:[]", "b2:[a_1]", "c3:[a_1]"]);
    assert_eq!(applied(&conversion), "a_1 b2 c3", "c3 depends on b2");
    let revision = |index: usize| &conversion.revisions[index].0;
    assert_eq!(
        statements(&revision(0).up),
        [(true, "CREATE TABLE a (id int)")]
    );
    assert_eq!(
        statements(&revision(1).up),
        [(false, "CREATE INDEX CONCURRENTLY i ON a (id)")]
    );
    assert_eq!(statements(&revision(2).up), []);
    assert_eq!(statements(&revision(2).down), [(true, "DROP TABLE x")]);
    assert!(matches!(revision(0).down, Script::Irreversible { .. }));
    assert_eq!(revision(1).branch_labels[0].as_str(), "shop");
    assert_eq!(revision(2).depends_on[0].as_str(), "b2");
    assert_eq!(revision(0).message, "base");
    assert_eq!(
        conversion.notes,
        [
            "The revision \"A-1\" is called `a_1` here.",
            "The branch \"Shop\" is called `shop` here.",
        ]
    );
}

#[test]
fn alembic_without_sql_is_a_choice_and_never_silent() {
    let refused = |sql: &[&str], without: bool, records: &[&str]| {
        let error = of_alembic(sql, without, records).unwrap_err();
        assert!(error.hint().unwrap().contains("--sql"), "{error}");
        error.message().to_owned()
    };
    let said = refused(&[], false, &["b2"]);
    assert!(
        said.ends_with("there is no SQL for them: `a_1`, `b2`, `c3`."),
        "{said}"
    );
    let part = UP.split("-- Running upgrade A-1 -> c3").next().unwrap();
    let said = refused(&[part], false, &["b2"]);
    assert_eq!(
        said,
        "The given SQL does not contain these revisions: `c3`."
    );
    let said = refused(&[], true, &["b2"]);
    assert_eq!(
        said,
        "The revision `c3` is not applied here, and it cannot be applied without its SQL."
    );

    let conversion = of_alembic(&[], true, &["b2", "c3"]).unwrap();
    let (first, text) = &conversion.revisions[0];
    assert!(
        text.contains("\n-- up: adopted: its way up is the Python of a_base.py.\n"),
        "{text}"
    );
    assert!(matches!(first.up, Script::Irreversible { .. }));
    assert!(
        conversion
            .notes
            .last()
            .unwrap()
            .contains("3 of 3 revisions have no way up here")
    );
}

#[test]
fn what_alembic_computes_or_prints_elsewhere_is_named() {
    let adoption = Adoption::new(Tool::Alembic, "m", "revisions");
    let of = |files: &[(&str, &str)], sql: &[(&str, &str)], records: &[Record]| {
        let error = convert(
            &adoption,
            &sources(files),
            &sources(sql),
            records,
            Engine::POSTGRES,
        );
        error.unwrap_err().message().to_owned()
    };
    let computed = [("a.py", "revision = make()\n")];
    assert_eq!(
        of(&computed, &[], &[]),
        "m/a.py, line 1: The value of revision is not a literal."
    );
    let orphan = [("b.py", "revision = 'b'\ndown_revision = 'a'\n")];
    assert_eq!(
        of(&orphan, &[], &[]),
        "m/b.py, line 1: The revision stands on \"a\", but there is no file for it."
    );
    let prelude = [(
        "up.sql",
        "SET search_path TO app;\n-- Running upgrade  -> A-1\n",
    )];
    assert_eq!(
        of(&ALEMBIC, &prelude, &[]),
        "m/up.sql, line 1: `SET search_path TO app` stands before the first revision, and in none."
    );
    let other = UP.replace("CREATE TABLE a (", "CREATE TABLE b (");
    let twice = [("up.sql", UP), ("up2.sql", other.as_str())];
    assert_eq!(
        of(&ALEMBIC, &twice, &[]),
        "m/up2.sql, line 5: The SQL of A-1 exists twice, with differences."
    );
    assert!(of(&ALEMBIC, &[("up.sql", "SELECT 1;")], &[]).contains("no line `-- Running upgrade`"));
    assert!(of(&ALEMBIC, &[("up.sql", UP)], &versions(&["gone"])).contains("the migration gone"));
}

#[test]
fn a_tool_is_named_as_on_the_command_line() {
    for tool in Tool::ALL {
        assert_eq!(tool.name().parse::<Tool>().unwrap(), tool);
    }
    let error = "liquibase".parse::<Tool>().unwrap_err();
    assert!(error.hint().unwrap().contains("golang-migrate"));
}

/// SQLite's own quotes are read as SQLite reads them.
#[test]
fn a_file_that_only_one_engine_reads_gets_its_section() {
    let adoption = Adoption::new(Tool::Sqlx, "m", "revisions");
    let files = sources(&[("1_a.sql", "CREATE TABLE [a;b] (id int);")]);
    let conversion = convert(&adoption, &files, &[], &[], Engine::SQLITE).unwrap();
    assert!(
        conversion.revisions[0]
            .1
            .contains("\n-- up sqlite\nCREATE TABLE [a;b]")
    );
}

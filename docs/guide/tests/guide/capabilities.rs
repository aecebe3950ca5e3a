//! The table of engines by capability: each cell is what the code says, and names a test that shows
//! it; a cell without one is "not verified".

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use underpin::Engine;
use underpin::copy::CopyDialect;
use underpin::engine::{MigrationDialect, ModelDialect, SchemaDialect};

use crate::files::{is_made, root};

const ENGINES: [(Engine, &str, &str); 4] = [
    (Engine::POSTGRES, "PostgreSQL 13 to 18", "postgres"),
    (Engine::SQLITE, "SQLite", "sqlite"),
    (Engine::ACCESS, "Access", "access"),
    (Engine::ODBC, "ODBC", "odbc"),
];

/// A line of the table.
struct Line {
    name: &'static str,
    /// What the code says of an engine.
    code: Code,
    /// For each engine, the test that shows it: a file, and a function in it. What an engine does not
    /// have needs no test where the code says so.
    tests: [Option<(&'static str, &'static str)>; 4],
    /// What stands in the README beside "yes".
    more: [&'static str; 4],
}

enum Code {
    /// A field of the driver's capabilities.
    Capability(&'static str),
    /// Whether the engine has a value of a dialect.
    Dialect(fn(Engine) -> bool),
    /// What only tests show, of every engine.
    Shown([bool; 4]),
}

const POSTGRES_SUITE: &str = "drivers/postgres/tests/driver/suite.rs";
const SQLITE_SUITE: &str = "drivers/sqlite/tests/suite.rs";
const SUITE: &str = "crates/testkit/src/driver_suite.rs";
const ACCESS_SUITE: &str = "drivers/access/tests/driver/suite.rs";
const ODBC_SUITE: &str = "drivers/odbc/tests/driver/suite.rs";

const fn of_suite(case: &'static str) -> [Option<(&'static str, &'static str)>; 4] {
    [
        Some((POSTGRES_SUITE, case)),
        Some((SQLITE_SUITE, case)),
        Some((ACCESS_SUITE, case)),
        Some((ODBC_SUITE, case)),
    ]
}

const fn of_both(
    file: &'static str,
    test: &'static str,
) -> [Option<(&'static str, &'static str)>; 4] {
    [Some((file, test)), Some((file, test)), None, None]
}

const fn of_first(
    file: &'static str,
    test: &'static str,
) -> [Option<(&'static str, &'static str)>; 4] {
    [Some((file, test)), None, None, None]
}

const NOTHING: [&str; 4] = ["", "", "", ""];

fn lines() -> Vec<Line> {
    let copies_from = |engine| CopyDialect::of(engine).is_ok();
    let copies_to = |engine| CopyDialect::target_of(engine).is_ok();
    vec![
        Line {
            name: "statements and streams",
            code: Code::Shown([true; 4]),
            tests: of_suite("a_stream_gives_all_rows_in_order"),
            more: NOTHING,
        },
        Line {
            name: "changes and bulk inserts",
            code: Code::Shown([true, true, false, true]),
            tests: [
                Some((POSTGRES_SUITE, "a_bulk_insert_takes_all_rows_or_none")),
                Some((SQLITE_SUITE, "a_bulk_insert_takes_all_rows_or_none")),
                Some((
                    "drivers/access/tests/driver/reading.rs",
                    "what_would_write_is_unsupported_and_says_what_can",
                )),
                Some((ODBC_SUITE, "a_bulk_insert_takes_all_rows_or_none")),
            ],
            more: ["", "", "", "as far as its driver can"],
        },
        Line {
            name: "transactions",
            code: Code::Capability("transactions"),
            tests: [
                Some((POSTGRES_SUITE, "a_transaction_is_kept_or_undone")),
                Some((SQLITE_SUITE, "a_transaction_is_kept_or_undone")),
                Some((
                    "drivers/access/tests/driver/reading.rs",
                    "a_transaction_reads",
                )),
                Some((ODBC_SUITE, "a_transaction_is_kept_or_undone")),
            ],
            more: ["", "", "that read", ""],
        },
        Line {
            name: "models",
            code: Code::Dialect(|engine| ModelDialect::of(engine).is_ok()),
            tests: of_both(
                "crates/underpin/tests/suite/models/calls.rs",
                "a_value_null_and_the_default_are_three_things",
            ),
            more: NOTHING,
        },
        Line {
            name: "migrations",
            code: Code::Dialect(|engine| MigrationDialect::of(engine).is_ok()),
            tests: of_both(
                "crates/underpin/tests/suite/migrate.rs",
                "up_down_base_and_up_leave_the_same_schema",
            ),
            more: NOTHING,
        },
        Line {
            name: "schemas: show, dump, diff, erd",
            code: Code::Dialect(|engine| SchemaDialect::of(engine).is_ok()),
            tests: [
                Some((
                    "crates/schema/tests/postgres/selection.rs",
                    "a_session_of_any_settings_reads_the_same",
                )),
                Some((
                    "crates/schema/tests/sqlite/odd.rs",
                    "everything_odd_comes_back",
                )),
                Some((
                    "crates/cli/tests/access.rs",
                    "the_structure_of_a_file_is_shown_dumped_compared_and_drawn",
                )),
                None,
            ],
            more: NOTHING,
        },
        Line {
            name: "`underpin copy` from it",
            code: Code::Dialect(copies_from),
            tests: [
                Some((
                    "crates/cli/tests/copy/round_trip.rs",
                    "generated_schemas_come_back_from_sqlite_as_they_were",
                )),
                Some((
                    "crates/cli/tests/copy/round_trip.rs",
                    "generated_schemas_come_back_from_sqlite_as_they_were",
                )),
                Some((
                    "crates/cli/tests/copy/access.rs",
                    "an_access_file_is_copied_to_each_engine",
                )),
                None,
            ],
            more: NOTHING,
        },
        Line {
            name: "`underpin copy` to it",
            code: Code::Dialect(copies_to),
            tests: of_both(
                "crates/cli/tests/copy/access.rs",
                "an_access_file_is_copied_to_each_engine",
            ),
            more: NOTHING,
        },
        Line {
            name: "many callers on one connection",
            code: Code::Capability("pipelining"),
            tests: of_first(
                "crates/underpin/tests/suite/lanes.rs",
                "many_tasks_share_a_few_connections_and_each_gets_its_own_answer",
            ),
            more: NOTHING,
        },
        Line {
            name: "failover to another host",
            code: Code::Capability("roles_change"),
            tests: of_first(
                "crates/underpin/tests/suite/hosts.rs",
                "calls_follow_a_promotion_without_an_error",
            ),
            more: NOTHING,
        },
        Line {
            name: "replicas show callers their own writes",
            code: Code::Capability("positions"),
            tests: of_first(
                "crates/underpin/tests/suite/positions.rs",
                "a_read_with_a_position_is_never_stale",
            ),
            more: NOTHING,
        },
        Line {
            name: "notifications (`LISTEN`)",
            code: Code::Capability("notifications"),
            tests: of_first(
                "drivers/postgres/tests/driver/sessions.rs",
                "notifications_arrive",
            ),
            more: NOTHING,
        },
    ]
}

/// The capabilities that a driver states, read from its source, since a driver may need a library
/// that is not here.
fn stated(driver: &str) -> BTreeMap<String, bool> {
    let path = root().join(format!("drivers/{driver}/src/lib.rs"));
    let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    let stated = file.items.into_iter().find_map(|item| match item {
        syn::Item::Const(item) if item.ident == "CAPABILITIES" => Some(*item.expr),
        _ => None,
    });
    let Some(syn::Expr::Struct(value)) = stated else {
        panic!("{driver} states no capabilities");
    };
    assert!(value.rest.is_none(), "{driver} states each capability");
    let field = |field: syn::FieldValue| {
        let (syn::Member::Named(name), syn::Expr::Lit(literal)) = (field.member, field.expr) else {
            panic!("a capability of {driver} is true or false");
        };
        let syn::Lit::Bool(truth) = literal.lit else {
            panic!("a capability of {driver} is true or false");
        };
        (name.to_string(), truth.value)
    };
    value.fields.into_iter().map(field).collect()
}

/// Whether an engine, at this place among them, has what a line is about.
fn has(line: &Line, at: usize) -> bool {
    let (engine, _, driver) = ENGINES[at];
    match line.code {
        Code::Shown(by_engine) => by_engine[at],
        Code::Capability(name) => stated(driver)[name],
        Code::Dialect(of) => of(engine),
    }
}

/// Whether the test is in its file; a case of the suite that a driver takes whole is in the suite's.
fn is_there((file, test): (&str, &str)) -> bool {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let whole = text.contains("driver_suite!(subject);");
    let named = text.contains(&format!("fn {test}(")) || text.contains(&format!("    {test},"));
    let case = || {
        let suite = fs::read_to_string(root().join(SUITE)).unwrap();
        suite.contains(&format!("{test},")) || suite.contains(&format!("{test};"))
    };
    named || whole && case()
}

#[test]
fn the_table_of_engines_is_what_the_code_states_and_tests_show() {
    let mut readme = String::new();
    let heads: Vec<&str> = ENGINES.iter().map(|(_, head, _)| *head).collect();
    let head = format!("| | {} |\n|{}\n", heads.join(" | "), "---|".repeat(5));
    readme += &head;
    let mut page = format!("{HEAD}{head}");
    let mut shown = String::new();
    let mut capabilities = stated("postgres");
    for line in lines() {
        if let Code::Capability(name) = line.code {
            capabilities.remove(name);
        }
        let mut cells = Vec::new();
        for (at, (_, head, _)) in ENGINES.iter().enumerate() {
            let (has, test) = (has(&line, at), line.tests[at]);
            let shown_only = matches!(line.code, Code::Shown(_));
            assert!(!shown_only || test.is_some(), "{}: {head}", line.name);
            if let Some(test) = test {
                assert!(
                    has || shown_only,
                    "{}: {head} does not have it, and {test:?} shows it",
                    line.name
                );
                assert!(
                    is_there(test),
                    "{test:?} is gone, which shows {}",
                    line.name
                );
                let (file, test) = test;
                writeln!(shown, "| {} | {head} | `{test}` in `{file}` |", line.name).unwrap();
            }
            let said = match (has, test) {
                (false, _) => "no",
                (true, Some(_)) => "yes",
                (true, None) => "not verified",
            };
            let more = line.more[at];
            cells.push(match more.is_empty() {
                true => said.to_owned(),
                false => format!("{said}, {more}"),
            });
        }
        let row = format!("| {} | {} |\n", line.name, cells.join(" | "));
        readme += &row;
        page += &row;
    }
    assert!(capabilities.is_empty(), "no line is about {capabilities:?}");
    page += &format!("{TESTS}{shown}");
    is_made("reference/capabilities.md", &page);
    let written = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(
        written.contains(&readme),
        "The README needs the table\n{readme}"
    );
    assert!(written.lines().count() <= 150, "the README is long");
}

const HEAD: &str = "\
# Engines by capability

Each cell is what the driver or the dialect of the engine states. \"yes\" is shown by a test below; \"not
verified\" means that there is no such test. This page is made from the code.

";

const TESTS: &str = "
## The tests

| capability | engine | test |
|---|---|---|
";

//! The schemas that models describe, as a server has them, and the revisions that lead there.

use underpin::migrate::{Comparison, Embedded, Migrator, Wanted, parse, render, written};
use underpin::migrate::{NewRevision, RevisionId, TEMPLATE, read_embedded};
use underpin::model::Models;
use underpin::schema::{Hints, Scratch, of_models, of_revisions};
use underpin::{Class, Config, Model, models};
use underpin_testkit::{Postgres, or_skip};

#[derive(Debug, Model)]
#[model(
    table = "tickets",
    check("is_sound(code)", name = "sound"),
    index("shown(code)", name = "tickets_shown")
)]
#[allow(dead_code, reason = "only its table is of interest")]
struct Ticket {
    #[model(primary_key, type = "public.ticket_code", default = "next_code()")]
    code: String,
    #[model(type = "bigint", default = "nextval('public.ticket_numbers')")]
    number: i64,
    #[model(type = "public.urgency", default = "'low'")]
    urgency: String,
    #[model(generated = "shown(code)")]
    shown: Option<String>,
}

static TICKETS: Models = models![Ticket];

/// Everything that the model needs and cannot describe, and its table in other words.
const NEEDED: Embedded = Embedded::new(
    "tickets.sql",
    "-- revision: a
-- message: what tickets need
-- up
CREATE DOMAIN ticket_code AS varchar(20) CHECK (VALUE <> '');
CREATE TYPE urgency AS ENUM ('low', 'high');
CREATE SEQUENCE ticket_numbers;
CREATE FUNCTION prefix() RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'T-' $$;
CREATE FUNCTION next_code() RETURNS text LANGUAGE sql AS
    $$ SELECT prefix() || nextval('ticket_numbers') $$;
CREATE FUNCTION is_sound(code text) RETURNS boolean IMMUTABLE LANGUAGE sql AS
    $$ SELECT code LIKE prefix() || '%' $$;
CREATE FUNCTION shown(code text) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT prefix() || upper(code) $$;
CREATE FUNCTION about_nothing() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
-- down
DROP FUNCTION about_nothing, shown, is_sound, next_code, prefix;
DROP SEQUENCE ticket_numbers;
DROP TYPE urgency;
DROP DOMAIN ticket_code;
",
);

fn new(id: &str, written: underpin::migrate::Written) -> NewRevision {
    NewRevision {
        id: RevisionId::new(id).unwrap(),
        parents: RevisionId::new("a").into_iter().collect(),
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        message: "tickets".into(),
        date: String::new(),
        up: written.up,
        down: written.down,
    }
}

#[tokio::test]
async fn defaults_that_call_functions_and_types_of_domains_are_made_with_what_they_need() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("needs");
    let files = read_embedded(&[NEEDED]).unwrap();
    let migrator = Migrator::new(place.url()).unwrap().revisions(files);
    let none: [&str; 0] = [];
    let wanted = Wanted::Models(&TICKETS);
    let comparison = Comparison::new(&migrator, &wanted, &none).await.unwrap();
    assert_eq!(comparison.wanted.functions, comparison.made.functions);
    assert_eq!(comparison.wanted.functions.len(), 5);
    assert_eq!(comparison.wanted.enums.len(), 1);
    let mut texts = written(&[&comparison], false);
    let text = render(TEMPLATE, &new("b", texts.remove(0))).unwrap();
    assert!(texts.is_empty());
    let revision = parse("b.sql", text.as_bytes()).unwrap();
    let tried = comparison
        .try_out(&migrator, std::slice::from_ref(&revision))
        .await;
    tried.unwrap_or_else(|error| panic!("{error}\n{text}"));
    comparison.close().await.unwrap();

    let migrator = migrator.revisions([revision]);
    let again = Comparison::new(&migrator, &wanted, &none).await.unwrap();
    assert!(again.is_empty(), "{:?}", again.diff.changes);
    assert!(written(&[&again], true).is_empty());
    again.close().await.unwrap();
}

#[tokio::test]
async fn a_revision_that_leads_elsewhere_is_not_taken() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("elsewhere");
    let files = read_embedded(&[NEEDED]).unwrap();
    let migrator = Migrator::new(place.url()).unwrap().revisions(files);
    let none: [&str; 0] = [];
    for (up, down, expected) in [
        (
            "SELECT 1",
            "SELECT 1",
            "it would not lead to the wanted schema. These differences would remain: Create table",
        ),
        (
            "SELECT nothing",
            "SELECT 1",
            "failed when it was tried in a scratch database. elsewhere.sql, line 5",
        ),
    ] {
        let wanted = Wanted::Models(&TICKETS);
        let comparison = Comparison::new(&migrator, &wanted, &none).await.unwrap();
        let text = format!(
            "-- revision: b\n-- parents: a\n-- message: m\n-- up\n{up};\n-- down\n{down};\n"
        );
        let other = parse("elsewhere.sql", text.as_bytes()).unwrap();
        let error = comparison.try_out(&migrator, &[other]).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        comparison.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_way_down_that_leads_elsewhere_is_not_taken() {
    let wanted = Wanted::Models(&ITEMS);
    let migrator = Migrator::new("sqlite::memory:").unwrap();
    let none: [&str; 0] = [];
    for (down, expected) in [
        (
            "SELECT 1",
            "it would not lead back. These differences would remain: Drop table main.items.",
        ),
        (
            "DROP TABLE other",
            "the way down failed when it was tried in a scratch database.",
        ),
    ] {
        let comparison = Comparison::new(&migrator, &wanted, &none).await.unwrap();
        let text = format!(
            "-- revision: b\n-- message: m\n-- up\nCREATE TABLE items (id INTEGER PRIMARY KEY);\n\
             -- down\n{down};\n"
        );
        let other = parse("b.sql", text.as_bytes()).unwrap();
        let error = comparison.try_out(&migrator, &[other]).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        comparison.close().await.unwrap();
    }
}

#[derive(Debug, Model)]
#[model(table = "items")]
#[allow(dead_code, reason = "only its table is of interest")]
struct Item {
    #[model(primary_key, identity)]
    id: i64,
}

static ITEMS: Models = models![Item];

#[tokio::test]
async fn a_model_that_the_server_refuses_is_named_with_its_statement() {
    let server = or_skip!(Postgres::shared());
    let config = Config::from_url(&server.database("refused").url()).unwrap();
    // The objects that the model needs do not exist.
    let scratch = Scratch::beside(&config).await.unwrap();
    let migrator = Migrator::new(config.clone()).unwrap();
    let now = of_revisions(&migrator, &scratch).await.unwrap();
    assert_eq!(now.tables.len(), 0);
    let wanted = of_models(&TICKETS, &config, &now, &Hints::default()).await;
    let error = wanted.unwrap_err();
    assert_eq!(error.class(), Class::Syntax);
    let said = error.to_string();
    let expected = "The schema of the models cannot be created on postgres. This statement \
                    failed:\nCREATE TABLE \
                    \"public\".\"tickets\" (";
    assert!(said.starts_with(expected), "{said}");
    scratch.remove().await.unwrap();
}

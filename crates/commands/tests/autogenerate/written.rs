//! What is written, on both engines.

use underpin_testkit::{Place, Postgres, or_skip};

use crate::shop::{Shop, run};

#[test]
fn the_first_revision_makes_all_that_the_models_say() {
    for place in Place::each("first") {
        let shop = Shop::empty_at(place);
        let [text] = &shop.autogenerate(&[])[..] else {
            panic!("one revision");
        };
        // One engine alone needs no sections of its own.
        assert!(
            text.contains("\n-- up\n") && text.contains("\n-- down\n"),
            "{text}"
        );
        assert!(
            !text.contains("Takes "),
            "nobody waits for what is new: {text}"
        );
        shop.is_as_wanted(&[]);
        shop.migrate(&["up"]).expect(0, &[]);
        shop.migrate(&["down", "base"]).expect(0, &[]);
        shop.migrate(&["up"]).expect(0, &[]);
    }
}

#[test]
fn a_change_is_written_for_both_engines_and_undone_on_both() {
    let server = or_skip!(Postgres::shared());
    let shop = Shop::on(server, "both");
    shop.by_hand("-- up\nALTER TABLE customers DROP COLUMN full_name;\n");
    let [text] = &shop.autogenerate(&[])[..] else {
        panic!("one revision");
    };
    let sections = &text[text.find("-- up").unwrap()..];
    assert_eq!(
        sections,
        "-- up postgres
-- Add column public.customers.full_name.
-- Takes ACCESS EXCLUSIVE on public.customers, which blocks reads and writes.
ALTER TABLE \"public\".\"customers\" ADD COLUMN \"full_name\" text;

-- up sqlite
-- Add column main.customers.full_name.
ALTER TABLE \"customers\" ADD COLUMN \"full_name\" TEXT;

-- down postgres
ALTER TABLE \"public\".\"customers\" DROP COLUMN \"full_name\";

-- down sqlite
ALTER TABLE \"customers\" DROP COLUMN \"full_name\";
"
    );
    shop.is_as_wanted(&["--engine", "postgres", "--engine", "sqlite"]);
    for place in Place::each("both_run") {
        let url = place.url();
        for arguments in [["up", "head"], ["down", "-1"], ["up", "head"]] {
            let directory = shop.directory();
            let mut all = vec!["--url", &url, "migrate", "--revisions", &directory];
            all.extend(arguments);
            run(&all).expect(0, &[]);
        }
    }
}

/// Views, functions, triggers, policies, domains, sequences, storage, exclusions, comments.
#[test]
fn what_models_cannot_say_is_left_alone() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "unsaid");
    shop.by_hand(
        "-- up postgres
CREATE SCHEMA audit;
CREATE DOMAIN audit.code AS text DEFAULT 'x' CHECK (VALUE <> '');
CREATE TYPE audit.level AS ENUM ('low', 'high');
CREATE SEQUENCE audit.numbers;
CREATE FUNCTION audit.how(l audit.level) RETURNS text LANGUAGE sql AS 'SELECT l::text';
CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE VIEW audit.sellers AS SELECT c.email, p.title FROM customers c JOIN products p ON p.seller_id = c.id;
CREATE MATERIALIZED VIEW audit.counts AS SELECT state, count(*) FROM products GROUP BY state;
CREATE UNIQUE INDEX ON audit.counts (state);
CREATE TRIGGER noted AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION audit.note();
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON customers USING (email = current_user);
ALTER TABLE products SET (fillfactor = 70);
ALTER TABLE products ADD CONSTRAINT one_title EXCLUDE USING btree (title WITH =);
ALTER TABLE products DROP CONSTRAINT products_seller_id_fkey;
ALTER TABLE products ADD CONSTRAINT products_seller_id_fkey FOREIGN KEY (seller_id)
    REFERENCES customers ON DELETE SET NULL NOT VALID;
ALTER TABLE customers DROP CONSTRAINT customers_email_key;
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email) WITH (fillfactor = 60);
COMMENT ON CONSTRAINT price_fair ON products IS 'As agreed.';
COMMENT ON INDEX products_new IS 'For the front page.';
ALTER SEQUENCE products_id_seq RENAME TO product_numbers;
ALTER SEQUENCE product_numbers INCREMENT BY 10;
ALTER TABLE customers ALTER id SET INCREMENT BY 5;
-- up sqlite
CREATE TABLE plain (id INTEGER);
DROP TABLE plain;
CREATE VIEW sellers AS SELECT c.email, p.title FROM customers c JOIN products p ON p.seller_id = c.id;
CREATE TRIGGER noted AFTER INSERT ON customers BEGIN SELECT 1; END;
",
    );
    shop.is_as_wanted(&[]);
    shop.migrate(&["up"]).expect(0, &[]);
}

#[test]
fn the_drift_is_told_in_words_and_as_rows() {
    for place in Place::each("drift") {
        let shop = Shop::at(place);
        shop.by_hand("-- up\nALTER TABLE customers DROP COLUMN full_name;\n");
        let check = shop.migrate(&["check", "--engine", "sqlite"]);
        check.expect(
            1,
            &[
                "On sqlite, the revisions do not create the wanted schema. These changes are \
                 missing:\n  \
               Add column main.customers.full_name\n`migrate new --autogenerate` writes",
            ],
        );
        let rows = shop.migrate(&["check", "--engine", "sqlite", "--format", "json"]);
        rows.expect(
            1,
            &["{\"engine\":\"sqlite\",\"change\":\"Add column main.customers.full_name\"}"],
        );
    }
}

/// Its own revisions are within it, and it was built on this machine.
#[test]
fn a_program_checks_the_revisions_that_are_within_it() {
    for engine in [&["--engine", "sqlite"][..], &[]] {
        let place = match engine {
            [] => Place::Postgres(or_skip!(Postgres::shared()).database("within")),
            _ => Place::each("within").remove(0),
        };
        let url = place.url();
        for command in [&["check"][..], &["new", "--autogenerate", "-m", "nothing"]] {
            let arguments = [&["--url", &url, "migrate"], command, engine].concat();
            run(&arguments).expect(0, &["create the wanted schema"]);
        }
        run(&["--url", &url, "migrate", "up"]).expect(0, &["applied 5b0c7d1e9f24 the shop"]);
        run(&["--url", &url, "ping"]).expect(0, &[]);
    }
}

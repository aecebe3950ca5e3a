//! What users of other tools complain of, each kept away by a test.

use underpin_testkit::{Postgres, or_skip};

use crate::shop::Shop;

/// Takes the label away from the enum, as no plan would.
const WITHOUT_HAPPY: &str = "-- up postgres
ALTER TABLE customers ALTER mood DROP DEFAULT;
ALTER TYPE mood RENAME TO old_mood;
CREATE TYPE mood AS ENUM ('sad', 'fine');
ALTER TABLE customers ALTER mood TYPE mood USING mood::text::mood;
ALTER TABLE customers ALTER mood SET DEFAULT 'fine';
DROP TYPE old_mood;
-- up sqlite
";

/// sqlalchemy/alembic#868.
#[test]
fn an_enum_label_that_was_added_is_not_missed() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "label");
    shop.by_hand(WITHOUT_HAPPY);
    let drift = shop.migrate(&["check"]);
    drift.expect(
        1,
        &[
            "On postgres, ",
            "\n  Change the labels of enum public.mood\n",
        ],
    );
    let [text] = &shop.autogenerate(&[])[..] else {
        panic!("one revision");
    };
    assert!(text.contains("\nALTER TYPE \"public\".\"mood\" ADD VALUE 'happy';\n"));
    assert!(text.contains(
        "\n-- down: irreversible: Add label \"happy\" to enum public.mood: PostgreSQL cannot take a \
         label away from an enum.\n"
    ));
    shop.is_as_wanted(&[]);
    shop.migrate(&["up"]).expect(0, &[]);
    let labels = shop.query("SELECT enumlabel::text FROM pg_enum ORDER BY enumsortorder");
    assert_eq!(labels, "sad\nfine\nhappy");
}

#[test]
fn what_can_be_undone_is_apart_from_a_label_that_cannot() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "labels_apart");
    shop.by_hand(&format!(
        "{WITHOUT_HAPPY}-- up\nALTER TABLE customers DROP COLUMN full_name;\n"
    ));
    let [labels, rest] = &shop.autogenerate(&["--id", "wanted"])[..] else {
        panic!("two revisions");
    };
    assert!(labels.contains("-- parents: byhand\n-- message: what is wanted: new labels\n"));
    assert!(labels.contains("ADD VALUE 'happy'") && labels.contains("-- down: irreversible:"));
    assert!(rest.contains("-- revision: wanted\n"));
    assert!(rest.contains("-- up postgres\n") && rest.contains("-- up sqlite\n"));
    assert!(rest.contains("-- down sqlite\n") && !rest.contains("irreversible"));
    shop.is_as_wanted(&[]);
    shop.migrate(&["up"]).expect(0, &["applied wanted"]);
    shop.migrate(&["down", "-1"]).expect(0, &["wanted"]);
    shop.migrate(&["up"]).expect(0, &["applied wanted"]);
}

/// sqlalchemy/alembic#539.
#[test]
fn partitions_that_no_model_names_are_not_dropped() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "partitions");
    shop.by_hand(
        "-- up postgres
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM (2026) TO (2027)
    PARTITION BY LIST (what);
CREATE TABLE events_2026_sale PARTITION OF events_2026 FOR VALUES IN ('sale');
CREATE TABLE events_others PARTITION OF events DEFAULT;
CREATE INDEX ON events_others (what);
-- up sqlite
",
    );
    shop.is_as_wanted(&[]);
}

/// ariga/atlas#2211.
#[test]
fn a_rename_is_proposed_and_never_becomes_drop_and_add() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "rename");
    shop.by_hand("-- up\nALTER TABLE customers RENAME COLUMN full_name TO name;\n");
    shop.migrate(&["up"]).expect(0, &[]);
    shop.query("INSERT INTO customers (email, name) VALUES ('a@b.c', 'Ada')");
    shop.is_refused(
        1,
        &[],
        &[
            "note: The dropped and the added object look alike. If it is a rename, add --rename \
             \"customers.name=customers.full_name\".\n",
            "error: Drop column public.customers.name: this loses the values of \
             public.customers.name.\nDrop ",
            "Drop column main.customers.name: this loses the values of main.customers.name.\n\
             Nothing was done. Allow it with --allow-loss if that is intended.\n",
        ],
    );
    let rename = ["--rename", "customers.name=customers.full_name"];
    let [text] = &shop.autogenerate(&rename)[..] else {
        panic!("one revision");
    };
    let sql = "ALTER TABLE \"public\".\"customers\" RENAME COLUMN \"name\" TO \"full_name\";";
    assert!(text.contains(sql), "{text}");
    let sql = "ALTER TABLE \"customers\" RENAME COLUMN \"name\" TO \"full_name\";";
    assert!(text.contains(sql), "{text}");
    assert!(!text.contains("DROP COLUMN"));
    shop.is_as_wanted(&[]);
    shop.migrate(&["up"]).expect(0, &[]);
    assert_eq!(shop.query("SELECT full_name FROM customers"), "Ada");
    shop.migrate(&["down", "-1"]).expect(0, &[]);
    assert_eq!(shop.query("SELECT name FROM customers"), "Ada");
}

/// ariga/atlas#3242.
#[test]
fn checks_and_defaults_that_the_server_rewrites_do_not_churn() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "churn");
    shop.is_as_wanted(&[]);
    shop.by_hand(
        "-- up postgres
ALTER TABLE products DROP CONSTRAINT state_known, DROP CONSTRAINT price_fair;
ALTER TABLE products ADD CONSTRAINT state_known CHECK (state = ANY (ARRAY['new', 'used'])),
    ADD CONSTRAINT price_fair CHECK ((price >= 0.0::numeric(10, 0)::int AND price <= '1000') OR (state = 'new'));
ALTER TABLE products ALTER price SET DEFAULT 0, ALTER state SET DEFAULT 'new';
ALTER TABLE customers ALTER since SET DEFAULT CURRENT_TIMESTAMP;
-- up sqlite
",
    );
    let drift = shop.migrate(&["check", "--engine", "postgres"]);
    // A cast that means something else is another check.
    drift.expect(1, &["  Replace check price_fair of public.products\n"]);
    shop.by_hand(
        "-- up postgres
ALTER TABLE products DROP CONSTRAINT state_known, DROP CONSTRAINT price_fair;
ALTER TABLE products ADD CONSTRAINT state_known CHECK (state IN ('new', 'used')),
    ADD CONSTRAINT price_fair CHECK ((price >= 0 AND price <= 1000) OR (state = 'new'));
ALTER TABLE products ALTER price SET DEFAULT 0, ALTER state SET DEFAULT 'new';
ALTER TABLE customers ALTER since SET DEFAULT now();
-- up sqlite
",
    );
    shop.is_as_wanted(&[]);
}

/// What Alembic's comparison of indexes misses.
#[test]
fn an_index_with_another_predicate_method_or_order_is_not_missed() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "indexes");
    for index in [
        "CREATE INDEX products_new ON products (state, price DESC) WHERE state = 'used'",
        "CREATE INDEX products_new ON products (state, price) WHERE state = 'new'",
        "CREATE INDEX products_new ON products (state, price DESC) INCLUDE (title) WHERE state = 'new'",
        "CREATE INDEX products_new ON products USING hash (state) WHERE state = 'new'",
    ] {
        shop.by_hand(&format!(
            "-- up postgres\nDROP INDEX products_new;\n{index};\n-- up sqlite\n"
        ));
        let drift = shop.migrate(&["check"]);
        drift.expect(1, &["\n  Replace index products_new of public.products\n"]);
    }
    let [text] = &shop.autogenerate(&[])[..] else {
        panic!("one revision");
    };
    assert!(text.contains(
        "-- Takes SHARE on public.products, which blocks writes while every row is read.\n"
    ));
    shop.is_as_wanted(&[]);
}

//! What is not written, and what is said of it.

use underpin_testkit::{Place, Postgres, SqliteFile, or_skip};

use crate::shop::Shop;

#[test]
fn what_loses_data_needs_the_flag() {
    for place in Place::each("loss") {
        let shop = Shop::at(place);
        shop.by_hand("-- up\nCREATE TABLE notes (id integer);\n-- down\nDROP TABLE notes;\n");
        let own = ["--engine", "sqlite"];
        shop.is_refused(
            1,
            &own,
            &[
                "error: Drop table main.notes: this loses the rows of main.notes.\n",
                "Nothing was done. Allow it with --allow-loss if that is intended.",
            ],
        );
        let [text] = &shop.autogenerate(&["--allow-loss", "--engine", "sqlite"])[..] else {
            panic!("one revision");
        };
        assert!(
            text.contains(
                "-- Drop table main.notes.\n-- Loses the rows of main.notes.\nDROP TABLE"
            )
        );
        assert!(
            text.contains("-- It does not restore what was lost: Drop table main.notes.\nCREATE")
        );
        shop.is_as_wanted(&own);
    }
}

#[test]
fn what_cannot_be_done_in_place_is_refused_by_its_sentence() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "in_place");
    shop.by_hand("-- up postgres\nALTER TYPE mood ADD VALUE 'odd';\n-- up sqlite\n");
    shop.is_refused(
        1,
        &[],
        &["error: The enum public.mood cannot lose 'odd' while columns have this type"],
    );
}

#[test]
fn what_would_fail_is_found_before_it_is_written() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "trial");
    shop.by_hand(
        "-- up postgres
ALTER TABLE customers ADD COLUMN phone text;
CREATE VIEW phones AS SELECT phone FROM customers;
-- up sqlite
",
    );
    shop.is_refused(
        4,
        &["--allow-loss"],
        &[
            "No file was written because the new revision failed when it was tried in a scratch \
           database.",
        ],
    );
}

#[test]
fn rows_of_the_revisions_themselves_are_there_when_it_is_tried() {
    let shop = Shop::on(or_skip!(Postgres::shared()), "trial_rows");
    shop.by_hand(
        "-- up postgres
ALTER TABLE products DROP COLUMN title CASCADE;
INSERT INTO products (price) VALUES (1);
-- up sqlite
",
    );
    shop.is_refused(
        4,
        &[],
        &["public.products.title cannot be added, since it refuses NULL"],
    );
}

#[test]
fn a_rename_of_nothing_is_an_error() {
    let shop = Shop::at(Place::Sqlite(SqliteFile::new()));
    let rename = [
        "--engine",
        "sqlite",
        "--rename",
        "customers.nam=customers.full_name",
    ];
    shop.is_refused(
        2,
        &rename,
        &[
            "error: The rename customers.nam=customers.full_name: the old name must be an existing \
           table,",
        ],
    );
}

#[test]
fn an_engine_without_a_server_is_an_error_that_says_what_to_name() {
    let shop = Shop::at(Place::Sqlite(SqliteFile::new()));
    let said = [
        "error: The revisions are for postgres too, but the configuration names a database on \
         sqlite",
        "Name a server with --url",
        "exclude postgres with `--engine sqlite`.",
    ];
    shop.is_refused(2, &[], &said);
    shop.migrate(&["check"]).expect(2, &said);
    let said =
        ["invalid value 'oracle' for '--engine <ENGINE>': this is not the name of an engine"];
    shop.is_refused(2, &["--engine", "oracle"], &said);
}

#[test]
fn options_of_autogenerate_need_it() {
    let shop = Shop::at(Place::Sqlite(SqliteFile::new()));
    shop.migrate(&["new", "-m", "x", "--allow-loss"])
        .expect(2, &["--autogenerate"]);
}

#[test]
fn revisions_that_cannot_be_applied_are_named() {
    let shop = Shop::at(Place::Sqlite(SqliteFile::new()));
    shop.by_hand("-- up\nSELECT nothing;\n");
    shop.is_refused(
        4,
        &["--engine", "sqlite"],
        &[
            "The revisions cannot be applied to an empty database.",
            "byhand.sql, line 5",
        ],
    );
}

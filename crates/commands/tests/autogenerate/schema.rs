//! `schema` in a program that has models and revisions.

use underpin_testkit::Place;

use crate::shop::{Said, Shop, run};

impl Shop {
    fn schema(&self, arguments: &[&str]) -> Said {
        let url = self.url();
        let mut all = vec!["--url", &url, "schema"];
        all.extend(arguments);
        run(&all)
    }

    fn change(&self, sql: &str) {
        let url = self.url();
        run(&["--url", &url, "query", sql]).expect(0, &[]);
    }
}

#[test]
fn a_database_is_what_the_models_say_or_has_drifted() {
    for place in Place::each("schema_of_models") {
        let postgres = matches!(place, Place::Postgres(_));
        let namespace = if postgres { "public" } else { "main" };
        let shop = Shop::at(place);
        // A file that is not there is no empty database.
        shop.change("SELECT 1");
        let before = shop.schema(&["validate"]).expect(1, &[]);
        for name in ["customers", "products", "events"] {
            assert!(before.out.contains(&format!("table {namespace}.{name}")));
        }
        shop.migrate(&["up"]).expect(0, &[]);
        shop.schema(&["validate"])
            .expect(0, &["The database matches models."]);
        shop.schema(&["validate", "revisions"])
            .expect(0, &["The database matches revisions."]);
        shop.schema(&["diff", "revisions", "models"])
            .expect(0, &["The schemas are the same."]);

        // What models cannot say is not drift, nor is what they do not name.
        shop.change("CREATE VIEW emails AS SELECT email FROM customers");
        if postgres {
            shop.change("CREATE SCHEMA other");
            shop.change("CREATE TABLE other.things (id int)");
            shop.change("CREATE EXTENSION pg_trgm");
            shop.change("CREATE RULE nothing AS ON DELETE TO events DO INSTEAD NOTHING");
        }
        shop.schema(&["validate"])
            .expect(0, &["The database matches models."]);
        shop.schema(&["diff", "models", "database"])
            .expect(0, &["The schemas are the same."]);

        shop.change("ALTER TABLE customers ADD nick varchar(20)");
        shop.schema(&["validate", "--format", "csv"]).expect(
            1,
            &[&format!(
                "only in the database,column {namespace}.customers.nick"
            )],
        );
        shop.schema(&["validate", "--exclude", "customers"])
            .expect(0, &[]);
        shop.schema(&["validate", "--table", "products"])
            .expect(0, &[]);
        shop.schema(&["diff", "models", "database", "--sql"])
            .expect(1, &["ADD COLUMN \"nick\""]);
        shop.schema(&["diff", "database", "models", "--sql"])
            .expect(2, &["this loses the values of", "--allow-loss"]);
    }
}

#[test]
fn models_are_dumped_and_drawn() {
    for place in Place::each("schema_of_models_alone") {
        let shop = Shop::at(place);
        shop.schema(&["dump", "models"])
            .expect(0, &["CREATE TABLE", "\"customers\"", "\"price_fair\""]);
        shop.schema(&["show", "customers", "--from", "models"])
            .expect(0, &["customers_email_key (email)"]);
        shop.schema(&["erd", "models", "--mermaid"])
            .expect(0, &["erDiagram", "seller_id FK"]);
        shop.schema(&["diff", "models", "models"])
            .expect(0, &["The schemas are the same."]);
    }
}

//! No form in which a configuration, a database or an error can be shown holds a secret.
//! Besides, the whole test run's output is searched for every secret used in it.

use underpin::{Config, Database, Secret};
use underpin_testkit::{Postgres, or_skip, secrets};

#[tokio::test]
async fn nothing_shows_the_password() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("shows_nothing");
    let config = Config::from_url(&database.url()).unwrap();
    let db = Database::connect(&config).await.unwrap();
    let lease = db.acquire().await.unwrap();
    let tx = db.begin().await.unwrap();
    let shown = format!(
        "{config:?} {config:#?} {} {:?} {db:?} {lease:?} {tx:?} {:?} {:?} {}",
        config.to_url_masked(),
        config.explain(),
        db.health().await,
        db.metrics(),
        db.metrics(),
    );
    println!("{shown}");
    assert!(!shown.contains(server.password()), "a secret is shown");
    let own = secrets::password();
    assert!(!format!("{:?} {}", Secret::new(&own), Secret::new(&own)).contains(&own));
}

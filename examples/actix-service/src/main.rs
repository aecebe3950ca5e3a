//! Serves on 127.0.0.1:8080, or on the address in `LISTEN`, with the database that `underpin.toml` and
//! the environment describe:
//!
//! ```sh
//! DATABASE_URL='sqlite:users.db?mode=rwc' cargo run -p example-actix-service
//! curl -d '{"email": "ada@example.com"}' -H 'content-type: application/json' localhost:8080/users
//! curl localhost:8080/users/1
//! ```

use std::time::Duration;

use actix_web::{App, HttpServer};
use example_actix_service::{open, routes};
use underpin::Config;

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let config = Config::from_env().map_err(std::io::Error::other)?;
    let db = open(config).await.map_err(std::io::Error::other)?;
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".into());
    let served = db.clone();
    // Ends on SIGTERM and Ctrl-C, once the requests under way are answered.
    HttpServer::new(move || App::new().configure(routes(served.clone())))
        .bind(address)?
        .run()
        .await?;
    db.close(Duration::from_secs(10))
        .await
        .map_err(std::io::Error::other)
}

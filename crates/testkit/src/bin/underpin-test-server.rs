//! Starts the PostgreSQL server that all tests of a run share, prints the environment by which
//! they find it, as a shell reads it, and an empty line; then waits until its standard input
//! ends, and stops the server.
//!
//! The output holds the password of the server, which exists nowhere else.

use std::io::{Read, Write};
use std::process::ExitCode;

use underpin_testkit::Postgres;

fn main() -> ExitCode {
    let server = match Postgres::builder().setting("max_connections", 400).start() {
        Ok(server) => server,
        Err(unavailable) => {
            eprintln!("{unavailable}");
            return ExitCode::FAILURE;
        }
    };
    let path = |path: Result<&std::path::Path, _>| match path {
        Ok(path) => path.display().to_string(),
        Err(_) => String::new(),
    };
    let environment = format!(
        "export UNDERPIN_TEST_POSTGRES_URL='{}'\n\
         export UNDERPIN_TEST_POSTGRES_SOCKET_DIR='{}'\n\
         export UNDERPIN_TEST_POSTGRES_CA='{}'\n\n",
        server.url("postgres"),
        path(server.socket_directory()),
        path(server.ca_certificate()),
    );
    let mut output = std::io::stdout().lock();
    if output
        .write_all(environment.as_bytes())
        .and_then(|()| output.flush())
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(server);
    ExitCode::SUCCESS
}

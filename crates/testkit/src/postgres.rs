//! A real PostgreSQL server, and databases in it.

mod address;
mod builder;
mod certificate;
mod database;
mod installation;
mod locale;
mod replica;
mod sessions;
mod shared;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::attendant::Attendant;
use crate::unavailable::Unavailable;
pub(crate) use address::Address;

pub use builder::PostgresBuilder;
pub use certificate::ServerCertificate;
pub use database::TestDatabase;
pub use installation::{older_programs, pg_dump, program, programs};

/// A real PostgreSQL server on a loopback port, with a Unix socket and TLS.
///
/// [`Postgres::shared`] gives the one server of a test run, which nobody may disturb;
/// [`Postgres::start`] starts one of the test's own, which it may stop, kill and pause. That is
/// why those methods take `&mut self`.
///
/// Its superuser is `underpin_test`, with a password that occurs nowhere else and that
/// [`secrets`](crate::secrets) knows. Passwords travel as SCRAM-SHA-256. `fsync` is off: it
/// survives the death of its processes, not that of the machine.
pub struct Postgres {
    pub(crate) address: Arc<Address>,
    keeper: Option<Keeper>,
}

/// What holds a private server: the shell that owns its processes, and its directory.
struct Keeper {
    attendant: Attendant,
    directory: PathBuf,
}

impl Postgres {
    /// The server that all tests of a run share: the one that `UNDERPIN_TEST_POSTGRES_URL`
    /// names, else one that is started now and lives as long as this process.
    ///
    /// # Panics
    ///
    /// With `CI=true`, when there is none; and always when a server that is installed does not
    /// start, or one that is named does not answer.
    pub fn shared() -> Result<&'static Postgres, Unavailable> {
        shared::shared()
    }

    /// Starts a private server with the usual settings. See [`PostgresBuilder::start`].
    pub fn start() -> Result<Postgres, Unavailable> {
        PostgresBuilder::default().start()
    }

    /// A private server with settings of its own, yet to be started.
    pub fn builder() -> PostgresBuilder {
        PostgresBuilder::default()
    }

    /// The host at which it listens.
    pub fn host(&self) -> &str {
        &self.address.host
    }

    /// The TCP port on which it listens, which is also the number in its Unix socket's name.
    pub fn port(&self) -> u16 {
        self.address.port
    }

    /// The name of its superuser.
    pub fn user(&self) -> &str {
        &self.address.user
    }

    /// The password of its superuser.
    pub fn password(&self) -> &str {
        &self.address.password
    }

    /// The directory of its Unix socket. A server that was named by a URL alone has none that is
    /// known.
    pub fn socket_directory(&self) -> Result<&Path, Unavailable> {
        self.address.socket_directory()
    }

    /// The file with the certificate, in PEM, of the authority that signed the server's own. A
    /// server that was named by a URL alone has none that is known.
    pub fn ca_certificate(&self) -> Result<&Path, Unavailable> {
        self.address.ca_certificate()
    }

    /// The files with the superuser's own certificate, in PEM, which the same authority signed, and
    /// its key. A server that was named by a URL alone has none that are known.
    pub fn client_certificate(&self) -> Result<(PathBuf, PathBuf), Unavailable> {
        let ca = self.ca_certificate()?;
        Ok((
            ca.with_file_name("client.pem"),
            ca.with_file_name("client.key"),
        ))
    }

    /// A URL of the named database over TCP without TLS. Test code usually wants
    /// [`TestDatabase::url`].
    pub fn url(&self, database: &str) -> String {
        self.address.url(database, self.port())
    }

    /// A superuser's client in the database `postgres`, to look at the server from outside, for
    /// instance at `pg_stat_activity`. Its connection runs on the caller's runtime.
    ///
    /// # Panics
    ///
    /// When the server does not let it in.
    pub async fn admin(&self) -> tokio_postgres::Client {
        self.address.client("postgres").await
    }

    /// A new and empty database for one test, dropped with the returned value. Its name begins
    /// with the test's, and is unique.
    ///
    /// # Panics
    ///
    /// When the server does not make it within thirty seconds.
    pub fn database(&self, test_name: &str) -> TestDatabase {
        TestDatabase::create(&self.address, test_name, "template0")
    }

    /// A new database for one test that starts as a copy of another. All connections to the
    /// other one are closed.
    ///
    /// # Panics
    ///
    /// When the server does not make it within thirty seconds.
    pub fn database_like(&self, test_name: &str, template: &TestDatabase) -> TestDatabase {
        TestDatabase::create(&self.address, test_name, template.name())
    }

    /// Stops the server as an administrator does: sessions are ended with SQLSTATE 57P01, and
    /// what was committed is written down. Returns when it is down.
    ///
    /// # Panics
    ///
    /// On the shared server, which is not this test's to stop. So do the methods below.
    pub fn stop(&mut self) {
        self.address.up.store(false, Ordering::SeqCst);
        self.order("stop");
    }

    /// Stops the server without ceremony: sessions are told at best in a warning, nothing is
    /// written down, and the next start recovers what was committed. Returns when it is down.
    pub fn stop_immediately(&mut self) {
        self.address.up.store(false, Ordering::SeqCst);
        self.order("quit");
    }

    /// Kills all its processes at once, as the end of its machine would. Returns when they are
    /// gone.
    pub fn kill(&mut self) {
        self.address.up.store(false, Ordering::SeqCst);
        self.order("kill");
    }

    /// Freezes all its processes. Connections stay open and nothing answers; the system still
    /// accepts new ones on its behalf.
    pub fn pause(&mut self) {
        self.address.up.store(false, Ordering::SeqCst);
        self.order("pause");
    }

    /// Lets frozen processes go on.
    pub fn resume(&mut self) {
        self.order("resume");
        self.address.up.store(true, Ordering::SeqCst);
    }

    /// Starts the server on the same port and with the same data, after [`stop`](Self::stop),
    /// [`stop_immediately`](Self::stop_immediately) or [`kill`](Self::kill) or, where it runs, after stopping it. Returns when it accepts
    /// connections.
    pub fn restart(&mut self) {
        self.address.up.store(false, Ordering::SeqCst);
        self.order("stop");
        self.order("start");
        self.address.up.store(true, Ordering::SeqCst);
    }

    /// Starts the server as [`restart`](Self::restart) does, with the `postgres` of this
    /// directory from then on: a server that is updated in place.
    pub fn restart_with(&mut self, programs: &Path) {
        self.order(&format!("programs {}", programs.display()));
        self.restart();
    }

    /// What the server has logged so far.
    ///
    /// # Panics
    ///
    /// On the shared server.
    pub fn log(&self) -> String {
        let keeper = self.keeper.as_ref().expect(NOT_YOURS);
        std::fs::read(keeper.directory.join("server.log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    fn order(&mut self, order: &str) {
        let keeper = self.keeper.as_mut().expect(NOT_YOURS);
        let answer = keeper
            .attendant
            .ask(order)
            .unwrap_or_else(|error| error.to_string());
        if answer != "done" {
            panic!(
                "The test's PostgreSQL server did not {order}: {answer}. The end of its log:\n{}",
                tail(&self.log())
            );
        }
    }
}

const NOT_YOURS: &str = "The shared PostgreSQL server belongs to all tests of the run; \
    start a private one with Postgres::start().";

/// The last twenty lines of a text.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("host", &self.address.host)
            .field("port", &self.address.port)
            .finish_non_exhaustive()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Databases that outlive the server have nothing left to drop.
        self.address.up.store(false, Ordering::SeqCst);
    }
}

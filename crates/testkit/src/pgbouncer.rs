//! A real PgBouncer before a PostgreSQL server.

use std::fmt::{self, Display, Write as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::account::Account;
use crate::attendant::Attendant;
use crate::patroni::Patroni;
use crate::port::free_port;
use crate::postgres::{Address, Postgres, TestDatabase};
use crate::unavailable::Unavailable;

const SUPERVISE: &str = include_str!("pgbouncer/supervise.sh");
/// The first version that can keep track of named statements in transaction mode.
const FOLLOWS_STATEMENTS: (u32, u32) = (1, 21);

/// A PgBouncer on a loopback port, in transaction mode, before one server and all databases in
/// it. It does not keep track of named statements, which versions before 1.21 cannot. It lets the server's superuser in with its password, and ends with this value, or when
/// this process ends in any way.
pub struct PgBouncer {
    server: Arc<Address>,
    port: u16,
    directory: PathBuf,
    version: (u32, u32),
    attendant: Attendant,
    builder: PgBouncerBuilder,
}

/// A [`PgBouncer`], yet to be started.
#[derive(Clone, Default)]
pub struct PgBouncerBuilder {
    settings: Vec<(String, String)>,
}

impl PgBouncer {
    /// Starts one before this server, with four connections to each database. See
    /// [`PgBouncerBuilder::start`].
    pub fn start(server: &Postgres) -> Result<PgBouncer, Unavailable> {
        PgBouncer::builder().start(server)
    }

    /// One with settings of its own, yet to be started.
    pub fn builder() -> PgBouncerBuilder {
        PgBouncerBuilder::default()
    }

    /// The URL of a database through it.
    pub fn url(&self, database: &TestDatabase) -> String {
        self.url_of(database.name())
    }

    /// The URL of a database of this name through it.
    pub fn url_of(&self, database: &str) -> String {
        self.server.url(database, self.port)
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Has new connections lead to another server, as an operator's script does after a failover.
    pub fn lead_to(&mut self, port: u16) {
        let place = (self.server.host.as_str(), port);
        let text = self
            .builder
            .configuration(place, &self.directory, self.port, self.version);
        fs::write(self.directory.join("pgbouncer.ini"), text).unwrap_or_else(|error| {
            panic!("PgBouncer's configuration cannot be written: {error}.")
        });
        let answer = self.attendant.ask("reload");
        assert_eq!(answer.expect("PgBouncer's shell answers"), "done");
    }

    /// Its version, major and minor.
    pub fn version(&self) -> (u32, u32) {
        self.version
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl PgBouncerBuilder {
    /// Sets a parameter of the section `[pgbouncer]`. The last one of a name holds.
    pub fn setting(mut self, name: &str, value: impl Display) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// Starts it in a directory of its own, and returns when it accepts connections.
    ///
    /// # Panics
    ///
    /// When it is installed and does not start; and with `CI=true` when it is not installed.
    pub fn start(self, server: &Postgres) -> Result<PgBouncer, Unavailable> {
        self.start_at(&server.address)
    }

    /// The same before the leader of nodes under Patroni, wherever [`PgBouncer::lead_to`] has it lead
    /// afterwards.
    ///
    /// # Panics
    ///
    /// As for [`start`](PgBouncerBuilder::start), and when no node leads.
    pub fn start_before(self, nodes: &Patroni) -> Result<PgBouncer, Unavailable> {
        let leader = nodes.leader().expect("a node leads");
        self.start_at(&Arc::new(nodes.address_of(leader)))
    }

    fn start_at(&self, server: &Arc<Address>) -> Result<PgBouncer, Unavailable> {
        let program = find_program().inspect_err(|missing| {
            if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
                panic!("{missing} With CI=true this is a failure.");
            }
        })?;
        let account = Account::of_servers()?;
        Ok(self
            .run(&program, &account, server)
            .unwrap_or_else(|error| panic!("PgBouncer cannot be started: {error}.")))
    }

    fn run(
        &self,
        program: &Path,
        account: &Account,
        server: &Arc<Address>,
    ) -> io::Result<PgBouncer> {
        // From here on the shell removes the directory, since it outlives this process.
        let directory = tempfile::Builder::new()
            .prefix("underpin-pgbouncer-")
            .tempdir()?
            .keep()
            .canonicalize()?;
        let port = free_port();
        let version = Command::new(program).arg("--version").output()?.stdout;
        let version = version_in(&String::from_utf8_lossy(&version));
        fs::write(directory.join("supervise.sh"), SUPERVISE)?;
        for (file, text) in [
            ("users", users(server)),
            (
                "pgbouncer.ini",
                self.configuration((&server.host, server.port), &directory, port, version),
            ),
        ] {
            fs::write(directory.join(file), text)?;
            account.hand_over(&directory.join(file))?;
        }
        let mut shell = account.shell();
        shell
            .current_dir("/")
            .arg(directory.join("supervise.sh"))
            .arg(program)
            .arg(&directory);
        account.hand_over(&directory)?;
        let mut attendant = Attendant::start(shell)?;
        let answer = attendant.answer()?;
        let bouncer = PgBouncer {
            server: Arc::clone(server),
            port,
            directory,
            version,
            attendant,
            builder: self.clone(),
        };
        match answer.as_str() {
            "done" => Ok(bouncer),
            wrong => Err(io::Error::other(format!(
                "{wrong}. It said:\n{}\n",
                bouncer.log()
            ))),
        }
    }

    fn configuration(
        &self,
        (host, server_port): (&str, u16),
        directory: &Path,
        port: u16,
        version: (u32, u32),
    ) -> String {
        let mut text = format!("[databases]\n* = host={host} port={server_port}\n\n[pgbouncer]\n");
        let users = directory.join("users").to_string_lossy().into_owned();
        let port = port.to_string();
        let own = [
            ("listen_addr", "127.0.0.1"),
            ("listen_port", &port),
            ("unix_socket_dir", ""),
            ("auth_type", "scram-sha-256"),
            ("auth_file", &users),
            ("pool_mode", "transaction"),
            ("default_pool_size", "4"),
            ("max_client_conn", "500"),
            ("server_tls_sslmode", "disable"),
        ];
        let follows = (version >= FOLLOWS_STATEMENTS).then_some(("max_prepared_statements", "0"));
        let given = self.settings.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        for (name, value) in own.into_iter().chain(follows).chain(given) {
            let _ = writeln!(text, "{name} = {value}");
        }
        text
    }
}

/// Who may come in, and with which password it logs in itself.
fn users(server: &Address) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    format!("{} {}\n", quoted(&server.user), quoted(&server.password))
}

/// The numbers in `PgBouncer 1.18.0`.
fn version_in(text: &str) -> (u32, u32) {
    let mut numbers = text
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .split('.')
        .map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn find_program() -> Result<PathBuf, Unavailable> {
    if let Some(program) = std::env::var_os("UNDERPIN_TEST_PGBOUNCER") {
        let program = PathBuf::from(program);
        return match program.is_file() {
            true => Ok(program),
            false => Err(Unavailable::new(format!(
                "UNDERPIN_TEST_PGBOUNCER is {}, but that file does not exist.",
                program.display()
            ))),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Not on everybody's PATH.
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join("pgbouncer"))
        .find(|program| program.is_file())
        .ok_or_else(|| {
            Unavailable::new("PgBouncer is not installed, and UNDERPIN_TEST_PGBOUNCER is not set.")
        })
}

impl fmt::Debug for PgBouncer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgBouncer")
            .field("port", &self.port)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PgBouncerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgBouncerBuilder")
            .field("settings", &self.settings)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read() {
        assert_eq!(version_in("PgBouncer 1.18.0"), (1, 18));
        assert_eq!(version_in("PgBouncer 1.24.1"), (1, 24));
        assert_eq!(version_in(""), (0, 0));
    }
}

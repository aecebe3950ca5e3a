use std::fmt::{self, Display, Write};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::address::Address;
use super::certificate::{self, ServerCertificate};
use super::installation::Installation;
use super::{Keeper, Postgres, locale, tail};
use crate::attendant::Attendant;
use crate::port::free_port;
use crate::secrets;
use crate::unavailable::Unavailable;

const SUPERVISE: &str = include_str!("supervise.sh");
pub(super) const USER: &str = "underpin_test";

/// A private server, yet to be started.
///
/// ```no_run
/// use underpin_testkit::{Postgres, ServerCertificate, or_skip};
///
/// # fn example() {
/// let server = or_skip!(
///     Postgres::builder()
///         .setting("max_connections", 10)
///         .certificate(ServerCertificate::Expired)
///         .hba("hostnossl all all 127.0.0.1/32 reject")
///         .start()
/// );
/// # }
/// ```
#[derive(Clone, Default)]
pub struct PostgresBuilder {
    settings: Vec<(String, String)>,
    certificate: ServerCertificate,
    hba: String,
    password: Option<String>,
    programs: Option<PathBuf>,
    language: Option<String>,
}

impl PostgresBuilder {
    /// Sets a parameter of the server, as in `postgresql.conf`. The last one of a name holds.
    pub fn setting(mut self, name: &str, value: impl Display) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// Chooses the certificate that the server shows. The default is a good one.
    pub fn certificate(mut self, certificate: ServerCertificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// Puts lines in front of the server's `pg_hba.conf`, where the first line that matches a
    /// connection decides. Keep the Unix socket open to `underpin_test`: the testkit itself
    /// comes in through it.
    pub fn hba(mut self, lines: &str) -> Self {
        let _ = writeln!(self.hba, "{lines}");
        self
    }

    /// Has the server say its messages in the language of this locale, such as `de_DE.UTF-8`. The
    /// locale need not be installed: it is compiled for this server alone, of the system's
    /// sources. Where those are missing, [`start`](PostgresBuilder::start) says so.
    pub fn language(mut self, locale: &str) -> Self {
        self.language = Some(locale.to_owned());
        self.setting("lc_messages", locale)
    }

    /// Sets the superuser's password, instead of a random one.
    ///
    /// # Panics
    ///
    /// When it is not fit to be [registered](secrets::register) as a secret.
    pub fn password(mut self, password: &str) -> Self {
        secrets::register(password);
        self.password = Some(password.to_owned());
        self
    }

    /// Takes `initdb` and `postgres` from this directory, instead of those that are found.
    pub fn programs(mut self, directory: impl Into<PathBuf>) -> Self {
        self.programs = Some(directory.into());
        self
    }

    /// Starts the server in a directory of its own and returns when it accepts connections. It
    /// is stopped and its directory removed with the returned value, or when this process ends
    /// in any way.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is installed and does not start, for instance because a setting is wrong;
    /// and with `CI=true` when it is not installed.
    pub fn start(self) -> Result<Postgres, Unavailable> {
        let installation = match &self.programs {
            Some(directory) => Installation::at(directory),
            None => Installation::find(),
        };
        let installation = installation.inspect_err(|missing| {
            if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
                panic!("{missing} With CI=true this is a failure.");
            }
        })?;
        let password = self.password.clone().unwrap_or_else(secrets::password);
        let locale = match &self.language {
            Some(name) => Some(locale::compile(name)?),
            None => None,
        };
        let mut server = self
            .prepare(&installation, password, locale)
            .unwrap_or_else(|error| panic!("A PostgreSQL server cannot be prepared: {error}."));
        server.order("start");
        Ok(server)
    }

    /// Makes the server's directory, its files and its shell, but does not start it.
    fn prepare(
        &self,
        installation: &Installation,
        password: String,
        locale: Option<tempfile::TempDir>,
    ) -> io::Result<Postgres> {
        let (directory, mut shell) = directory_of_its_own(installation)?;
        if let Some(locale) = locale {
            let place = directory.join("locale");
            fs::rename(locale.keep(), &place)?;
            installation.account.hand_over(&place)?;
            shell.env("LOCPATH", place);
        }
        installation.account.hand_over(&directory)?;
        let mut attendant = Attendant::start(shell)?;

        let socket_directory = directory.join("socket");
        fs::create_dir(&socket_directory)?;
        installation.account.hand_over(&socket_directory)?;
        certificate::write(self.certificate, &directory);
        installation
            .account
            .hand_over(&directory.join("server.key"))?;
        fs::write(directory.join("password"), &password)?;
        installation
            .account
            .hand_over(&directory.join("password"))?;

        let answer = attendant.ask(&format!("init {USER}"))?;
        if answer != "done" {
            let log = fs::read_to_string(directory.join("server.log")).unwrap_or_default();
            return Err(io::Error::other(format!(
                "initdb failed ({answer}). It said:\n{}\n",
                tail(&log)
            )));
        }
        let port = free_port();
        self.configure(&directory, port)?;
        Ok(Postgres {
            address: Arc::new(Address {
                host: "127.0.0.1".to_owned(),
                port,
                user: USER.to_owned(),
                password,
                socket_directory: Some(socket_directory),
                ca_certificate: Some(directory.join("ca.pem")),
                up: AtomicBool::new(true),
            }),
            keeper: Some(Keeper {
                attendant,
                directory,
            }),
        })
    }

    fn configure(&self, directory: &Path, port: u16) -> io::Result<()> {
        let own = [
            ("listen_addresses", "127.0.0.1"),
            ("ssl", "on"),
            ("password_encryption", "scram-sha-256"),
            ("fsync", "off"),
            ("full_page_writes", "off"),
            ("synchronous_commit", "on"),
            ("wal_level", "replica"),
            ("max_connections", "100"),
            ("checkpoint_timeout", "30min"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
        ];
        let given = self.settings.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let mut conf = settings(directory, port);
        for (name, value) in own.into_iter().chain(given) {
            conf.push_str(&setting(name, value));
        }
        // Writing into a file that initdb made leaves it with its owner.
        fs::write(directory.join("data/postgresql.conf"), conf)?;
        let hba = format!(
            "{}local all all scram-sha-256\n\
             host all all 127.0.0.1/32 scram-sha-256\n\
             host replication all 127.0.0.1/32 scram-sha-256\n",
            self.hba
        );
        fs::write(directory.join("data/pg_hba.conf"), hba)
    }
}

/// A new directory for a server, and the shell that is to look after it, yet to be started. From
/// then on the shell removes the directory, since it outlives this process.
pub(super) fn directory_of_its_own(installation: &Installation) -> io::Result<(PathBuf, Command)> {
    let directory = tempfile::Builder::new()
        .prefix("underpin-pg-")
        .tempdir()?
        .keep();
    let directory = directory.canonicalize()?;
    fs::write(directory.join("supervise.sh"), SUPERVISE)?;
    let mut shell = installation.account.shell();
    shell
        .current_dir("/")
        .arg(directory.join("supervise.sh"))
        .arg(&installation.programs)
        .arg(&directory);
    Ok((directory, shell))
}

/// The settings by which servers on one machine differ.
pub(super) fn settings(directory: &Path, port: u16) -> String {
    let place = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let settings = [
        ("port", port.to_string()),
        ("unix_socket_directories", place("socket")),
        ("ssl_cert_file", place("server.pem")),
        ("ssl_key_file", place("server.key")),
        ("ssl_ca_file", place("ca.pem")),
    ];
    settings.map(|(name, value)| setting(name, &value)).concat()
}

fn setting(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\'', "''"))
}

impl fmt::Debug for PostgresBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBuilder")
            .field("settings", &self.settings)
            .field("certificate", &self.certificate)
            .field("hba", &self.hba)
            .field("programs", &self.programs)
            .finish_non_exhaustive()
    }
}

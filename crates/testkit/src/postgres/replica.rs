use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::address::Address;
use super::builder::{directory_of_its_own, settings};
use super::installation::Installation;
use super::{Keeper, NOT_YOURS, Postgres};
use crate::account::Account;
use crate::attendant::Attendant;
use crate::port::free_port;
use crate::unavailable::Unavailable;

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
const LOOKS: usize = 1000;

impl Postgres {
    /// Starts a streaming replica of this private server, with the same accounts and passwords.
    /// [`promote`](Postgres::promote) makes it a primary.
    ///
    /// # Errors
    /// Where PostgreSQL is not installed.
    ///
    /// # Panics
    /// On the shared server, and where the replica does not start.
    pub async fn replica(&self) -> Result<Postgres, Unavailable> {
        let installation = Installation::find()?;
        let mut replica = self
            .copy(&installation)
            .await
            .unwrap_or_else(|error| panic!("A replica cannot be prepared: {error}."));
        replica.order("start");
        Ok(replica)
    }

    /// Makes a replica a primary. Returns when it takes writes.
    ///
    /// # Panics
    /// Where it is not a replica.
    pub async fn promote(&self) {
        let promoted = self.admin().await;
        let promoted = promoted.query_one("SELECT pg_promote()", &[]).await;
        let promoted: bool = promoted.expect("a replica can be promoted").get(0);
        assert!(promoted, "the replica was not promoted within a minute");
    }

    /// Has a running replica receive from this server from now on, and from no other.
    ///
    /// # Panics
    /// On the shared server, and where it does not read its settings again.
    pub async fn follow(&mut self, primary: &Postgres) {
        self.set(&format!("primary_conninfo = '{}'\n", primary.conninfo()));
        self.reload().await;
    }

    /// Has a running replica receive from no server, as an operator does before another one is
    /// promoted: the old primary can then have nothing confirmed here. Returns when it is so.
    ///
    /// # Panics
    /// On the shared server, and where it still receives after ten seconds.
    pub async fn detach(&mut self) {
        self.set("primary_conninfo = ''\n");
        self.reload().await;
        let admin = self.admin().await;
        for _ in 0..LOOKS {
            let receiving = "SELECT count(*) FROM pg_stat_wal_receiver";
            let row = admin.query_one(receiving, &[]).await;
            if row.is_ok_and(|row| row.get::<_, i64>(0) == 0) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("The replica was detached, but it still receives.");
    }

    /// How many bytes of the primary's history a replica has received.
    ///
    /// # Panics
    /// Where it is not a replica, or has received nothing.
    pub async fn received(&self) -> u64 {
        let sql = "SELECT (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
            - '0/0')::int8";
        let row = self.admin().await.query_one(sql, &[]).await;
        let bytes: i64 = row.expect("a replica tells what it has received").get(0);
        bytes.cast_unsigned()
    }

    /// Makes a primary that was left behind, running or not, a replica of the one that took over:
    /// stops it, takes back with `pg_rewind` what that one does not have, and starts it again.
    /// Returns when it accepts connections. Both need `wal_log_hints` and `full_page_writes`.
    ///
    /// # Panics
    /// On the shared server, and where one of the steps fails.
    pub async fn demote(&mut self, primary: &Postgres) {
        // Else its control file still has the timeline before the promotion.
        let checkpointed = primary.admin().await.batch_execute("CHECKPOINT").await;
        checkpointed.expect("the primary makes a checkpoint");
        self.stop();
        let conf = self.data("postgresql.conf");
        let own = fs::read_to_string(&conf).expect("the server has settings");
        let Address {
            host,
            port,
            user,
            password,
            ..
        } = &*primary.address;
        self.order(&format!("rewind {host} {port} {user} {password}"));
        // What was copied has the settings of the other server.
        fs::write(&conf, own).expect("settings can be written");
        self.set(&format!("primary_conninfo = '{}'\n", primary.conninfo()));
        let signal = self.data("standby.signal");
        fs::write(&signal, "").expect("a file can be written");
        let account = Account::of_servers().expect("the server has an account");
        account
            .hand_over(&signal)
            .expect("a file can be handed over");
        self.order("start");
        self.address.up.store(true, Ordering::SeqCst);
    }

    /// Where a replica connects to.
    fn conninfo(&self) -> String {
        let Address {
            host,
            port,
            user,
            password,
            ..
        } = &*self.address;
        format!("host={host} port={port} user={user} password={password}")
    }

    fn data(&self, name: &str) -> PathBuf {
        let keeper = self.keeper.as_ref().expect(NOT_YOURS);
        keeper.directory.join("data").join(name)
    }

    /// Adds a line to the settings; the last one of a name holds.
    fn set(&self, line: &str) {
        let conf = fs::OpenOptions::new()
            .append(true)
            .open(self.data("postgresql.conf"));
        let written = conf.and_then(|mut conf| conf.write_all(line.as_bytes()));
        written.expect("settings can be written");
    }

    async fn reload(&self) {
        let reload = "SELECT pg_reload_conf()";
        let row = self.admin().await.query_one(reload, &[]).await;
        let sent: bool = row.expect("a server reads its settings again").get(0);
        assert!(sent, "the server was not told to read its settings again");
    }

    /// Copies the files of the running server, as a base backup does.
    async fn copy(&self, installation: &Installation) -> io::Result<Postgres> {
        let original = &self.keeper.as_ref().expect(NOT_YOURS).directory;
        let (directory, shell) = directory_of_its_own(installation)?;
        installation.account.hand_over(&directory)?;
        let mut attendant = Attendant::start(shell)?;
        let admin = self.admin().await;
        let version: String = query(&admin, "SHOW server_version_num").await?;
        let (start, stop) = match version.parse::<u32>() {
            Ok(before) if before < 150_000 => (
                "SELECT pg_start_backup('replica', true, false)::text",
                "SELECT labelfile FROM pg_stop_backup(false, false)",
            ),
            _ => (
                "SELECT pg_backup_start('replica', true)::text",
                "SELECT labelfile FROM pg_backup_stop(false)",
            ),
        };
        let _: String = query(&admin, start).await?;
        let answer = attendant.ask(&format!("copy {}", original.display()))?;
        let label: String = query(&admin, stop).await?;
        if answer != "done" {
            return Err(io::Error::other(format!("copying failed: {answer}")));
        }
        let port = free_port();
        let address = Address {
            host: self.address.host.clone(),
            port,
            user: self.address.user.clone(),
            password: self.address.password.clone(),
            socket_directory: Some(directory.join("socket")),
            ca_certificate: Some(directory.join("ca.pem")),
            up: AtomicBool::new(true),
        };
        let primary = self.conninfo();
        let conf = original.join("data/postgresql.conf");
        let mut conf = fs::read_to_string(conf)?;
        conf.push_str(&settings(&directory, port));
        conf.push_str(&format!("primary_conninfo = '{primary}'\n"));
        let write = |name: &str, text: &str| {
            let path = directory.join("data").join(name);
            fs::write(&path, text)?;
            installation.account.hand_over(&path)
        };
        write("postgresql.conf", &conf)?;
        write("backup_label", &label)?;
        write("standby.signal", "")?;
        Ok(Postgres {
            address: Arc::new(address),
            keeper: Some(Keeper {
                attendant,
                directory,
            }),
        })
    }
}

async fn query<T>(admin: &tokio_postgres::Client, sql: &str) -> io::Result<T>
where
    T: for<'r> tokio_postgres::types::FromSql<'r>,
{
    let row = admin.query_one(sql, &[]).await.map_err(io::Error::other)?;
    row.try_get(0).map_err(io::Error::other)
}

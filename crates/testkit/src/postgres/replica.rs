use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::address::Address;
use super::builder::{directory_of_its_own, settings};
use super::installation::Installation;
use super::{Keeper, NOT_YOURS, Postgres};
use crate::attendant::Attendant;
use crate::port::free_port;
use crate::unavailable::Unavailable;

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
        let primary = format!(
            "host={} port={} user={} password={}",
            self.address.host, self.address.port, self.address.user, self.address.password
        );
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

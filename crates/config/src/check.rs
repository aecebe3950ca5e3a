use std::path::Path;
use std::time::Duration;

use underpin_core::{ChannelBinding, Result, TlsMode, TlsNegotiation};

use crate::config::Config;
use crate::field::FIELDS;
use crate::mistake;

impl Config {
    /// Checks what no single value shows to be wrong.
    pub(crate) fn check(&self) -> Result<()> {
        for field in FIELDS {
            (field.check)(&self.settings).map_err(|misfit| {
                let shown = (field.show)(&self.settings);
                mistake::bad_value(field, self.source(field.key), &shown, &misfit)
            })?;
        }
        self.check_pool()?;
        self.check_tls()?;
        self.check_message_limit()?;
        self.check_statement_timeout()
    }

    fn check_message_limit(&self) -> Result<()> {
        /// Room for whatever a server says of itself and of errors.
        const LEAST: u32 = 64 * 1024;
        let limit = self.settings.message_limit;
        if limit >= LEAST {
            return Ok(());
        }
        Err(mistake::config(format!(
            "`message_limit` is {limit} bytes ({}), but the server's own messages may be longer.",
            self.source("message_limit")
        ))
        .with_hint(format!("The minimum is {LEAST}.")))
    }

    /// What depends on where the database is.
    pub(crate) fn check_endpoints(&self) -> Result<()> {
        let settings = &self.settings;
        let (addresses, hosts) = (settings.hostaddr.0.len(), self.endpoints.len());
        if addresses > 0 && addresses != hosts {
            return Err(mistake::config(format!(
                "`hostaddr` ({}) has {addresses} addresses for {hosts} hosts.",
                self.source("hostaddr")
            ))
            .with_hint("Set one for each host; an empty one is looked up."));
        }
        let modes = self
            .endpoints
            .iter()
            .map(|endpoint| self.tls(endpoint).mode);
        let weakest = modes.min().unwrap_or(TlsMode::Disable);
        if settings.channel_binding == ChannelBinding::Require && weakest == TlsMode::Disable {
            return Err(mistake::config(format!(
                "`channel_binding` is require ({}), but the connection is not encrypted: sslmode is \
                 {weakest}.",
                self.source("channel_binding")
            ))
            .with_hint("Set sslmode to require or stricter, and connect by TCP."));
        }
        if settings.sslcrl.is_some() && weakest < TlsMode::VerifyCa {
            return Err(mistake::config(format!(
                "`sslcrl` is set ({}), but sslmode is {weakest}, which does not check certificates.",
                self.source("sslcrl")
            ))
            .with_hint("Set sslmode to verify-ca or verify-full."));
        }
        if settings.sslnegotiation == TlsNegotiation::Direct && weakest < TlsMode::Require {
            return Err(mistake::config(format!(
                "`sslnegotiation` is direct ({}), but sslmode is {weakest}, which allows \
                 unencrypted connections.",
                self.source("sslnegotiation")
            ))
            .with_hint("Set sslmode to require or stricter."));
        }
        Ok(())
    }

    fn check_statement_timeout(&self) -> Result<()> {
        let info = self.settings.engine.info();
        let longest = info.longest_statement_secs.map(Duration::from_secs);
        match (self.settings.statement_timeout, longest) {
            (Some(limit), Some(longest)) if limit > longest => Err(mistake::config(format!(
                "`statement_timeout` ({}) is longer than the maximum of {}, which is {} days.",
                self.source("statement_timeout"),
                info.title,
                longest.as_secs() / (24 * 60 * 60),
            ))
            .with_hint("Write `off` for no limit.")),
            _ => Ok(()),
        }
    }

    fn check_pool(&self) -> Result<()> {
        let (min, max) = (self.settings.pool_min_size, self.settings.pool_max_size);
        let source = self.source("pool_max_size");
        if max == 0 {
            return Err(mistake::config(format!(
                "`pool_max_size` ({source}) is 0: a pool needs at least one connection."
            ))
            .with_hint("The minimum is 1."));
        }
        if min > max {
            return Err(mistake::config(format!(
                "`pool_min_size` is {min} ({}), more than `pool_max_size`, which is {max} ({source}).",
                self.source("pool_min_size")
            ))
            .with_hint("Lower the first or raise the second."));
        }
        if max.checked_add(self.settings.max_overflow).is_none() {
            return Err(mistake::config(format!(
                "`max_overflow` ({}) and `pool_max_size` ({source}) add up to too many connections.",
                self.source("max_overflow")
            )));
        }
        let interval = self.settings.shed_interval;
        if self
            .settings
            .shed_target
            .is_some_and(|target| target > interval)
        {
            return Err(mistake::config(format!(
                "`shed_target` ({}) is longer than `shed_interval`, which is {} ({}).",
                self.source("shed_target"),
                crate::duration::show(interval),
                self.source("shed_interval")
            ))
            .with_hint("Shorten the first or lengthen the second."));
        }
        Ok(())
    }

    fn check_tls(&self) -> Result<()> {
        let settings = &self.settings;
        let system = settings.sslrootcert.as_deref() == Some(Path::new("system"));
        if let Some(mode) = settings.sslmode
            && system
            && mode != TlsMode::VerifyFull
        {
            return Err(mistake::config(format!(
                "`sslmode` is {mode} ({}), and `sslrootcert` is system ({}), which is too weak for \
                 public certificate authorities.",
                self.source("sslmode"),
                self.source("sslrootcert")
            ))
            .with_hint("Set `sslmode` to verify-full, or set `sslrootcert` to the file of your own authority."));
        }
        if let (Some(oldest), Some(newest)) = (
            settings.ssl_min_protocol_version,
            settings.ssl_max_protocol_version,
        ) && oldest > newest
        {
            return Err(mistake::config(format!(
                "`ssl_min_protocol_version` ({}) is newer than `ssl_max_protocol_version` ({}).",
                self.source("ssl_min_protocol_version"),
                self.source("ssl_max_protocol_version")
            ))
            .with_hint("Leave one of the two out."));
        }
        let (given, missing) = match (&settings.sslcert, &settings.sslkey) {
            (Some(_), None) => ("sslcert", "sslkey"),
            (None, Some(_)) => ("sslkey", "sslcert"),
            _ => return Ok(()),
        };
        Err(mistake::config(format!(
            "`{given}` ({}) is set without `{missing}`.",
            self.source(given)
        ))
        .with_hint("Set both the client's certificate and its key, or neither."))
    }
}

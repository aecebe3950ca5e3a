use std::path::Path;
use std::time::Duration;

use underpin_core::{Engine, Result, TlsMode};

use crate::config::Config;
use crate::fields::FIELDS;
use crate::mistake;

/// PostgreSQL keeps its timeouts as 32-bit milliseconds.
const LONGEST_STATEMENT: Duration = Duration::from_millis(i32::MAX as u64);

impl Config {
    /// What no single value shows to be wrong.
    pub(crate) fn check(&self) -> Result<()> {
        for field in FIELDS {
            (field.check)(&self.settings).map_err(|misfit| {
                let shown = (field.show)(&self.settings);
                mistake::bad_value(field, self.source(field.key), &shown, &misfit)
            })?;
        }
        self.check_pool()?;
        self.check_tls()?;
        match self.settings.statement_timeout {
            Some(limit)
                if self.settings.engine == Engine::POSTGRES && limit > LONGEST_STATEMENT =>
            {
                Err(mistake::config(format!(
                    "`statement_timeout` ({}) is longer than PostgreSQL can keep, 24 days.",
                    self.source("statement_timeout")
                ))
                .with_hint("Write `off` for no limit."))
            }
            _ => Ok(()),
        }
    }

    fn check_pool(&self) -> Result<()> {
        let (min, max) = (self.settings.pool_min_size, self.settings.pool_max_size);
        let source = self.source("pool_max_size");
        if max == 0 {
            return Err(mistake::config(format!(
                "`pool_max_size` ({source}) is 0: a pool without connections serves nobody."
            ))
            .with_hint("The least is 1."));
        }
        if min > max {
            return Err(mistake::config(format!(
                "`pool_min_size` is {min} ({}), more than `pool_max_size`, which is {max} ({source}).",
                self.source("pool_min_size")
            ))
            .with_hint("Lower the one or raise the other."));
        }
        if max.checked_add(self.settings.max_overflow).is_none() {
            return Err(mistake::config(format!(
                "`max_overflow` ({}) and `pool_max_size` ({source}) are together too many.",
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
            .with_hint("Shorten the one or lengthen the other."));
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
                "`sslmode` is {mode} ({}), and `sslrootcert` is system ({}), which is too weak \
                 a check for authorities that certify anybody.",
                self.source("sslmode"),
                self.source("sslrootcert")
            ))
            .with_hint("Set `sslmode` to verify-full, or name the file of your own authority."));
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
        .with_hint("A client's certificate and its key go together."))
    }
}

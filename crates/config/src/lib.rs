//! The configuration of one database as one typed value, [`Config`], read in layers:
//!
//! | layer | what it is |
//! |---|---|
//! | defaults | what each field of [`Config`] documents |
//! | libpq | `PGHOST`, `PGSERVICE` and libpq's other variables, for PostgreSQL |
//! | file | `underpin.toml`, the keys at its top or those of one table `[databases.NAME]` |
//! | code | a [`ConfigBuilder`] |
//! | environment | `DATABASE_URL`, and above it the single variables `DB_HOST`, `DB_PORT`, … |
//! | explicit | a URL or flags, from the start of the program |
//!
//! A later layer wins field by field, and each value remembers its [`Source`]. Five rules
//! make the layers safe to mix:
//!
//! 1. **An explicit URL reads no environment at all.** [`Config::from_url`] reads no file
//!    either.
//! 2. **A URL says the whole place.** Engine, host, port, database, user, password and TLS
//!    that it leaves out come from the defaults, never from a layer below it, so that the
//!    `sslmode = "disable"` of a test database reaches no other server.
//! 3. **A password is never combined with a host from another layer.** A host named above the layer
//!    of a password leaves that password out, and [`Config::source`] says so; likewise
//!    `DB_HOST` leaves out the password that `DATABASE_URL` has for its own host. A
//!    password above the layer of its host (a variable beside a host in a file) is an
//!    error, which says what to write instead. `DB_PASSWORD` does join the host of
//!    `DATABASE_URL`: both are the environment. Where no layer names a host, the default
//!    `localhost` takes the password of any.
//! 4. **Unknown keys are errors**, with the nearest known key. The environment belongs to
//!    other programs as well: there only a variable `DB_…` that is nearly a known one is
//!    an error, and what has no meaning for the engine is passed over.
//! 5. **libpq's parameters have libpq's meaning**, in a URL, in a string such as
//!    `host=db1 dbname=shop`, in a service file and in the environment: `connect_timeout=10`
//!    is 10 s, `tcp_user_timeout=10` is 10 ms. An unsupported parameter is refused by name. Where
//!    the environment is read and no layer gives a password, `.pgpass` is looked at; an
//!    entry applies to the host, port, database and user that it names.
//! 6. **A named database is on its own.** [`Config::named`] with `main` reads
//!    `[databases.main]`, `MAIN_DATABASE_URL` and `MAIN_DB_…`, and nothing of the unnamed
//!    one but `environment`.
//!
//! Durations are written `10s`, `500ms`, `2min` or `1h`. Outside of URLs a number without a unit
//! is one of seconds: `0.5`. In a URL it is an error, since other programs count in milliseconds.
//! Where a limit can be absent, `off` says so; 0 is an error, since it might mean
//! either of two things. Relative paths start at the current directory of the process.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod ahead;
mod builder;
mod check;
mod config;
mod duration;
mod environment;
mod explain;
mod field;
mod fields;
mod file;
mod health_check;
mod hosts;
mod into_config;
mod jdbc;
mod key;
mod keywords;
mod kind;
mod layer;
mod legacy;
mod libpq;
mod loader;
mod mask;
mod mistake;
mod passfile;
mod reading;
mod resolve;
mod service;
mod source;
mod unknown_key;
mod url;
mod values;
mod variables;

pub use ahead::Ahead;
pub use builder::ConfigBuilder;
pub use config::Config;
pub use duration::whole_millis_rounded_up;
pub use environment::Environment;
pub use explain::Setting;
pub use into_config::IntoConfig;
pub use key::ConfigKey;
pub use loader::Loader;
pub use mask::masked;
pub use source::Source;
pub use underpin_core::{HealthCheck, Recycling};

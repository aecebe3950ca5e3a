use std::collections::BTreeMap;
use std::path::PathBuf;

use underpin_core::{AddressForm, Endpoint, Engine, Error, Result, Secret};

use crate::config::Config;
use crate::field::{FIELDS, Field, Part};
use crate::hosts::{Addresses, Host, Hosts, file_endpoint};
use crate::layer::{Layer, Rank};
use crate::libpq;
use crate::mistake;
use crate::passfile;
use crate::reading::{ReadFile, unreadable};
use crate::source::Source;
use crate::variables;

/// Makes one configuration of the layers, the lowest first. `known` are the databases
/// that a file names, `passfile` is where passwords are looked up that no layer has.
pub(crate) fn resolve(
    layers: Vec<Layer>,
    name: Option<String>,
    known: &[String],
    passfile: Option<PathBuf>,
    read: &ReadFile,
) -> Result<Config> {
    let mut merged = Merged {
        all: Layer::new(Rank::File),
        origins: BTreeMap::new(),
    };
    for (index, layer) in layers.into_iter().enumerate() {
        merged.add(index, layer);
    }
    let says_where = |field: &&Field| {
        let origin = merged.origins.get(field.key);
        // A user alone is often set for other programs.
        let is_meant = |origin: &Origin| {
            origin.rank != Rank::Libpq || ["host", "hostaddr", "database"].contains(&field.key)
        };
        field.part == Part::Place && origin.is_some_and(is_meant)
    };
    if !FIELDS.iter().any(|field| says_where(&field)) {
        return Err(nothing_set(name.as_deref(), known));
    }
    merged.pair_password_and_host()?;
    merged.drop_what_other_engines_have()?;
    merged.read_password(read)?;
    merged.into_config(name, passfile, read)
}

/// The layers heard so far, and where in their order each value was said.
struct Merged {
    all: Layer,
    origins: BTreeMap<&'static str, Origin>,
}

#[derive(Debug, Clone, Copy)]
struct Origin {
    index: usize,
    rank: Rank,
}

impl Merged {
    fn add(&mut self, index: usize, mut layer: Layer) {
        let says = |key: &str| layer.sources.contains_key(key);
        if layer.is_url {
            self.forget(|field| field.part != Part::Other);
        }
        let from_passfile = matches!(
            self.all.sources.get("password"),
            Some(Source::Passfile { .. })
        );
        let is_elsewhere = ["host", "port", "user", "database"].into_iter().any(says);
        if says("password") || says("password_file") || from_passfile && is_elsewhere {
            self.forget(|field| field.key.starts_with("password"));
        }
        match (says("host"), says("port")) {
            // A list of ports belongs to its own list of hosts.
            (true, false)
                if self
                    .all
                    .values
                    .port
                    .as_ref()
                    .is_some_and(|ports| ports.0.len() > 1) =>
            {
                self.forget(|field| field.key == "port");
            }
            (false, true) => {
                let hosts = self
                    .all
                    .values
                    .host
                    .iter_mut()
                    .flat_map(|hosts| &mut hosts.0);
                hosts.for_each(|host| host.port = None);
            }
            _ => {}
        }
        let origin = Origin {
            index,
            rank: layer.rank,
        };
        for field in FIELDS {
            if (field.is_set)(&layer.values) {
                (field.take)(&mut self.all.values, &mut layer.values);
                self.origins.insert(field.key, origin);
            }
        }
        self.all.sources.append(&mut layer.sources);
    }

    fn forget(&mut self, which: impl Fn(&Field) -> bool) {
        self.origins
            .retain(|key, _| !Field::of_key(key).is_some_and(&which));
        self.all.forget(which);
    }

    /// A password is never combined with a host from another layer.
    fn pair_password_and_host(&mut self) -> Result<()> {
        let password = ["password", "password_file"]
            .into_iter()
            .find_map(|key| self.origins.get(key).map(|origin| (key, *origin)));
        // A data source leads to a host of its own.
        let engine = self.all.values.engine.unwrap_or(Engine::POSTGRES);
        let place = match engine.info().address {
            AddressForm::DataSource => "database",
            _ => "host",
        };
        let (Some((key, password)), Some(host)) = (password, self.origins.get(place).copied())
        else {
            return Ok(());
        };
        if password.index == host.index || password.rank == host.rank && password.index > host.index
        {
            return Ok(());
        }
        let given = self
            .all
            .sources
            .get(key)
            .cloned()
            .unwrap_or(Source::Default);
        let named = self
            .all
            .sources
            .get(place)
            .cloned()
            .unwrap_or(Source::Default);
        if password.index > host.index {
            return Err(mistake::config(format!(
                "The password ({given}) and the host ({named}) come from different layers, and a \
                 password is never combined with a host from another layer."
            ))
            .with_hint(advice(password.rank, &given)));
        }
        self.forget(|field| field.key.starts_with("password"));
        let because =
            format!("a password is never combined with a host from another layer ({named})");
        let source = Source::Overruled {
            given: Box::new(given),
            because,
        };
        self.all.sources.insert("password", source);
        Ok(())
    }

    /// What means nothing for the engine is a mistake beside or above it, and of no
    /// account below it. The environment is other programs' as well.
    fn drop_what_other_engines_have(&mut self) -> Result<()> {
        let engine = self.all.values.engine.unwrap_or(Engine::POSTGRES);
        let chosen = self.origins.get("engine").copied();
        for field in FIELDS.iter().filter(|field| !field.applies_to(engine)) {
            let Some(origin) = self.origins.get(field.key).copied() else {
                continue;
            };
            let above = chosen.is_none_or(|chosen| origin.index >= chosen.index);
            if above && origin.rank != Rank::Environment {
                let source = self.all.sources.get(field.key).unwrap_or(&Source::Default);
                return Err(mistake::config(format!(
                    "`{}` ({source}) does not apply to {engine}.",
                    field.key
                ))
                .with_hint("Remove it, or choose the engine that it applies to."));
            }
            self.forget(|other| other.key == field.key);
        }
        Ok(())
    }

    fn read_password(&mut self, read: &ReadFile) -> Result<()> {
        let Some(Some(path)) = self.all.values.password_file.clone() else {
            return Ok(());
        };
        let source = self
            .all
            .sources
            .remove("password_file")
            .unwrap_or(Source::Default);
        let context = format!("The password should be read from a file ({source}).");
        let text = read(&path).map_err(|error| unreadable(&path, error).with_context(&context))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            let message = format!("{context} The file {} is empty.", path.display());
            return Err(mistake::config(message));
        }
        self.all.values.password = Some(Secret::new(text));
        self.all.sources.insert("password", source);
        Ok(())
    }

    fn into_config(
        mut self,
        name: Option<String>,
        passfile: Option<PathBuf>,
        read: &ReadFile,
    ) -> Result<Config> {
        self.take_addresses_for_hosts();
        let engine = self.all.values.engine.unwrap_or(Engine::POSTGRES);
        let endpoints = match engine.info().address {
            AddressForm::File => self.file()?,
            AddressForm::DataSource => self.data_source()?,
            AddressForm::Server { .. } => Vec::new(),
        };
        let Layer {
            values, sources, ..
        } = self.all;
        let mut config = Config {
            settings: values.settle(),
            endpoints,
            sources,
            name,
        };
        config.check()?;
        if config.endpoints.is_empty() {
            let settings = &config.settings;
            config.endpoints = settings
                .host
                .endpoints(&settings.port, settings.engine)
                .map_err(|problem| {
                    let source = config.source("port");
                    mistake::config(format!("`port` ({source}) {problem}."))
                        .with_hint("Set one port for all hosts, or one for each.")
                })?;
            config.check_endpoints()?;
            config.look_up_password(passfile, read)?;
            config.take_addresses();
        }
        Ok(config)
    }

    /// Where no host is named, its address is its name.
    fn take_addresses_for_hosts(&mut self) {
        let values = &mut self.all.values;
        if let (None, Some(Addresses(addresses))) = (&values.host, &values.hostaddr) {
            let hosts: Vec<_> = addresses
                .iter()
                .flatten()
                .map(|address| Host {
                    name: address.to_string(),
                    port: None,
                })
                .collect();
            if hosts.len() == addresses.len() {
                values.host = Some(Hosts(hosts));
                let source = self.all.sources.get("hostaddr").cloned();
                self.all
                    .sources
                    .insert("host", source.unwrap_or(Source::Default));
            }
        }
    }

    /// The one endpoint of a data source.
    fn data_source(&self) -> Result<Vec<Endpoint>> {
        match &self.all.values.database {
            Some(name) => Ok(vec![Endpoint::data_source(name)]),
            None => Err(mistake::config("No data source of ODBC is named.")
                .with_hint("Write odbc://NAME, or set `database` to its name in odbc.ini.")),
        }
    }

    /// The one endpoint of a file, and the size of its pool for one in memory, and for an engine that
    /// has one connection.
    fn file(&mut self) -> Result<Vec<Endpoint>> {
        let Some(path) = self.all.values.database.clone() else {
            let source = self.all.sources.get("engine").unwrap_or(&Source::Default);
            let engine = self.all.values.engine.unwrap_or(Engine::POSTGRES);
            return Err(
                mistake::config(format!("{engine} ({source}) has no file to open."))
                    .with_hint("Set `database` to a path, or to :memory:."),
            );
        };
        let endpoint = file_endpoint(&path);
        let info = self.all.values.engine.unwrap_or(Engine::POSTGRES).info();
        let because = match (endpoint.address.is_memory(), info.pool_size) {
            (true, _) => "a database in memory has exactly one connection".to_owned(),
            (false, 1) => format!("{} has one connection, and no pool", info.title),
            _ => return Ok(vec![endpoint]),
        };
        let values = &mut self.all.values;
        let sizes = [
            ("pool_max_size", &mut values.pool_max_size, 1),
            ("pool_min_size", &mut values.pool_min_size, 1),
            ("max_overflow", &mut values.max_overflow, 0),
        ];
        for (key, value, most) in sizes {
            if let Some(value) = value.as_mut().filter(|value| **value > most) {
                *value = most;
                let given = Box::new(self.all.sources.remove(key).unwrap_or(Source::Default));
                let because = because.clone();
                self.all
                    .sources
                    .insert(key, Source::Overruled { given, because });
            }
        }
        Ok(vec![endpoint])
    }
}

impl Config {
    /// Puts the addresses beside the hosts that they are of.
    fn take_addresses(&mut self) {
        let addresses = &self.settings.hostaddr.0;
        for (endpoint, address) in self.endpoints.iter_mut().zip(addresses) {
            if let Some(address) = address {
                *endpoint = endpoint.clone().at(*address);
            }
        }
    }

    /// Looks a password up that no layer has. An entry of the file is for one place and user,
    /// and all hosts have one password here.
    fn look_up_password(&mut self, usual: Option<PathBuf>, read: &ReadFile) -> Result<()> {
        let settings = &self.settings;
        if !libpq::connects_to(settings.engine) || !settings.password.is_empty() {
            return Ok(());
        }
        let named = settings.passfile.clone();
        let Some(path) = named.clone().or(usual) else {
            return Ok(());
        };
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if named.is_some() => {
                let source = self.source("passfile");
                return Err(unreadable(&path, error).with_context(format!(
                    "The password should be looked up in a file ({source})."
                )));
            }
            // The usual place, which is nobody's promise.
            Err(_) => return Ok(()),
        };
        let user = settings.user.as_deref().unwrap_or_default();
        let found: Vec<_> = self
            .endpoints
            .iter()
            .map(|endpoint| passfile::find(&text, endpoint, &settings.database, user))
            .collect();
        let Some((password, line)) = found.iter().flatten().next().cloned() else {
            return Ok(());
        };
        let one_for_all = found
            .iter()
            .all(|found| found.as_ref().is_some_and(|(other, _)| *other == password));
        let source = Source::Passfile {
            path: path.clone(),
            line,
        };
        let because = match () {
            () if passfile::is_open_to_others(&path) => {
                "other users may read the file, but only its owner should (chmod 600)"
            }
            () if !one_for_all => "not all hosts have this password in the file",
            () => {
                self.settings.password = password;
                self.sources.insert("password", source);
                return Ok(());
            }
        };
        let source = Source::Overruled {
            given: Box::new(source),
            because: because.to_owned(),
        };
        self.sources.insert("password", source);
        Ok(())
    }
}

fn advice(rank: Rank, given: &Source) -> String {
    match (rank, given) {
        (Rank::Environment, Source::Environment(variable)) => {
            let prefix = variable.split("DB_").next().unwrap_or_default();
            format!(
                "Set {prefix}DB_HOST or {prefix}DATABASE_URL beside {variable}, or set \
                 `password_file` beside the host."
            )
        }
        _ => "Set the host there too, or set the password beside the host.".to_owned(),
    }
}

fn nothing_set(name: Option<&str>, known: &[String]) -> Error {
    let prefix = variables::prefix(name);
    let table = name
        .map(|name| format!(", under [databases.{name}]"))
        .unwrap_or_default();
    let mut message = match name {
        Some(name) => format!("The location of the database `{name}` is not configured."),
        None => "The location of the database is not configured.".to_owned(),
    };
    let nearest = name.and_then(|name| mistake::nearest(name, known.iter().map(String::as_str)));
    match nearest {
        Some(nearest) => {
            message.push_str(&format!(" The nearest known database is `{nearest}`."));
        }
        None if known.is_empty() => {}
        None => message.push_str(&format!(" The file names {}.", known.join(", "))),
    }
    mistake::config(message).with_hint(format!(
        "The shortest ways to configure it: a URL as argument (--url postgres://USER@HOST/DATABASE), \
         the environment variable {prefix}DATABASE_URL, or the line \
         url = \"postgres://USER@HOST/DATABASE\" in underpin.toml{table}."
    ))
}

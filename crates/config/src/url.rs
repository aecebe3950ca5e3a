use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use underpin_core::{AddressForm, Class, Engine, Error, Result};

use crate::field::Field;
use crate::hosts::{Host, Hosts, Ports, read_port};
use crate::jdbc;
use crate::keywords;
use crate::kind::{Kind, Misfit};
use crate::layer::{Layer, Rank, Service};
use crate::libpq;
use crate::mask::masked;
use crate::mistake;
use crate::source::Source;
use crate::unknown_key::unknown_key;

impl Layer {
    /// The layer that a URL makes.
    pub(crate) fn of_url(rank: Rank, text: &str, source: &Source) -> Result<Self> {
        let mut layer = Layer {
            is_url: true,
            ..Layer::new(rank)
        };
        read_into(&mut layer, text, source)?;
        Ok(layer)
    }
}

/// Reads a URL into an empty layer. No error shows a secret of the URL.
fn read_into(layer: &mut Layer, text: &str, source: &Source) -> Result<()> {
    let text = text.trim();
    if text.is_empty() {
        return Err(
            mistake::config(format!("The URL{} is empty.", place(source)))
                .with_hint("Write postgres://USER@HOST/DATABASE, or sqlite:PATH for a file."),
        );
    }
    let of_file = file_without_scheme(text);
    let mut reading = Reading {
        layer,
        source,
        is_jdbc: false,
    };
    let result = match text.split_once(':') {
        _ if of_file.is_some() => reading.name_of_file(of_file, text),
        _ if keywords::is_keywords(text) => reading.keywords(text),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("jdbc") => reading.jdbc(rest),
        Some((scheme, rest)) => reading.read(scheme, rest),
        None => Err(not_a_url()),
    };
    result.map_err(|error| match error.class() {
        // With a scheme of another engine, the rest is nothing to be looked at.
        Class::Unsupported => error,
        _ => error.with_context(format!(
            "The URL {}{} cannot be used.",
            masked(text),
            place(source)
        )),
    })
}

/// The engine of a text that is the name of a file and has no scheme: `old.accdb`, `C:\old.mdb`.
fn file_without_scheme(text: &str) -> Option<Engine> {
    let (name, _) = split_query(text);
    let has_scheme = match name.split_once(':') {
        // The letter of a drive is one letter.
        Some((scheme, _)) => scheme.len() > 1 && !scheme.contains(['/', '\\', '.', '=']),
        None => false,
    };
    Engine::of_file_name(name).filter(|_| !has_scheme)
}

/// Where the URL is from, where the word URL does not say it already.
fn place(source: &Source) -> String {
    match source {
        Source::Url => String::new(),
        source => format!(" ({source})"),
    }
}

struct Reading<'a> {
    layer: &'a mut Layer,
    source: &'a Source,
    /// Whether its parameters have JDBC's names.
    is_jdbc: bool,
}

impl Reading<'_> {
    /// libpq's other form.
    fn keywords(&mut self, text: &str) -> Result<()> {
        if let Some(engine) = Engine::all().into_iter().find(|of| libpq::connects_to(*of)) {
            self.engine(engine);
        }
        keywords::read(text)?
            .iter()
            .try_for_each(|(key, value)| self.parameter(key, value))
    }

    fn jdbc(&mut self, rest: &str) -> Result<()> {
        let (scheme, rest) = rest.split_once(':').unwrap_or((rest, ""));
        match Engine::read(scheme) {
            Ok(engine) if libpq::connects_to(engine) && !rest.starts_with("//") => {
                Err(mistake::config("It is a JDBC URL without a host.")
                    .with_hint("Write postgres://USER@HOST:PORT/DATABASE."))
            }
            Ok(_) => {
                self.is_jdbc = true;
                self.read(scheme, rest)
            }
            Err(misfit) => Err(self.other_engine(scheme, &misfit)),
        }
    }

    fn name_of_file(&mut self, engine: Option<Engine>, text: &str) -> Result<()> {
        if let Some(engine) = engine {
            self.engine(engine);
        }
        self.file(text)
    }

    fn engine(&mut self, engine: Engine) {
        self.layer.values.engine = Some(engine);
        self.layer.sources.insert("engine", self.source.clone());
    }

    fn read(&mut self, scheme: &str, rest: &str) -> Result<()> {
        let engine = match Engine::read(scheme) {
            Ok(engine) => engine,
            Err(misfit) if rest.starts_with("//") => return Err(self.other_engine(scheme, &misfit)),
            Err(_) => return Err(not_a_url()),
        };
        self.engine(engine);
        match (engine.info().address, rest.strip_prefix("//")) {
            (AddressForm::File, _) => self.file(rest),
            (AddressForm::DataSource, _) => self.data_source(rest),
            (_, Some(rest)) => self.server(rest),
            (_, None) => Err(not_a_url()),
        }
    }

    fn other_engine(&self, scheme: &str, misfit: &Misfit) -> Error {
        let place = place(self.source);
        let message = format!(
            "The scheme of the URL{place}, `{scheme}`, {}.",
            misfit.problem
        );
        Error::new(misfit.class, message).with_hint(schemes())
    }

    /// SQLAlchemy's forms (three slashes before a relative path, four before an absolute
    /// one), and those without slashes.
    fn file(&mut self, rest: &str) -> Result<()> {
        let (path, query) = split_query(rest);
        let path = match path.strip_prefix("//") {
            Some(path) => path.strip_prefix('/').unwrap_or(path),
            None => path,
        };
        let path = decoded(path)?;
        // As a URI of SQLite's has it.
        let name = path.strip_prefix("file:").unwrap_or(&path);
        let parameters = parameters(query)?;
        let says = |key: &str, value: &str| {
            let mut all = parameters.iter();
            all.any(|(said, to)| said == key && to == value)
        };
        let memory = says("mode", "memory") || matches!(name, "" | ":memory:");
        let database = match memory {
            true if says("cache", "shared") => {
                let name = name.trim_matches(':');
                format!("file:{name}?mode=memory&cache=shared")
            }
            true => ":memory:".to_owned(),
            false => name.to_owned(),
        };
        self.put("database", &database)?;
        for (key, value) in &parameters {
            match (&**key, &**value) {
                ("mode", "ro") => self.put("read_only", "on")?,
                ("mode", "rw") => self.modes("off", "off")?,
                ("mode", "rwc") => self.modes("off", "on")?,
                ("mode", "memory") => {}
                ("mode", _) => {
                    let message = "`mode` is not one of ro, rw, rwc and memory.";
                    return Err(mistake::config(message));
                }
                ("cache", "shared") if memory => {}
                ("cache", "private") => {}
                ("cache", _) => {
                    let message = "`cache` must be private, or shared for a database in memory.";
                    return Err(mistake::config(message).with_hint(
                        "The readers of a file work beside its writer without a shared cache.",
                    ));
                }
                _ => self.parameter(key, value)?,
            }
        }
        Ok(())
    }

    /// `//NAME`, `NAME`, or with who connects: `//USER:PASSWORD@NAME`.
    fn data_source(&mut self, rest: &str) -> Result<()> {
        let (place, query) = split_query(rest);
        let place = place.strip_prefix("//").unwrap_or(place).trim_matches('/');
        let (user, name) = place.rsplit_once('@').unwrap_or(("", place));
        self.login(user)?;
        let name = decoded(name)?;
        if name.contains(['=', ';', '{', '}']) {
            // It may hold a password, which must not pass for a name.
            return Err(
                mistake::config("It is a connection string, and not a name.")
                    .with_hint("Give the data source a name in odbc.ini, and write odbc://NAME."),
            );
        }
        if !name.is_empty() {
            self.put("database", &name)?;
        }
        let parameters = parameters(query)?;
        let mut parameters = parameters.iter();
        parameters.try_for_each(|(key, value)| self.parameter(key, value))
    }

    /// `USER`, `USER:PASSWORD` or nothing.
    fn login(&mut self, text: &str) -> Result<()> {
        let (user, password) = match text.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (text, None),
        };
        if !user.is_empty() {
            self.put("user", &decoded(user)?)?;
        }
        match password {
            Some(password) => self.put("password", &decoded(password)?),
            None => Ok(()),
        }
    }

    fn modes(&mut self, read_only: &str, create: &str) -> Result<()> {
        self.put("read_only", read_only)?;
        // Another engine of files may know nothing of it.
        match self.layer.values.engine {
            Some(engine) if !engine.info().keys.contains(&"create") => Ok(()),
            _ => self.put("create", create),
        }
    }

    fn server(&mut self, rest: &str) -> Result<()> {
        let (place, query) = split_query(rest);
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        if authority.contains(':') && rest[authority.len()..].contains('@') {
            // Whatever is meant, a piece of a password must not pass for something else.
            return Err(mistake::config("It has an `@` after its host.").with_hint(
                "Within a password or a value, write `@` as %40, `/` as %2F, `?` as %3F.",
            ));
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (user, hosts),
            None => ("", authority),
        };
        self.login(user)?;
        self.hosts(hosts)?;
        if path.contains('/') {
            return Err(mistake::config("The name of its database contains a `/`.")
                .with_hint("If that is intended, write it as %2F."));
        }
        if !path.is_empty() {
            self.put("database", &decoded(path)?)?;
        }
        let parameters = parameters(query)?;
        // SQLAlchemy names several hosts by several parameters.
        let hosts: Vec<_> = parameters.iter().filter(|(key, _)| key == "host").collect();
        if !hosts.is_empty() {
            let hosts: Vec<_> = hosts.iter().map(|(_, host)| &**host).collect();
            self.parameter("host", &hosts.join(","))?;
        }
        parameters
            .iter()
            .filter(|(key, _)| key != "host")
            .try_for_each(|(key, value)| self.parameter(key, value))
    }

    /// One host's port is kept apart from it, so that a layer above can name another
    /// host at the same port; of several hosts each has its own.
    fn hosts(&mut self, text: &str) -> Result<()> {
        let mut hosts = Vec::new();
        for part in text.split(',') {
            let (name, port) = Host::split(part)
                .map_err(|problem| mistake::config(format!("One of its hosts {problem}.")))?;
            // The port is not shown: it may be a password whose host was forgotten.
            let port = port.map(read_port).transpose().map_err(|_| {
                mistake::config("The text after the `:` of a host is not a port.").with_hint(
                    "Ports are 1 to 65535. Within a password write `/` as %2F, `?` as %3F, `@` as %40.",
                )
            })?;
            hosts.push(Host {
                name: decoded(name)?.into_owned(),
                port,
            });
        }
        if let [host] = &mut hosts[..] {
            if let Some(port) = host.port.take() {
                self.layer.values.port = Some(Ports(vec![Some(port)]));
                self.layer.sources.insert("port", self.source.clone());
            }
            if host.name.is_empty() {
                return Ok(());
            }
        }
        let hosts = Hosts(hosts);
        hosts
            .check()
            .map_err(|problem| mistake::config(format!("One of its hosts {problem}.")))?;
        self.layer.values.host = Some(hosts);
        self.layer.sources.insert("host", self.source.clone());
        Ok(())
    }

    fn parameter(&mut self, key: &str, value: &str) -> Result<()> {
        if !self.layer.values.engine.is_some_and(libpq::connects_to) {
            return put_own(self.layer, key, value, self.source);
        }
        if self.is_jdbc {
            let (key, value) = jdbc::translate(key, value)?;
            return put_libpq(self.layer, &key, &value, self.source);
        }
        put_libpq(self.layer, key, value, self.source)
    }

    fn put(&mut self, key: &str, value: &str) -> Result<()> {
        put(self.layer, key, value, self.source)
    }
}

/// Puts a parameter of libpq, or a key of our own.
pub(crate) fn put_libpq(layer: &mut Layer, key: &str, value: &str, source: &Source) -> Result<()> {
    match (key, value) {
        ("service", name) => {
            let file = layer.service.take().and_then(|service| service.file);
            layer.service = Some(Service {
                name: name.to_owned(),
                file,
                source: source.clone(),
            });
            return Ok(());
        }
        ("servicefile", path) => {
            let name = layer.service.take().map(|service| service.name);
            layer.service = Some(Service {
                name: name.unwrap_or_default(),
                file: Some(path.into()),
                source: source.clone(),
            });
            return Ok(());
        }
        // As libpq reads it in a URL.
        ("ssl", "true" | "") => return put(layer, "sslmode", "require", source),
        _ => {}
    }
    match libpq::translate(key, value)? {
        Some((key, value)) => put_own(layer, key, &value, source),
        None => Ok(()),
    }
}

/// Puts a value of the kind that a URL has: a duration has its unit.
fn put_own(layer: &mut Layer, key: &str, value: &str, source: &Source) -> Result<()> {
    if let Some(field) = Field::of_key(key)
        && (field.lacks_unit)(value)
    {
        let number = value.trim();
        return Err(mistake::config(format!(
            "`{key}` is `{number}`, a number without a unit: some programs, such as PostgreSQL, \
             count milliseconds, others seconds."
        ))
        .with_hint(format!(
            "Write {key}={number}ms for milliseconds, or {key}={number}s for seconds."
        )));
    }
    put(layer, key, value, source)
}

fn put(layer: &mut Layer, key: &str, value: &str, source: &Source) -> Result<()> {
    match Field::of_key(key) {
        Some(field) => layer.put(field, value, source.clone()),
        None => Err(unknown_key("In its query", key)),
    }
}

fn not_a_url() -> Error {
    mistake::config("It does not begin with a scheme.")
        .with_hint("Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, or sqlite:PATH for a file.")
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

fn parameters(query: &str) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let parameters = query.split('&').filter(|part| !part.is_empty());
    let pair = |part| {
        let (key, value) = str::split_once(part, '=').ok_or_else(|| {
            mistake::config("A parameter of its query has no `=`.")
                .with_hint("Parameters are written KEY=VALUE; `&` within a value is %26.")
        })?;
        Ok((decoded(key)?, decoded(value)?))
    };
    parameters.map(pair).collect()
}

fn decoded(text: &str) -> Result<Cow<'_, str>> {
    let escapes_are_whole = text.split('%').skip(1).all(|after| {
        after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    });
    if !escapes_are_whole {
        return Err(
            mistake::config("It has a `%` without two hexadecimal digits after it.")
                .with_hint("Write the character `%` itself as %25."),
        );
    }
    percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| mistake::config("Its %-escapes are not UTF-8."))
}

/// The schemes of URLs.
fn schemes() -> String {
    let mut schemes = Vec::new();
    for engine in Engine::all() {
        let info = engine.info();
        match info.address {
            AddressForm::Server { .. } => {
                // The shorter names of a server are no scheme that anybody writes.
                let longer = info
                    .aliases
                    .iter()
                    .filter(|alias| alias.len() > info.name.len());
                let names = std::iter::once(&info.name).chain(longer);
                schemes.extend(names.map(|name| format!("{name}://")));
            }
            AddressForm::File => schemes.push(format!("{}:", info.name)),
            AddressForm::DataSource => schemes.push(format!("{}://", info.name)),
        }
    }
    let last = schemes.pop().unwrap_or_default();
    format!("URLs begin with {} or {last}.", schemes.join(", "))
}

//! libpq's file of services, `pg_service.conf`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use underpin_core::{Error, Result};

use crate::layer::{Layer, Rank, Service};
use crate::mistake;
use crate::reading::{ReadFile, unreadable};
use crate::source::Source;
use crate::url;

/// Fills in what the service has and the layer does not say.
pub(crate) fn fill(
    layer: &mut Layer,
    environment: Option<&BTreeMap<String, OsString>>,
    read: &ReadFile,
) -> Result<()> {
    let Some(service) = layer.service.take() else {
        return Ok(());
    };
    let (path, text) = find(&service, environment, read)?;
    let names_host = layer.sources.contains_key("host");
    let mut found = Layer::new(layer.rank);
    for (index, line) in section(&text, &service.name).into_iter().flatten() {
        let source = Source::File {
            path: path.clone(),
            line: Some(index + 1),
        };
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| mistake::config(format!("{source}: the line has no `=`.")))?;
        let (key, value) = (key.trim(), value.trim());
        if matches!(key, "service" | "servicefile") {
            return Err(mistake::config(format!(
                "{source}: a service cannot refer to another service."
            )));
        }
        url::put_libpq(&mut found, key, value, &source).map_err(|error| {
            error.with_context(format!("The service `{}` cannot be used.", service.name))
        })?;
    }
    // A service is above the variables, and below the URL that names it.
    if layer.rank != Rank::Libpq {
        let said: Vec<_> = layer.sources.keys().copied().collect();
        // A password is never combined with a host from elsewhere.
        found.forget(|field| {
            said.contains(&field.key) || names_host && field.key.starts_with("password")
        });
    }
    layer.take(found);
    Ok(())
}

/// The lines of a section that say something, with their numbers from 0.
fn section<'a>(text: &'a str, name: &str) -> Option<Vec<(usize, &'a str)>> {
    let mut found = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let heading = line.strip_prefix('[').and_then(|line| line.split_once(']'));
        match (heading, &mut found) {
            (Some(_), Some(_)) => break,
            (Some((heading, _)), None) if heading == name => found = Some(Vec::new()),
            (None, Some(lines)) if !line.is_empty() && !line.starts_with('#') => {
                lines.push((index, line));
            }
            _ => {}
        }
    }
    found
}

/// The first file that has the service: the one that is named, or the user's and then the
/// system's.
fn find(
    service: &Service,
    environment: Option<&BTreeMap<String, OsString>>,
    read: &ReadFile,
) -> Result<(PathBuf, String)> {
    let variable = |name: &str| environment?.get(name).map(PathBuf::from);
    let named = service.file.clone().or_else(|| variable("PGSERVICEFILE"));
    let candidates: Vec<PathBuf> = match &named {
        Some(named) => vec![named.clone()],
        None => {
            let home = variable("HOME").map(|home| home.join(".pg_service.conf"));
            let system = variable("PGSYSCONFDIR").map(|system| system.join("pg_service.conf"));
            home.into_iter().chain(system).collect()
        }
    };
    if environment.is_none() && named.is_none() {
        return Err(mistake::config(format!(
            "The service `{}` ({}) is looked up in a file that the environment names, but an \
             explicit URL does not read the environment.",
            service.name, service.source
        ))
        .with_hint("Add servicefile=PATH, or set it by PGSERVICE or DATABASE_URL."));
    }
    for path in &candidates {
        match read(path) {
            Ok(text) if section(&text, &service.name).is_some() => return Ok((path.clone(), text)),
            Ok(_) => {}
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(path, error)),
        }
    }
    Err(not_there(service, &candidates))
}

fn not_there(service: &Service, candidates: &[PathBuf]) -> Error {
    let paths: Vec<_> = candidates
        .iter()
        .map(|path: &PathBuf| shown(path))
        .collect();
    mistake::config(format!(
        "The service `{}` ({}) is not in {}.",
        service.name,
        service.source,
        match paths.is_empty() {
            true => "any file".to_owned(),
            false => paths.join(" or "),
        }
    ))
    .with_hint("Add a section of that name, or set PGSERVICEFILE to another file.")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

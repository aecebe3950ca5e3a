use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use underpin_core::Result;

use crate::field::{FIELDS, Field};
use crate::layer::{Layer, Rank, Service};
use crate::libpq;
use crate::mistake;
use crate::source::Source;
use crate::url;

/// The names of the variable that has a URL.
const URLS: [&str; 2] = ["DATABASE_URL", "DB_URL"];

/// Reads the environment for one database: `DATABASE_URL` and `DB_…`, led by the
/// database's name in capitals where it has one. Its URL, then its single variables.
pub(crate) fn read(
    environment: &BTreeMap<String, OsString>,
    database: Option<&str>,
) -> Result<Vec<Layer>> {
    let prefix = prefix(database);
    let mut layer = Layer::new(Rank::Environment);
    let mut url: Option<(String, Layer)> = None;
    for (variable, value) in environment {
        let own = variable.strip_prefix(&prefix);
        // The environment of the whole service, not of one database.
        let own = if variable == "UNDERPIN_ENV" {
            Some(variable.as_str())
        } else {
            own
        };
        let Some(name) = own else { continue };
        let field = Field::of_variable(name);
        if !URLS.contains(&name) && field.is_none() {
            refuse_a_near_miss(&prefix, name)?;
            continue;
        }
        let source = Source::Environment(variable.clone());
        let text = text_of(variable, value)?;
        match field {
            Some(field) => layer.put(field, text, source)?,
            None => {
                if let Some((first, _)) = &url {
                    let message = format!("{first} and {variable} are both set.");
                    return Err(mistake::config(message).with_hint("Remove one of the two."));
                }
                url = Some((
                    variable.clone(),
                    Layer::of_url(Rank::Environment, text, &source)?,
                ));
            }
        }
    }
    layer.check_password()?;
    Ok(url
        .map(|(_, layer)| layer)
        .into_iter()
        .chain([layer])
        .collect())
}

/// Reads libpq's variables, those of the service first, since it is above them.
pub(crate) fn read_libpq(environment: &BTreeMap<String, OsString>) -> Result<Layer> {
    let mut layer = Layer::new(Rank::Libpq);
    let set = |variable: &str| environment.get(variable).filter(|value| !value.is_empty());
    for (variable, parameter) in libpq::variables() {
        if let Some(value) = set(variable) {
            let source = Source::Environment(variable.to_owned());
            url::put_libpq(&mut layer, parameter, text_of(variable, value)?, &source).map_err(
                |error| {
                    error.with_context(format!(
                        "The environment variable {variable} cannot be used."
                    ))
                },
            )?;
        }
    }
    for (variable, setting) in libpq::SESSION_VARIABLES {
        if let Some(value) = set(variable) {
            let value = text_of(variable, value)?
                .replace('\\', r"\\")
                .replace(' ', r"\ ");
            let before = layer.values.options.take().flatten();
            let before = before.map_or_else(String::new, |options| format!(" {options}"));
            layer.values.options = Some(Some(format!("-c {setting}={value}{before}")));
            let source = Source::Environment(variable.to_owned());
            layer.sources.entry("options").or_insert(source);
        }
    }
    if let Some(service) = set("PGSERVICE") {
        layer.service = Some(Service {
            name: text_of("PGSERVICE", service)?.to_owned(),
            file: None,
            source: Source::Environment("PGSERVICE".to_owned()),
        });
    }
    Ok(layer)
}

/// Where libpq looks for passwords: `PGPASSFILE`, or `.pgpass` in the user's directory.
pub(crate) fn passfile(environment: &BTreeMap<String, OsString>) -> Option<PathBuf> {
    let set = |variable: &str| environment.get(variable).filter(|value| !value.is_empty());
    set("PGPASSFILE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(set("HOME")?).join(".pgpass")))
}

/// Prefix of the variables of a database: nothing, or `MAIN_`.
pub(crate) fn prefix(database: Option<&str>) -> String {
    database.map_or_else(String::new, |name| {
        format!("{}_", name.to_ascii_uppercase().replace('-', "_"))
    })
}

fn text_of<'a>(variable: &str, value: &'a OsStr) -> Result<&'a str> {
    let Some(text) = value.to_str() else {
        return Err(mistake::config(format!(
            "The environment variable {variable} is not valid UTF-8."
        )));
    };
    let may_be_empty = variable.ends_with("DB_PASSWORD");
    match text.trim().is_empty() && !may_be_empty {
        true => Err(mistake::config(format!(
            "The environment variable {variable} is set, but empty."
        ))
        .with_hint("Set a value, or unset it.")),
        false => Ok(text),
    }
}

/// The environment holds variables of other programs, and `DB_…` is a common name: only
/// what is nearly a known variable is taken for a mistake.
fn refuse_a_near_miss(prefix: &str, name: &str) -> Result<()> {
    let Some(key) = name.strip_prefix("DB_") else {
        return Ok(());
    };
    let upper: Vec<String> = FIELDS
        .iter()
        .filter_map(|field| field.variable.strip_prefix("DB_").map(|own| (field, own)))
        .flat_map(|(field, own)| {
            let others = [field.key].into_iter().chain(field.aliases.iter().copied());
            others.map(str::to_ascii_uppercase).chain([own.to_owned()])
        })
        .collect();
    let Some(nearest) = mistake::nearest(key, upper.iter().map(String::as_str)) else {
        return Ok(());
    };
    // Of a word of four letters two are half.
    let allowed = if key.len() > 4 { 2 } else { 1 };
    if strsim::osa_distance(key, nearest) > allowed {
        return Ok(());
    }
    Err(mistake::config(format!(
        "The environment variable {prefix}{name} is not a known variable."
    ))
    .with_hint(format!(
        "The nearest known variable is {prefix}DB_{nearest}."
    )))
}

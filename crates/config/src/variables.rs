use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use underpin_core::Result;

use crate::field::Field;
use crate::fields::FIELDS;
use crate::layer::{Layer, Rank};
use crate::mistake;
use crate::source::Source;

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
        // What the whole service runs for, not one database.
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

/// What the variables of a database begin with: nothing, or `MAIN_`.
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
        .with_hint("Give it a value, or unset it.")),
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
        "The environment variable {prefix}{name} is not a known one."
    ))
    .with_hint(format!("The nearest known one is {prefix}DB_{nearest}.")))
}

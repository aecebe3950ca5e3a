use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use underpin_core::Result;

use crate::field::Field;
use crate::layer::{Layer, Rank};
use crate::mistake;
use crate::source::Source;
use crate::unknown_key::unknown_key;

/// The contents of a file.
pub(crate) struct File {
    /// Its URL, then its single keys.
    pub(crate) layers: Vec<Layer>,
    /// The databases that it names.
    pub(crate) databases: Vec<String>,
}

/// Reads the text of `underpin.toml` for one database: the keys at its top, or those of
/// the table `[databases.NAME]`.
pub(crate) fn read(path: &Path, text: &str, database: Option<&str>) -> Result<File> {
    let mut reading = Reading {
        path,
        text,
        layer: Layer::new(Rank::File),
        url: None,
    };
    let document = DeTable::parse(text).map_err(|error| {
        // The parser's own display shows the line, which may hold a password.
        let place = reading.source(error.span());
        mistake::config(format!(
            "{place}: this is not TOML: {}.",
            one_line(error.message())
        ))
    })?;
    let mut databases = Vec::new();
    for (key, value) in document.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("databases", DeValue::Table(tables)) => {
                for (name, table) in tables {
                    databases.push(name.get_ref().to_string());
                    if database == Some(name.get_ref()) {
                        reading.database(name, table)?;
                    }
                }
            }
            // Of one database, as all keys at the top.
            (name, DeValue::Table(_)) if GROUPS.contains(&name) && database.is_some() => {}
            (name, DeValue::Table(_)) if GROUPS.contains(&name) => reading.key(key, value)?,
            (name, DeValue::Table(_)) => {
                let place = reading.source(Some(key.span()));
                let message =
                    format!("{place}: `[{name}]` is not a valid table of the configuration.");
                return Err(mistake::config(message).with_hint(format!(
                    "The table of a database with that name is `[databases.{name}]`."
                )));
            }
            // The environment of the whole service, not of one database.
            ("environment", _) => reading.key(key, value)?,
            (name, _) if database.is_some() => {
                reading.known(name, key.span())?;
            }
            _ => reading.key(key, value)?,
        }
    }
    reading.layer.check_password()?;
    let layers = reading.url.into_iter().chain([reading.layer]).collect();
    Ok(File { layers, databases })
}

/// The tables whose keys begin with their name elsewhere: `[scratch] url` is `scratch_url`.
const GROUPS: [&str; 2] = ["migrate", "scratch"];

struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    layer: Layer,
    url: Option<Layer>,
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;

impl Reading<'_> {
    fn source(&self, span: Option<Range<usize>>) -> Source {
        let before = span.and_then(|span| self.text.as_bytes().get(..span.start));
        let line = before.map(|text| 1 + text.iter().filter(|byte| **byte == b'\n').count());
        Source::File {
            path: self.path.to_owned(),
            line,
        }
    }

    fn database(&mut self, name: &Key<'_>, table: &Spanned<DeValue<'_>>) -> Result<()> {
        let DeValue::Table(table) = table.get_ref() else {
            let place = self.source(Some(name.span()));
            let name = name.get_ref();
            return Err(
                mistake::config(format!("{place}: `databases.{name}` is not a table."))
                    .with_hint(format!("Write [databases.{name}] and its keys below.")),
            );
        };
        table
            .iter()
            .try_for_each(|(key, value)| self.key(key, value))
    }

    fn known(&self, key: &str, span: Range<usize>) -> Result<Option<&'static Field>> {
        let field = Field::of_key(key);
        match field {
            None if key != "url" => Err(unknown_key(&self.source(Some(span)).to_string(), key)),
            _ => Ok(field),
        }
    }

    /// The keys of a table such as `[scratch]`, which begin with its name elsewhere.
    fn group(&mut self, group: &str, table: &DeTable<'_>) -> Result<()> {
        table.iter().try_for_each(|(key, value)| {
            let name = format!("{group}_{}", key.get_ref());
            self.key(&Spanned::new(key.span(), name.into()), value)
        })
    }

    fn key(&mut self, key: &Key<'_>, value: &Spanned<DeValue<'_>>) -> Result<()> {
        if let DeValue::Table(table) = value.get_ref()
            && GROUPS.contains(&key.get_ref().as_ref())
        {
            let group = key.get_ref().to_string();
            return self.group(&group, table);
        }
        let field = self.known(key.get_ref(), key.span())?;
        let source = self.source(Some(key.span()));
        let Some(text) = text_of(value.get_ref()) else {
            let kind = value.get_ref().type_str();
            return Err(mistake::config(format!(
                "`{}` ({source}) cannot be {kind}: expected a text, a number, true or false.",
                key.get_ref()
            )));
        };
        match field {
            Some(field) => self.layer.put(field, &text, source),
            None => {
                self.url = Some(Layer::of_url(Rank::File, &text, &source)?);
                Ok(())
            }
        }
    }
}

/// The value as it would be written in the environment; a list is joined by commas.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .map(|n| n.to_string()),
        DeValue::Float(float) => Some(float.as_str().to_owned()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        DeValue::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| text_of(item.get_ref())).collect();
            texts.map(|texts| texts.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn one_line(message: &str) -> String {
    message.trim_end_matches('.').replace('\n', "; ")
}

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use underpin_config::Config;
use underpin_core::{Class, Error, Result};

/// What can be said, for errors.
const SAYABLE: &str = "A schema comes from `database` (the configured one), a URL such as \
    postgres://app@db1/shop or sqlite:shop.db, the path of a .sql file or of a directory of \
    them, or, of the program, its `models` or its `revisions`.";

/// Where a schema comes from. As text it is `database`, a URL, `models`, `revisions`, or a
/// path; a file of one of those names is `./models`.
///
/// ```
/// use underpin::schema::Source;
///
/// let source: Source = "sqlite:shop.db".parse()?;
/// assert_eq!(source.to_string(), "sqlite:///shop.db");
/// assert!(matches!("models".parse()?, Source::Models));
/// # Ok::<(), underpin::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The database that is configured.
    Database,
    /// Another database.
    Url(Box<Config>),
    /// The models of the program.
    Models,
    /// The revisions of the program: what all of them make.
    Revisions,
    /// A file of SQL, or a directory of them.
    Sql(PathBuf),
}

impl FromStr for Source {
    type Err = Error;

    /// Reads a source. No error shows a secret of a URL.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "database" => return Ok(Source::Database),
            "models" => return Ok(Source::Models),
            "revisions" => return Ok(Source::Revisions),
            _ => {}
        }
        let path = Path::new(text);
        if path.exists() {
            return Ok(Source::Sql(path.to_owned()));
        }
        if has_scheme(text) {
            return Ok(Source::Url(Box::new(Config::from_url(text)?)));
        }
        let message = format!("{text} is not a file, a directory or another source of a schema.");
        Err(Error::new(Class::Config, message).with_hint(SAYABLE))
    }
}

/// Whether the text begins as a URL does.
fn has_scheme(text: &str) -> bool {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    !scheme.is_empty() && scheme.chars().all(belongs)
}

/// The URL without its password and options.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Database => f.write_str("database"),
            Source::Url(config) => {
                let url = config.to_url_masked();
                f.write_str(url.split_once('?').map_or(&*url, |(place, _)| place))
            }
            Source::Models => f.write_str("models"),
            Source::Revisions => f.write_str("revisions"),
            Source::Sql(path) => write!(f, "{}", path.display()),
        }
    }
}

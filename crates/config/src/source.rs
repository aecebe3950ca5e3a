use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A line of a file, `underpin.toml` as a rule.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
    },
    /// A line of a file of passwords, which is for one place and user.
    Passfile {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A [`ConfigBuilder`](crate::ConfigBuilder).
    Code,
    /// A property of a map in the old style.
    Property(String),
    /// The environment variable of this name.
    Environment(String),
    /// The URL that was given explicitly.
    Url,
    /// The flag of this name, without its dashes.
    Flag(String),
    /// A layer gave a value, and a rule put it aside.
    Overruled {
        /// Where the value that is not used comes from.
        given: Box<Source>,
        /// The rule, as a clause.
        because: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File {
                path,
                line: Some(line),
            } => {
                write!(f, "{}, line {line}", path.display())
            }
            Source::Passfile { path, line } => write!(f, "{}, line {line}", path.display()),
            Source::File { path, line: None } => write!(f, "{}", path.display()),
            Source::Code => f.write_str("code"),
            Source::Property(name) => write!(f, "property {name}"),
            Source::Environment(name) => write!(f, "environment variable {name}"),
            Source::Url => f.write_str("URL"),
            Source::Flag(name) => write!(f, "flag --{}", name.replace('_', "-")),
            Source::Overruled { given, because } => {
                write!(f, "{because}; the value of {given} is not used")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_place() {
        let line = Source::File {
            path: "underpin.toml".into(),
            line: Some(3),
        };
        assert_eq!(line.to_string(), "underpin.toml, line 3");
        assert_eq!(
            Source::Flag("pool_max_size".into()).to_string(),
            "flag --pool-max-size"
        );
        let overruled = Source::Overruled {
            given: Box::new(line),
            because: "a rule".into(),
        };
        assert_eq!(
            overruled.to_string(),
            "a rule; the value of underpin.toml, line 3 is not used"
        );
    }
}

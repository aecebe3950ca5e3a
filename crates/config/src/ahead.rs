use std::fmt;
use std::str::FromStr;

/// What a run of migrations does if the database has revisions that the program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Ahead {
    /// It refuses to run.
    #[default]
    Error,
    /// It warns, leaves those revisions as they are, and applies what is pending.
    Ignore,
}

impl Ahead {
    /// The name used in configuration and output.
    pub fn name(self) -> &'static str {
        match self {
            Ahead::Error => "error",
            Ahead::Ignore => "ignore",
        }
    }
}

impl fmt::Display for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Ahead {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "error" => Ok(Ahead::Error),
            "ignore" => Ok(Ahead::Ignore),
            _ => Err("is neither error nor ignore".into()),
        }
    }
}

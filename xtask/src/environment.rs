use std::ffi::OsString;
use std::process::Command;

/// The environment variables that this run sets for the programs that it starts.
#[derive(Debug, Default, Clone)]
pub(crate) struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value that this run has set, or else that of its own environment. An empty value
    /// counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        let own = self.0.iter().rev().find(|(known, _)| known == name);
        own.map(|(_, value)| value.clone())
            .or_else(|| std::env::var_os(name))
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether what is unavailable is a failure.
    pub(crate) fn is_ci(&self) -> bool {
        self.get("CI").is_some_and(|value| value == "true")
    }

    /// Puts a directory before those of a list such as `PATH`.
    pub(crate) fn prepend(&mut self, name: &str, directory: impl Into<OsString>) {
        let mut list = directory.into();
        if let Some(rest) = self.get(name) {
            list.push(":");
            list.push(rest);
        }
        self.set(name, list);
    }

    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Whether a program of this name is on the `PATH`.
    pub(crate) fn finds(&self, program: &str) -> bool {
        let path = self.get("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    }
}

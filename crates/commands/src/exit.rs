use std::io::Write;
use std::process::ExitCode;

use underpin::{Class, Error, Result, Stage};

/// Exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Exit {
    /// 0: done, and where a question was asked, the answer is yes.
    Success = 0,
    /// 1: done, and the answer is no: the database does not answer, the revisions are not in order,
    /// the schemas differ.
    No = 1,
    /// 2: the command line or the configuration is wrong; nothing was tried.
    Usage = 2,
    /// 3: the database could not be reached, or refused the user.
    Unreachable = 3,
    /// 4: the database was reached, but the operation failed.
    Failed = 4,
    /// 130: interrupted by Ctrl-C or SIGTERM; the statement was canceled on the server.
    Interrupted = 130,
}

/// The lines that `--help` shows of the exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done; if the command asks a question, the answer is yes
  1  done, and the answer is no: the database does not answer, the revisions are not in order,
     the schemas differ
  2  the command line or the configuration is wrong; nothing was tried
  3  the database could not be reached, or refused the user
  4  the database was reached, but the operation failed
  130  interrupted by Ctrl-C or SIGTERM; the statement was canceled on the server";

/// The exit codes of every command and what each means, as `--help` shows them.
pub fn exit_codes() -> &'static str {
    HELP.split_once('\n').map_or(HELP, |(_, codes)| codes)
}

impl Exit {
    /// Returns the exit code of a result; an error is printed to standard error.
    pub fn of(result: Result<Exit>) -> Self {
        result.unwrap_or_else(|error| {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            Exit::from(&error)
        })
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error.class() {
            Class::Config => Exit::Usage,
            Class::Connect | Class::Auth | Class::Protocol => Exit::Unreachable,
            Class::Timeout {
                stage: Stage::Connect | Stage::Queue | Stage::Validate,
            } => Exit::Unreachable,
            _ => Exit::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_of_error_has_its_code() {
        let exit = |class| Exit::from(&Error::new(class, "It failed."));
        assert_eq!(exit(Class::Config), Exit::Usage);
        assert_eq!(exit(Class::Auth), Exit::Unreachable);
        assert_eq!(
            exit(Class::Timeout {
                stage: Stage::Connect
            }),
            Exit::Unreachable
        );
        assert_eq!(
            exit(Class::Timeout {
                stage: Stage::Statement
            }),
            Exit::Failed
        );
        assert_eq!(exit(Class::Syntax), Exit::Failed);
    }
}

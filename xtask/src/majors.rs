//! The other major versions of PostgreSQL on which the tests that depend on the version run again.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::tools;

/// The major versions that Underpin supports.
const ALL: std::ops::RangeInclusive<u32> = 13..=18;

/// The option that chooses them, and the variable that does so where the option is missing.
const OPTION: &str = "--majors=";
const VARIABLE: &str = "UNDERPIN_TEST_MAJORS";

/// The tests that depend on the version of the server, as nextest selects them.
pub(crate) const TESTS: &str = "\
    package(underpin-schema) & binary(postgres) \
    | package(underpin) & binary(suite) & test(/^(autogenerate|expressions|migrate|models|schema_sql|schema_status|scratch|updated)/) \
    | package(underpin-commands) & binary(autogenerate) \
    | package(jobmatch)";

/// Takes the option out of the arguments, and returns the versions to run on, beside the one that
/// all tests run on. None unless they are asked for.
///
/// # Errors
///
/// For a choice that cannot be read.
pub(crate) fn take(
    arguments: &mut Vec<String>,
    environment: &Environment,
) -> Result<Vec<u32>, String> {
    let place = arguments.iter().position(|one| one.starts_with(OPTION));
    let option = place.map(|place| arguments.remove(place)[OPTION.len()..].to_owned());
    let variable = environment.get(VARIABLE);
    let variable = variable.map(|text| text.to_string_lossy().into_owned());
    let own = own(environment);
    match option.or(variable) {
        Some(asked) => parsed(&asked, own),
        None => Ok(Vec::new()),
    }
}

/// `all`, `none`, or major versions with commas between them.
fn parsed(asked: &str, own: Option<u32>) -> Result<Vec<u32>, String> {
    let others = || ALL.filter(|major| Some(*major) != own).collect();
    match asked {
        "all" => return Ok(others()),
        "none" => return Ok(Vec::new()),
        _ => {}
    }
    let majors = asked.split(',').map(|text| text.trim().parse().ok());
    let majors: Option<Vec<u32>> = majors.collect();
    majors
        .filter(|majors| majors.iter().all(|major| ALL.contains(major)))
        .ok_or_else(|| {
            format!(
                "{OPTION}{asked} is not all, none or a list of versions from {} to {}",
                ALL.start(),
                ALL.end()
            )
        })
}

/// The major version of the server that all tests run on, where that is known.
fn own(environment: &Environment) -> Option<u32> {
    if environment.has("UNDERPIN_TEST_POSTGRES_URL") {
        return None;
    }
    let programs = tools::postgres_programs(environment)?;
    version(&programs, environment)
}

fn version(programs: &Path, environment: &Environment) -> Option<u32> {
    let mut command = environment.command(programs.join("postgres"));
    let output = command.arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

/// The 15 in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(text: &str) -> Option<u32> {
    let (_, text) = text.split_once("(PostgreSQL) ")?;
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

/// The environment of a run on another version.
pub(crate) fn environment(environment: &Environment, programs: PathBuf) -> Environment {
    let mut other = environment.clone();
    other.set("UNDERPIN_TEST_POSTGRES_BIN", programs);
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_comes_before_the_variable_and_goes() {
        let mut environment = Environment::default();
        environment.set("UNDERPIN_TEST_POSTGRES_URL", "postgres://localhost");
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut none = texts(&["some_test"]);
        assert_eq!(take(&mut none, &environment), Ok(vec![]));
        environment.set(VARIABLE, "18,13");
        assert_eq!(take(&mut none, &environment), Ok(vec![18, 13]));
        let mut all = texts(&["some_test", "--majors=all"]);
        assert_eq!(take(&mut all, &environment), Ok(ALL.collect()));
        assert_eq!(all, ["some_test"]);
        let mut wrong = texts(&["--majors=12"]);
        let error = take(&mut wrong, &environment).unwrap_err();
        let expected = "--majors=12 is not all, none or a list of versions from 13 to 18";
        assert_eq!(error, expected);
        assert_eq!(parsed("none", None), Ok(vec![]));
        assert_eq!(parsed("all", Some(15)), Ok(vec![13, 14, 16, 17, 18]));
    }

    #[test]
    fn the_version_of_a_program_is_read() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(major(debian), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("another program"), None);
    }
}

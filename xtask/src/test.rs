//! Runs every test of the project against real servers, which it starts and stops.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::leaks;
use crate::majors;
use crate::outcome::Outcome;
use crate::run::Log;
use crate::server::Server;
use crate::skips;
use crate::tools;

pub(crate) fn run(checkout: &Checkout, arguments: &[String]) -> ExitCode {
    match TestRun::new(checkout, arguments).and_then(TestRun::finish) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("The tests could not be run: {error}.");
            ExitCode::FAILURE
        }
    }
}

struct TestRun<'a> {
    checkout: &'a Checkout,
    arguments: Vec<String>,
    environment: Environment,
    /// The other major versions of PostgreSQL to run on.
    majors: Vec<u32>,
    /// A directory that only this user reads: the secrets of the run are in it.
    private: PathBuf,
    log: Log,
    outcome: Outcome,
    /// Whether every runner said that all is well.
    runners_agree: bool,
    lines: Vec<String>,
    /// The tests that reported that they cannot run on another major version.
    skips_elsewhere: Vec<String>,
    /// What could not run at all, each with the reason.
    unavailable: Vec<String>,
}

impl<'a> TestRun<'a> {
    fn new(checkout: &'a Checkout, arguments: &'a [String]) -> io::Result<Self> {
        let private = checkout.target.join("test-run");
        let _ = fs::remove_dir_all(&private);
        DirBuilder::new().mode(0o700).create(&private)?;
        let mut environment = Environment::default();
        for (name, file) in [
            ("UNDERPIN_TEST_SKIPS", "skips"),
            ("UNDERPIN_TEST_SECRETS", "secrets"),
        ] {
            let path = private.join(file);
            File::create(&path)?;
            environment.set(name, path);
        }
        environment.set("CARGO_TERM_COLOR", "never");
        Ok(TestRun {
            checkout,
            arguments: arguments.to_vec(),
            environment,
            majors: Vec::new(),
            private,
            log: Log::create(checkout.target.join("test-output.log"))?,
            outcome: Outcome::default(),
            runners_agree: true,
            lines: Vec::new(),
            skips_elsewhere: Vec::new(),
            unavailable: Vec::new(),
        })
    }

    /// Runs everything, prints the closing lines, and returns whether no test failed.
    fn finish(mut self) -> io::Result<bool> {
        let tools = tools::provide(self.checkout, &mut self.environment);
        let majors = majors::take(&mut self.arguments, &self.environment);
        self.majors = majors.map_err(io::Error::other)?;
        let passed = match self.build()? {
            true => self.run_tests()?,
            false => {
                println!("\nThe tests do not build.\n0 passed, 1 failed, 0 skipped");
                false
            }
        };
        drop(tools);
        fs::remove_dir_all(&self.private)?;
        Ok(passed)
    }

    /// Cargo in one of the two workspaces.
    fn cargo(&self, peers: bool, arguments: &[&str]) -> Command {
        let mut command = self.environment.command(env!("CARGO"));
        command.current_dir(&self.checkout.root).args(arguments);
        if peers {
            command.arg("--manifest-path").arg(self.checkout.peers());
            command.args(["--target-dir"]).arg(&self.checkout.target);
            command.args(["--package", "underpin-adopt"]);
        } else {
            command.arg("--workspace");
        }
        command
    }

    fn build(&mut self) -> io::Result<bool> {
        for peers in [false, true] {
            let command = self.cargo(peers, &["test", "--no-run"]);
            if !self.log.run(command)?.0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn run_tests(&mut self) -> io::Result<bool> {
        let server = self.start_server()?;
        // What a program logs when it is asked for everything must not hold a password either.
        if !self.environment.has("RUST_LOG") {
            self.environment.set("RUST_LOG", "trace");
        }
        for peers in [false, true] {
            self.run_runner(peers)?;
        }
        let mut docs = self.cargo(false, &["test", "--doc", "--no-fail-fast"]);
        docs.args(&self.arguments).args(["--", "--show-output"]);
        self.note(docs)?;
        drop(server);
        let majors = std::mem::take(&mut self.majors);
        if !majors.is_empty()
            && let Err(error) = tools::pg_dump(&mut self.environment)
        {
            println!("There is no pg_dump for other versions of PostgreSQL: {error}.");
        }
        for major in majors {
            self.run_on(major)?;
        }
        self.close()
    }

    /// Runs the tests that depend on the version of the server on another one.
    fn run_on(&mut self, major: u32) -> io::Result<()> {
        if !self.has_nextest() {
            self.unavailable(major, "cargo-nextest is not installed");
            return Ok(());
        }
        let programs = match tools::major(self.checkout, major) {
            Ok(programs) => programs,
            Err(error) => {
                self.unavailable(major, &error.to_string());
                return Ok(());
            }
        };
        println!("Running the tests that depend on the server on PostgreSQL {major}.");
        let mut other = majors::environment(&self.environment, programs.programs.clone());
        let skips = self.private.join(format!("skips-{major}"));
        File::create(&skips)?;
        other.set("UNDERPIN_TEST_SKIPS", &skips);
        let here = std::mem::replace(&mut self.environment, other);
        let server = Server::start(self.checkout, &mut self.environment);
        let server = server.map_err(io::Error::other)?;
        let mut command = self.nextest(false);
        command.args(["--filterset", majors::TESTS]);
        let lines = self.lines.len();
        self.note(command)?;
        // Those that the filter leaves out are listed like ones that are marked to be ignored.
        self.lines.truncate(lines);
        drop(server);
        self.environment = here;
        let skips = skips::reported(&skips)?.into_iter();
        self.skips_elsewhere
            .extend(skips.map(|skip| format!("{skip} (PostgreSQL {major})")));
        Ok(())
    }

    fn unavailable(&mut self, major: u32, reason: &str) {
        println!("The tests do not run on PostgreSQL {major}: {reason}.");
        let tests = format!("the tests that depend on the server, on PostgreSQL {major}");
        self.unavailable.push(format!("{tests}: {reason}."));
    }

    fn start_server(&mut self) -> io::Result<Option<Server>> {
        if self.environment.has("UNDERPIN_TEST_POSTGRES_URL") {
            return Ok(None);
        }
        if !tools::has_postgres(&self.environment) {
            println!("There is no PostgreSQL here; tests that need it are skipped.");
            return Ok(None);
        }
        Server::start(self.checkout, &mut self.environment)
            .map(Some)
            .map_err(io::Error::other)
    }

    /// The tests of one workspace but for those in documents, by nextest where it is installed.
    fn run_runner(&mut self, peers: bool) -> io::Result<()> {
        let command = if self.has_nextest() {
            self.nextest(peers)
        } else {
            let kinds = ["test", "--lib", "--bins", "--tests", "--no-fail-fast"];
            let mut command = self.cargo(peers, if peers { &kinds[..1] } else { &kinds });
            command.args(&self.arguments).args(["--", "--show-output"]);
            command
        };
        self.note(command)
    }

    fn nextest(&self, peers: bool) -> Command {
        let mut command = self.cargo(peers, &["nextest", "run", "--no-fail-fast"]);
        command
            .args(["--no-tests=pass", "--color=never", "--status-level=all"])
            .args(["--success-output=immediate", "--failure-output=final"])
            .arg("--config-file")
            .arg(self.checkout.root.join(".config/nextest.toml"))
            .args(&self.arguments);
        command
    }

    fn has_nextest(&self) -> bool {
        let mut command = self.environment.command(env!("CARGO"));
        let output = command.args(["nextest", "--version"]).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// Runs a command and adds what it says to the outcome.
    fn note(&mut self, command: Command) -> io::Result<()> {
        let (success, lines) = self.log.run(command)?;
        self.outcome += Outcome::of(&lines);
        self.runners_agree &= success;
        self.lines.extend(lines);
        Ok(())
    }

    /// Prints the closing lines.
    fn close(&mut self) -> io::Result<bool> {
        let mut skipped = skips::reported(&self.private.join("skips"))?;
        skipped.extend(std::mem::take(&mut self.skips_elsewhere));
        // A test that reported that it cannot run here has returned early, as if it passed.
        let passed = self.outcome.passed.saturating_sub(skipped.len());
        let mut failed = self.outcome.failed;
        skipped.extend(skips::ignored(&self.lines, !self.arguments.is_empty()));
        if !self.unavailable.is_empty() && self.environment.is_ci() {
            failed += self.unavailable.len();
        }
        skipped.extend(std::mem::take(&mut self.unavailable));

        println!();
        let leaks = leaks::find(&self.private.join("secrets"), &self.log.path)?;
        for leak in &leaks {
            println!(
                "Secret number {} of this run was printed: line {} of {}.",
                leak.secret,
                leak.line,
                self.log.path.display()
            );
        }
        let mut secrets: Vec<usize> = leaks.iter().map(|leak| leak.secret).collect();
        secrets.dedup();
        failed += secrets.len();
        if !self.runners_agree && failed == 0 {
            println!("The test runner itself failed.");
            failed = 1;
        }
        if passed + failed + skipped.len() == 0 {
            println!("No test ran.");
            failed = 1;
        }
        if !skipped.is_empty() {
            println!("Skipped:");
        }
        for skip in &skipped {
            println!("  {skip}");
        }
        println!(
            "{passed} passed, {failed} failed, {} skipped",
            skipped.len()
        );
        Ok(failed == 0)
    }
}

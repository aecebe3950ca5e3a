use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::checkout::Checkout;
use crate::environment::Environment;

/// The PostgreSQL server that all tests of a run share. Dropped, it is stopped.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Server {
    /// Starts the server and sets the variables by which tests find it.
    ///
    /// # Errors
    ///
    /// When it does not start; the text says why.
    pub(crate) fn start(
        checkout: &Checkout,
        environment: &mut Environment,
    ) -> Result<Self, String> {
        let program = checkout.target.join("debug/underpin-test-server");
        let mut child = environment
            .command(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let output = child.stdout.take().expect("the output is a pipe");
        let server = Server(child);
        let mut ready = false;
        for line in BufReader::new(output).lines() {
            let line = line.map_err(|error| error.to_string())?;
            let Some((name, value)) = variable(&line) else {
                ready = line.is_empty();
                break;
            };
            environment.set(name, value);
        }
        match ready {
            true => Ok(server),
            false => Err("The PostgreSQL server for the tests did not start.".into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input tells the server to stop.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// The name and value in `export NAME='value'`.
fn variable(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    Some((name, value.trim_matches('\'')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_server_is_read() {
        let line = "export UNDERPIN_TEST_POSTGRES_URL='postgres://a:b@c/d?e=f'";
        let expected = ("UNDERPIN_TEST_POSTGRES_URL", "postgres://a:b@c/d?e=f");
        assert_eq!(variable(line), Some(expected));
        assert_eq!(variable(""), None);
    }
}

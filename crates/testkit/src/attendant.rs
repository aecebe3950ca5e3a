use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A shell beside the test process that looks after something which must not outlive it.
///
/// It takes orders on its standard input, one a line, and answers each with one line. When the
/// input ends it cleans up and exits. The system closes that pipe even when the test process is
/// killed, which no destructor can promise.
#[derive(Debug)]
pub(crate) struct Attendant {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Attendant {
    /// Starts the shell, in a process group of its own so that Ctrl-C does not reach it before
    /// it has cleaned up.
    pub(crate) fn start(mut shell: Command) -> io::Result<Self> {
        let mut child = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let orders = child.stdin.take();
        let answers = child.stdout.take().map(BufReader::new);
        Ok(Attendant {
            child,
            orders,
            answers: answers.ok_or(io::ErrorKind::BrokenPipe)?,
        })
    }

    /// Gives an order and waits for its answer, which the script bounds in time.
    pub(crate) fn ask(&mut self, order: &str) -> io::Result<String> {
        let orders = self.orders.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(orders, "{order}")?;
        self.answer()
    }

    /// The next line that the shell prints.
    pub(crate) fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::summary::Summary;

/// The file that keeps all output of a run.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) path: PathBuf,
    file: File,
}

impl Log {
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        let file = File::create(&path)?;
        Ok(Log { path, file })
    }

    /// Runs a command, adds its output to the log, prints what a person wants to see of it, and
    /// returns whether the command succeeded with its output.
    pub(crate) fn run(&mut self, mut command: Command) -> io::Result<(bool, Vec<String>)> {
        let (reader, writer) = io::pipe()?;
        command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let mut child = command.spawn()?;
        // Closes this side's end, so that reading ends with the command.
        drop(command);
        let mut reader = BufReader::new(reader);
        let mut summary = Summary::default();
        let mut lines = Vec::new();
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes)? > 0 {
            self.file.write_all(&bytes)?;
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end_matches(['\n', '\r']);
            if summary.shows(line) {
                println!("{line}");
            }
            lines.push(line.to_owned());
            bytes.clear();
        }
        Ok((child.wait()?.success(), lines))
    }
}

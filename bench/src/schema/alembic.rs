use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::program;

/// Alembic, started and connected: for each line it reads the tables, compares them with the
/// database, and says how many tables there are and how many differences it sees.
pub(super) struct Alembic {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

const PROGRAM: &str = "
import sys, warnings
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine
warnings.simplefilter('ignore')
with create_engine(sys.argv[1]).connect() as connection:
    for _ in sys.stdin:
        tables = MetaData()
        tables.reflect(connection)
        differences = compare_metadata(MigrationContext.configure(connection), tables)
        print(len(tables.tables), len(differences), flush=True)
";

impl Alembic {
    /// None where there is no Python with Alembic.
    pub(super) fn start(url: &str) -> Option<Self> {
        let url = url.replace("postgres://", "postgresql+psycopg2://");
        let mut child = Command::new(program::python()?)
            .args(["-c", PROGRAM, &url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let orders = child.stdin.take();
        let answers = child.stdout.take().expect("its output is a pipe");
        Some(Alembic {
            child,
            orders,
            answers: BufReader::new(answers),
        })
    }

    /// Reads so many tables, and sees no difference.
    pub(super) fn compare(&mut self, tables: usize) {
        let orders = self.orders.as_mut().expect("it is open");
        orders.write_all(b"\n").expect("Alembic takes orders");
        let mut answer = String::new();
        self.answers
            .read_line(&mut answer)
            .expect("Alembic answers");
        assert_eq!(answer.trim(), format!("{tables} 0"));
    }
}

impl Drop for Alembic {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

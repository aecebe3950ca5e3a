//! Three PostgreSQL servers under Patroni.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::attendant::Attendant;
use crate::port::{closed_port, free_port};
use crate::postgres::{self, Address};
use crate::secrets;
use crate::unavailable::Unavailable;

const SUPERVISE: &str = include_str!("patroni/supervise.sh");
const USER: &str = "underpin_test";
/// How many nodes there are.
const NODES: usize = 3;
/// How long they may take until one leads and the others follow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three nodes under Patroni, with an etcd of their own, which decide among themselves who leads. They
/// end with this value, or when this process ends in any way. Linux only.
///
/// `UNDERPIN_TEST_PATRONI` and `UNDERPIN_TEST_ETCD` name the programs.
pub struct Patroni {
    nodes: Vec<Node>,
    password: String,
    directory: PathBuf,
    attendant: Attendant,
}

/// The ports of one node.
#[derive(Debug, Clone, Copy)]
struct Node {
    postgres: u16,
    rest: u16,
}

impl Patroni {
    /// Starts the nodes, and returns when one leads and the others follow it.
    ///
    /// # Errors
    /// Where Patroni, etcd or PostgreSQL is not installed.
    ///
    /// # Panics
    /// Where they are and do not start within a minute.
    pub fn start() -> Result<Patroni, Unavailable> {
        let (patroni, etcd) = (
            named("UNDERPIN_TEST_PATRONI")?,
            named("UNDERPIN_TEST_ETCD")?,
        );
        let account = Account::of_servers()?;
        let programs = postgres::programs()?;
        let nodes = Patroni::run(&patroni, &etcd, &programs, &account);
        let nodes = nodes.unwrap_or_else(|error| panic!("Patroni cannot be started: {error}."));
        nodes.await_all();
        Ok(nodes)
    }

    fn run(patroni: &Path, etcd: &Path, programs: &Path, account: &Account) -> io::Result<Patroni> {
        // From here on the shell removes the directory, since it outlives this process.
        let directory = tempfile::Builder::new()
            .prefix("underpin-patroni-")
            .tempdir()?
            .keep()
            .canonicalize()?;
        let password = secrets::password();
        let etcd_client = free_port();
        let ports = format!("etcd_client={etcd_client}\netcd_peer={}\n", free_port());
        let write = |name: &str, text: &str| {
            fs::write(directory.join(name), text)?;
            account.hand_over(&directory.join(name))
        };
        write("ports", &ports)?;
        write("supervise.sh", SUPERVISE)?;
        let mut nodes = Vec::new();
        for number in 0..NODES {
            let node = Node {
                postgres: free_port(),
                rest: free_port(),
            };
            let text = configuration(number, node, etcd_client, &directory, programs, &password);
            write(&format!("node{number}.yml"), &text)?;
            nodes.push(node);
        }
        let mut shell = account.shell();
        shell
            .current_dir("/")
            .arg(directory.join("supervise.sh"))
            .args([patroni, etcd, &directory]);
        account.hand_over(&directory)?;
        let mut attendant = Attendant::start(shell)?;
        attendant.answer()?;
        Ok(Patroni {
            nodes,
            password,
            directory,
            attendant,
        })
    }

    /// A URL that names all nodes.
    pub fn url(&self, database: &str) -> String {
        let hosts = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.postgres));
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!(
            "postgres://{USER}:{}@{hosts}/{database}?sslmode=disable",
            self.password
        )
    }

    /// A URL that names no server, and the REST interfaces of all nodes.
    pub fn url_by_list(&self, database: &str) -> String {
        let nodes = self.nodes.iter();
        let urls = nodes.map(|node| format!("http://127.0.0.1:{}", node.rest));
        let urls = urls.collect::<Vec<_>>().join(",");
        format!(
            "postgres://{USER}:{}@127.0.0.1:{}/{database}?sslmode=disable&patroni={urls}",
            self.password,
            closed_port()
        )
    }

    /// The ports of the servers.
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.postgres).collect()
    }

    /// A URL of one server.
    pub fn url_of(&self, number: usize, database: &str) -> String {
        let port = self.nodes[number].postgres;
        format!(
            "postgres://{USER}:{}@127.0.0.1:{port}/{database}",
            self.password
        )
    }

    /// Where one server is, and who may log in.
    pub(crate) fn address_of(&self, number: usize) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port: self.nodes[number].postgres,
            user: USER.to_owned(),
            password: self.password.clone(),
            socket_directory: None,
            ca_certificate: None,
            up: AtomicBool::new(true),
        }
    }

    /// The number of the node that leads, as the nodes themselves have it.
    pub fn leader(&self) -> Option<usize> {
        self.nodes.iter().position(leads)
    }

    /// Asks the nodes for the port of the server that leads, whenever it is called.
    pub fn leader_watch(&self) -> impl Fn() -> Option<u16> + Send + 'static {
        let nodes = self.nodes.clone();
        move || {
            nodes
                .iter()
                .find(|node| leads(node))
                .map(|node| node.postgres)
        }
    }

    /// Has another node lead, as an operator does for a planned switchover. Returns when Patroni says
    /// that it is done.
    ///
    /// # Panics
    /// Where nobody leads, or Patroni refuses.
    pub fn switch_over(&self, to: usize) {
        let leader = self.leader().expect("a node leads");
        let order = format!("{{\"leader\": \"node{leader}\", \"candidate\": \"node{to}\"}}");
        let answer = ask(&self.nodes[leader], "POST", "/switchover", &order);
        let (status, said) = answer.expect("Patroni answers");
        assert_eq!(status, 200, "Patroni did not switch over: {said}");
    }

    /// Ends everything of a node at once, Patroni included, as the end of its machine would.
    pub fn kill(&mut self, number: usize) {
        self.order(&format!("kill {number}"));
    }

    /// Starts a node again that was killed.
    pub fn restart(&mut self, number: usize) {
        self.order(&format!("start {number}"));
    }

    /// Waits until one node leads and all others follow it.
    ///
    /// # Panics
    /// Where they do not within a minute.
    pub fn await_all(&self) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let running = |node: &&Node| {
                let path = "/replica";
                ask(node, "GET", path, "").is_ok_and(|(status, _)| status == 200)
            };
            if self.leader().is_some() && self.nodes.iter().filter(running).count() == NODES - 1 {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "Patroni's nodes were not ready within a minute:\n{}",
            self.log()
        );
    }

    /// What the nodes have logged so far.
    pub fn log(&self) -> String {
        let logs = (0..NODES).map(|number| self.directory.join(format!("node{number}.log")));
        let texts = logs.map(|log| fs::read_to_string(log).unwrap_or_default());
        texts.collect::<Vec<_>>().join("\n")
    }

    fn order(&mut self, order: &str) {
        let answer = self.attendant.ask(order);
        assert_eq!(answer.expect("Patroni's shell answers"), "done");
    }
}

/// Whether a node says that it leads.
fn leads(node: &Node) -> bool {
    ask(node, "GET", "/leader", "").is_ok_and(|(status, _)| status == 200)
}

/// Asks a node's REST interface, for its status and what it said.
fn ask(node: &Node, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", node.rest))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let said = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, said.to_owned()))
}

/// The program that a variable names.
fn named(variable: &str) -> Result<PathBuf, Unavailable> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let there = named.filter(|program| program.is_file());
    there.ok_or_else(|| Unavailable::new(format!("{variable} names no program.")))
}

fn configuration(
    number: usize,
    node: Node,
    etcd: u16,
    directory: &Path,
    programs: &Path,
    password: &str,
) -> String {
    let Node { postgres, rest } = node;
    let (directory, programs) = (directory.display(), programs.display());
    format!(
        "scope: underpin
name: node{number}
restapi:
  listen: 127.0.0.1:{rest}
  connect_address: 127.0.0.1:{rest}
etcd3:
  host: 127.0.0.1:{etcd}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    maximum_lag_on_failover: 1048576
    postgresql:
      use_pg_rewind: true
      parameters:
        wal_log_hints: 'on'
        wal_keep_size: 256MB
        fsync: 'off'
        max_connections: 100
  initdb:
    - encoding: UTF8
    - locale: C
    - no-sync
postgresql:
  listen: 127.0.0.1:{postgres}
  connect_address: 127.0.0.1:{postgres}
  data_dir: {directory}/data{number}
  bin_dir: {programs}
  pgpass: {directory}/pgpass{number}
  authentication:
    superuser:
      username: {USER}
      password: '{password}'
    replication:
      username: replicator
      password: '{password}'
  parameters:
    unix_socket_directories: ''
    wal_retrieve_retry_interval: 100ms
  pg_hba:
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication all 127.0.0.1/32 scram-sha-256
watchdog:
  mode: 'off'
"
    )
}

impl fmt::Debug for Patroni {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patroni")
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio_postgres::Config;

use super::CONNECTIONS;
use crate::load::{Load, Sample};
use crate::race::Contender;
use crate::server::Server;

/// PostgreSQL's own client for benchmarks, with as many connections and the same statement,
/// prepared; none where it is not installed. It measures whole seconds, and its clients are
/// its connections, however many tasks the others have.
pub(crate) fn contender(server: &Server) -> Option<Contender> {
    let found = std::process::Command::new("pgbench")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        eprintln!("pgbench is not installed, and stays out.");
        return None;
    }
    let mut script = NamedTempFile::new().unwrap();
    let text = "\\set n random(1, 1000000000)\nSELECT :n::int8;\n";
    script.write_all(text.as_bytes()).unwrap();
    let (script, config) = (Arc::new(script), server.driver_config());
    Some(Contender::by("pgbench", move |load| {
        run(Arc::clone(&script), config.clone(), load)
    }))
}

async fn run(script: Arc<NamedTempFile>, config: Config, load: Load) -> Sample {
    let host = match &config.get_hosts()[0] {
        tokio_postgres::config::Host::Tcp(host) => host.clone(),
        tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
    };
    let password = String::from_utf8_lossy(config.get_password().unwrap_or_default());
    let seconds = load.length.as_secs().max(1).to_string();
    let connections = CONNECTIONS.to_string();
    let output = Command::new("pgbench")
        .args(["-M", "prepared", "-n", "-j", "2"])
        .args(["-c", &connections, "-T", &seconds, "-f"])
        .arg(script.path())
        // Not as arguments: the list of processes is open to all.
        .env("PGHOST", host)
        .env("PGPORT", config.get_ports()[0].to_string())
        .env("PGUSER", config.get_user().unwrap_or_default())
        .env("PGPASSWORD", password.as_ref())
        .env("PGDATABASE", config.get_dbname().unwrap_or_default())
        .env("PGSSLMODE", "disable")
        .stdin(Stdio::null())
        .output()
        .await
        .expect("pgbench starts");
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let rate = said
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    Sample {
        rate: rate.unwrap_or_else(|| panic!("pgbench gave no rate: {said}{errors}")),
        waits: None,
    }
}

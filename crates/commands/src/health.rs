use std::io::{Write, stdout};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use underpin::{Database, Health, MemberState, Metrics, Result, Role};

use crate::exit::Exit;
use crate::format::Format;
use crate::open::for_a_look;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

#[derive(Debug, Clone, Default, Args)]
pub struct HealthArguments {
    /// Ask again every so many seconds, until the command is interrupted
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
        value_parser = clap::value_parser!(u64).range(1..))]
    watch: Option<u64>,
}

/// Asks the database, and answers also where it cannot be reached: that is the finding.
pub(crate) async fn run(arguments: &HealthArguments, options: &GlobalOptions) -> Result<Exit> {
    let database = Database::connect_lazy(for_a_look(options)?)?;
    let health = loop {
        let health = database.health().await;
        or_broken_pipe(print(&health, &database.metrics(), options.format))?;
        let Some(seconds) = arguments.watch else {
            break health;
        };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    };
    let exit = if health.is_healthy() {
        Exit::Success
    } else {
        Exit::No
    };
    let _ = database.close(Duration::from_secs(5)).await;
    Ok(exit)
}

/// The state of the hosts, if there are several.
fn hosts(health: &Health) -> Vec<&MemberState> {
    let probed = |member: &&MemberState| member.lasting.is_some();
    health.members.iter().filter(probed).collect()
}

fn role(member: &MemberState) -> &'static str {
    match member.role {
        Some(Role::Primary) => "primary",
        Some(Role::Replica) => "replica",
        None => "unknown",
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn print(health: &Health, metrics: &Metrics, format: Format) -> std::io::Result<()> {
    let took = health.response_time.map(millis);
    let error = health.error.as_ref().map(ToString::to_string);
    let mut out = stdout().lock();
    match format {
        Format::Table => {
            writeln!(out, "{health}")?;
            writeln!(out, "{metrics}")?;
            for member in hosts(health) {
                let (endpoint, role) = (&member.endpoint, role(member));
                let pool = &member.pool;
                write!(out, "{endpoint}: {role}, ")?;
                match (member.latency, &member.error) {
                    (Some(took), _) => write!(out, "answers in {took:.1?}")?,
                    (None, Some(error)) => write!(out, "does not answer: {error}")?,
                    (None, None) => write!(out, "not probed yet")?,
                }
                if let Some(bytes) = member.lag.filter(|_| member.role == Some(Role::Replica)) {
                    write!(out, "; {bytes} bytes behind")?;
                }
                if member.set_aside {
                    write!(out, "; set aside")?;
                }
                writeln!(
                    out,
                    "; {} connections ({} in use), {} waiting",
                    pool.size, pool.in_use, pool.waiting
                )?;
            }
            Ok(())
        }
        Format::Json => {
            let mut value = serde_json::to_value(health)?;
            value["pool_size"] = json!(metrics.pool_size);
            value["active_connections"] = json!(metrics.active_connections);
            value["total_connections"] = json!(metrics.total_connections);
            value["connection_errors"] = json!(metrics.connection_errors);
            writeln!(out, "{value}")
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            csv.write_record(["status", "engine", "endpoint", "response_time_ms", "error"])?;
            csv.write_record([
                &health.status.to_string(),
                health.engine.name(),
                &health.endpoint,
                &took.map(|ms| format!("{ms:.3}")).unwrap_or_default(),
                &error.unwrap_or_default(),
            ])?;
            csv.flush()
        }
    }
}

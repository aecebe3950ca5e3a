use std::io::{Write, stdout};
use std::time::Duration;

use serde_json::json;
use underpin::{Database, Health, Metrics, Result};

use crate::exit::Exit;
use crate::format::Format;
use crate::open::for_a_look;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Asks the database, and answers also where it cannot be reached: that is the finding.
pub(crate) async fn run(options: &GlobalOptions) -> Result<Exit> {
    let database = Database::connect_lazy(for_a_look(options)?)?;
    let health = database.health().await;
    let metrics = database.metrics();
    or_broken_pipe(print(&health, &metrics, options.format))?;
    let exit = if health.is_healthy() {
        Exit::Success
    } else {
        Exit::No
    };
    let _ = database.close(Duration::from_secs(5)).await;
    Ok(exit)
}

fn print(health: &Health, metrics: &Metrics, format: Format) -> std::io::Result<()> {
    let millis = health.response_time.map(|took| took.as_secs_f64() * 1000.0);
    let error = health.error.as_ref().map(ToString::to_string);
    let mut out = stdout().lock();
    match format {
        Format::Table => {
            writeln!(out, "{health}")?;
            writeln!(out, "{metrics}")
        }
        Format::Json => {
            let value = json!({
                "status": health.status.to_string(),
                "engine": health.engine.name(),
                "endpoint": health.endpoint,
                "response_time_ms": millis,
                "error": error,
                "pool_size": metrics.pool_size,
                "active_connections": metrics.active_connections,
                "total_connections": metrics.total_connections,
                "connection_errors": metrics.connection_errors,
            });
            writeln!(out, "{value}")
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            csv.write_record(["status", "engine", "endpoint", "response_time_ms", "error"])?;
            csv.write_record([
                &health.status.to_string(),
                health.engine.name(),
                &health.endpoint,
                &millis.map(|ms| format!("{ms:.3}")).unwrap_or_default(),
                &error.unwrap_or_default(),
            ])?;
            csv.flush()
        }
    }
}

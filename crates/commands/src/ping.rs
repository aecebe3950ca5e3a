use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use underpin::{Database, Result};

use crate::exit::Exit;
use crate::format::Format;
use crate::open::for_a_look;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Opens one connection and asks once.
pub(crate) async fn run(options: &GlobalOptions) -> Result<Exit> {
    let database = Database::connect(for_a_look(options)?).await?;
    let begun = Instant::now();
    database.ping().await?;
    let took = begun.elapsed();
    let engine = database.engine();
    database.close(Duration::from_secs(5)).await?;
    let line = match options.format {
        Format::Table => format!("{engine} answered in {took:.1?}"),
        Format::Json => {
            format!(
                "{{\"engine\":\"{engine}\",\"response_time_us\":{}}}",
                took.as_micros()
            )
        }
        Format::Csv => format!("engine,response_time_us\n{engine},{}", took.as_micros()),
    };
    or_broken_pipe(writeln!(stdout(), "{line}"))?;
    Ok(Exit::Success)
}

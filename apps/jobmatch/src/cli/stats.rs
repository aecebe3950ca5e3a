use std::io::{Write, stdout};

use jobmatch::{Number, Stats, stats};
use underpin::Result;
use underpin_commands::{Exit, Format, GlobalOptions};

use super::{close, hint_at_migration, open, or_broken_pipe};

pub(super) async fn run(options: &GlobalOptions) -> Result<Exit> {
    let database = open(options).await?;
    let counted = stats(&database).await;
    let closed = close(database).await;
    let stats = counted.map_err(hint_at_migration)?;
    closed?;
    or_broken_pipe(print(&stats, options.format))?;
    Ok(Exit::Success)
}

fn print(stats: &Stats, format: Format) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let named = stats.named();
    match format {
        Format::Table => named.iter().try_for_each(|(name, number)| {
            writeln!(out, "{:20}{:>12}", name.replace('_', " "), shown(*number))
        }),
        Format::Json => {
            let numbers = named.iter().map(|(name, number)| {
                let value = match *number {
                    Number::Count(count) => serde_json::Value::from(count),
                    Number::Average(average) => serde_json::Value::from(average),
                };
                (String::from(*name), value)
            });
            let object: serde_json::Map<_, _> = numbers.collect();
            writeln!(out, "{}", serde_json::Value::Object(object))
        }
        Format::Csv => {
            writeln!(out, "what,number")?;
            named.iter().try_for_each(|(name, number)| {
                let number = match number {
                    Number::Count(count) => count.to_string(),
                    Number::Average(average) => {
                        average.map_or_else(String::new, |one| one.to_string())
                    }
                };
                writeln!(out, "{name},{number}")
            })
        }
    }
}

fn shown(number: Number) -> String {
    match number {
        Number::Count(count) => count.to_string(),
        Number::Average(None) => "-".into(),
        Number::Average(Some(whole)) if whole.fract() == 0.0 => whole.to_string(),
        Number::Average(Some(number)) => format!("{number:.3}"),
    }
}

use std::io::{Write, stdout};

use jobmatch::{Stats, stats};
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
                let value = match number {
                    Some(whole) if whole.fract() == 0.0 && !name.starts_with("average") => {
                        (*whole as i64).into()
                    }
                    other => serde_json::Value::from(*other),
                };
                (String::from(*name), value)
            });
            let object: serde_json::Map<_, _> = numbers.collect();
            writeln!(out, "{}", serde_json::Value::Object(object))
        }
        Format::Csv => {
            writeln!(out, "what,number")?;
            named.iter().try_for_each(|(name, number)| {
                let number = number.map_or_else(String::new, |number| number.to_string());
                writeln!(out, "{name},{number}")
            })
        }
    }
}

fn shown(number: Option<f64>) -> String {
    match number {
        None => "-".into(),
        Some(whole) if whole.fract() == 0.0 => whole.to_string(),
        Some(number) => format!("{number:.3}"),
    }
}

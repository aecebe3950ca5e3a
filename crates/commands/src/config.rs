use std::io::{Write, stdout};

use serde_json::json;
use underpin::Result;

use crate::exit::Exit;
use crate::format::Format;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Prints every value in force with its source, secrets masked. Connects to nothing.
pub(crate) fn run(options: &GlobalOptions) -> Result<Exit> {
    let config = options.load()?;
    or_broken_pipe(print(&config, options.format))?;
    Ok(Exit::Success)
}

fn print(config: &underpin::Config, format: Format) -> std::io::Result<()> {
    let settings = config.explain();
    let mut out = stdout().lock();
    match format {
        Format::Table => {
            let widest = |of: fn(&underpin::config::Setting) -> usize| {
                settings.iter().map(of).max().unwrap_or(0)
            };
            let key = widest(|setting| setting.key.chars().count());
            let value = widest(|setting| setting.value.chars().count()).min(60);
            for setting in &settings {
                writeln!(
                    out,
                    "{:key$}  {:value$}  {}",
                    setting.key, setting.value, setting.source
                )?;
            }
            Ok(())
        }
        Format::Json => {
            let object: serde_json::Map<String, serde_json::Value> = settings
                .iter()
                .map(|setting| {
                    let entry = json!({
                        "value": setting.value,
                        "source": setting.source.to_string(),
                    });
                    (setting.key.to_string(), entry)
                })
                .collect();
            writeln!(out, "{}", serde_json::Value::Object(object))
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            csv.write_record(["key", "value", "source"])?;
            for setting in &settings {
                let source = setting.source.to_string();
                csv.write_record([setting.key, setting.value.as_str(), source.as_str()])?;
            }
            csv.flush()
        }
    }
}

use underpin_core::HealthCheck;

use crate::duration;

/// Reads `always` (`on`, `true`), `never` (`off`, `false`), or how long a connection is
/// idle before it is tested: `500ms`, `after 500ms`.
pub(crate) fn read(text: &str) -> Result<HealthCheck, String> {
    match text {
        "always" | "on" | "true" => Ok(HealthCheck::Always),
        "never" | "off" | "false" => Ok(HealthCheck::Never),
        _ => duration::read(text.strip_prefix("after ").unwrap_or(text))
            .map(HealthCheck::AfterIdle)
            .map_err(|_| "is neither always, never, nor a duration such as 500ms".into()),
    }
}

pub(crate) fn show(check: HealthCheck) -> String {
    match check {
        HealthCheck::Always => "always".into(),
        HealthCheck::Never => "never".into(),
        HealthCheck::AfterIdle(idle) => format!("after {}", duration::show(idle)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows() {
        for check in [
            HealthCheck::Always,
            HealthCheck::Never,
            HealthCheck::default(),
        ] {
            assert_eq!(read(&show(check)), Ok(check));
        }
    }
}

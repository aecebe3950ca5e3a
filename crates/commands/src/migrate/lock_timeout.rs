use std::time::Duration;

/// How long a lock is waited for, as it is written: `5s`, `500ms`, `2m`, `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockTimeout(pub Option<Duration>);

impl std::str::FromStr for LockTimeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(LockTimeout(None));
        }
        let digits = text.chars().take_while(char::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit_ms = match unit.trim_start() {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" | "min" => Some(60_000),
            _ => None,
        };
        let millis = number
            .parse::<u64>()
            .ok()
            .zip(unit_ms)
            .and_then(|(number, unit)| number.checked_mul(unit));
        match millis {
            Some(millis) if millis > 0 => Ok(LockTimeout(Some(Duration::from_millis(millis)))),
            _ => Err("it must be a duration, such as 5s, 500ms or 2m, or off".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        let read = |text: &str| text.parse::<LockTimeout>().map(|limit| limit.0);
        assert_eq!(read("5s"), Ok(Some(Duration::from_secs(5))));
        assert_eq!(read("500ms"), Ok(Some(Duration::from_millis(500))));
        assert_eq!(read("2 m"), Ok(Some(Duration::from_secs(120))));
        assert_eq!(read("off"), Ok(None));
        for wrong in ["", "5", "0s", "s", "5h5", "-1s", "99999999999999999999s"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

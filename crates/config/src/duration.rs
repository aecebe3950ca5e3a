use std::time::Duration;

const UNITS: [(&[&str], u128); 7] = [
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["min", "m", "minute", "minutes"], 60_000_000_000),
    (&["s", "sec", "second", "seconds"], 1_000_000_000),
    (&["ms"], 1_000_000),
    (&["us", "µs"], 1_000),
    (&["ns"], 1),
];

/// So that adding one to an instant never overflows.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The duration in whole milliseconds, rounded up, and never 0: what a server that
/// counts in milliseconds, and takes 0 for "no limit", is told.
pub fn whole_millis_rounded_up(duration: Duration) -> u64 {
    let millis = duration.as_nanos().div_ceil(1_000_000).max(1);
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// Reads `10s`, `500ms`, `2min`, `1h`, or a number of seconds, exactly: in whole
/// nanoseconds, what is beyond them cut off.
pub(crate) fn read(text: &str) -> Result<Duration, String> {
    const FORM: &str =
        "is not a valid duration; write 10s, 500ms, 2min, 1h, or a number of seconds";
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim_start());
    let unit = match unit {
        "" => 1_000_000_000,
        _ => {
            UNITS
                .iter()
                .find(|(names, _)| names.contains(&unit))
                .ok_or(FORM)?
                .1
        }
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && part.is_empty() || part.contains('.') {
        return Err(FORM.into());
    }
    let nanos = scaled(whole, unit, Some(1)).zip(scaled(part, unit, power_of_ten(part.len())));
    let nanos = nanos.and_then(|(whole, part)| whole.checked_add(part));
    let seconds = nanos.and_then(|n| u64::try_from(n / 1_000_000_000).ok());
    let (Some(nanos), Some(seconds)) = (nanos, seconds) else {
        return Err("is longer than 100 years".into());
    };
    // The remainder is below 10^9, which fits.
    Ok(Duration::new(seconds, (nanos % 1_000_000_000) as u32))
}

/// Whether a text is a number above 0 without a unit: seconds to some programs, milliseconds to
/// others.
pub(crate) fn lacks_unit(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.contains(|c: char| c.is_ascii_digit() && c != '0')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// `digits` times `unit`, divided by `divisor`.
fn scaled(digits: &str, unit: u128, divisor: Option<u128>) -> Option<u128> {
    if digits.is_empty() {
        return Some(0);
    }
    digits
        .parse::<u128>()
        .ok()?
        .checked_mul(unit)?
        .checked_div(divisor?)
}

fn power_of_ten(exponent: usize) -> Option<u128> {
    10_u128.checked_pow(u32::try_from(exponent).ok()?)
}

/// Says what is wrong with a duration that a setting may not have.
pub(crate) fn check(duration: Duration) -> Result<(), String> {
    if duration.is_zero() {
        Err("is not greater than 0".into())
    } else if duration > LONGEST {
        Err("is longer than 100 years".into())
    } else {
        Ok(())
    }
}

/// The shortest form that [`read`] reads back as the same.
pub(crate) fn show(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (names, unit) = UNITS
        .iter()
        .skip(1)
        .find(|(_, unit)| nanos != 0 && nanos.is_multiple_of(*unit))
        .unwrap_or(&UNITS[3]);
    format!("{}{}", nanos / unit, names[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_each_form() {
        let cases = [
            ("10s", Duration::from_secs(10)),
            ("500ms", Duration::from_millis(500)),
            ("2min", Duration::from_secs(120)),
            ("1h", Duration::from_secs(3600)),
            ("2d", Duration::from_secs(172_800)),
            ("0.5", Duration::from_millis(500)),
            (".5 s", Duration::from_millis(500)),
            ("7", Duration::from_secs(7)),
            ("0.1ms", Duration::from_micros(100)),
            ("1.000000001", Duration::new(1, 1)),
        ];
        for (text, duration) in cases {
            assert_eq!(read(text), Ok(duration), "{text}");
        }
        for text in ["", ".", "s", "1.2.3", "-1", "1 week", "1e3", "inf", "1h30"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"9".repeat(60)).is_err());
        assert!(check(read("200000d").unwrap()).is_err());
        assert!(check(Duration::ZERO).is_err());
    }

    #[test]
    fn rounds_up_and_never_to_zero() {
        let cases = [(0, 1), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)];
        for (nanos, millis) in cases {
            assert_eq!(
                whole_millis_rounded_up(Duration::from_nanos(nanos)),
                millis,
                "{nanos}"
            );
        }
        assert_eq!(whole_millis_rounded_up(Duration::from_secs(30)), 30_000);
        assert_eq!(whole_millis_rounded_up(Duration::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn shows_what_it_reads(nanos in 0_u64..10_000_000_000_000, scale in 0_u32..10) {
            let duration = Duration::from_nanos(nanos / 10_u64.pow(scale) * 10_u64.pow(scale));
            prop_assert_eq!(read(&show(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = read(&text);
        }
    }
}

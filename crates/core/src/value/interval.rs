use std::fmt;
use std::str::FromStr;

use super::time_of_day::write_fraction;
use super::timestamp::{ParseTimeError, Scan};

/// A span of months, days and microseconds, which are kept separate because months and days differ
/// in length. Each part has its own sign. Two intervals are equal if all parts are: a day is not 24
/// hours.
///
/// As text it is an ISO 8601 duration such as `P1Y2M3DT4H5M6.7S`, which PostgreSQL reads with any
/// `IntervalStyle`; the empty interval is `PT0S`. Parsing also accepts PostgreSQL's own style, `1
/// year 2 mons 3 days 04:05:06.7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interval {
    /// The months; a year is 12 of them.
    pub months: i32,
    /// The days.
    pub days: i32,
    /// The microseconds; hours, minutes and seconds are counted in them.
    pub micros: i64,
}

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

impl Interval {
    /// Longer than every other, from PostgreSQL 17 on.
    pub const INFINITY: Interval = Interval {
        months: i32::MAX,
        days: i32::MAX,
        micros: i64::MAX,
    };
    /// Shorter than every other, from PostgreSQL 17 on.
    pub const NEG_INFINITY: Interval = Interval {
        months: i32::MIN,
        days: i32::MIN,
        micros: i64::MIN,
    };
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Interval::INFINITY => return f.write_str("infinity"),
            Interval::NEG_INFINITY => return f.write_str("-infinity"),
            Interval {
                months: 0,
                days: 0,
                micros: 0,
            } => return f.write_str("PT0S"),
            _ => {}
        }
        f.write_str("P")?;
        let whole = [
            (self.months / 12, 'Y'),
            (self.months % 12, 'M'),
            (self.days, 'D'),
        ];
        for (count, unit) in whole.into_iter().filter(|(count, _)| *count != 0) {
            write!(f, "{count}{unit}")?;
        }
        if self.micros == 0 {
            return Ok(());
        }
        f.write_str("T")?;
        let sign = if self.micros < 0 { "-" } else { "" };
        let micros = self.micros.unsigned_abs();
        for (count, unit) in [(micros / HOUR, 'H'), (micros % HOUR / MINUTE, 'M')] {
            if count != 0 {
                write!(f, "{sign}{count}{unit}")?;
            }
        }
        let micros = micros % MINUTE;
        if micros != 0 {
            write!(f, "{sign}{}", micros / SECOND)?;
            write_fraction(f, (micros % SECOND) as u32)?;
            f.write_str("S")?;
        }
        Ok(())
    }
}

impl FromStr for Interval {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        match text {
            "infinity" => return Ok(Interval::INFINITY),
            "-infinity" => return Ok(Interval::NEG_INFINITY),
            _ => {}
        }
        let mut scan = Scan::new(text);
        let negative = scan.eat_text("-P");
        let sum = if negative || scan.eat_text("P") || scan.eat_text("+P") {
            iso(&mut scan)?
        } else {
            postgres(&mut scan)?
        };
        sum.interval(negative)
    }
}

/// The parts of an interval, in a width that no sum of what is read can exceed.
#[derive(Default)]
struct Sum {
    months: i128,
    days: i128,
    micros: i128,
}

impl Sum {
    fn interval(&self, negative: bool) -> Result<Interval, ParseTimeError> {
        const RANGE: ParseTimeError = ParseTimeError("it is too long for an interval");
        let sign = if negative { -1 } else { 1 };
        Ok(Interval {
            months: (sign * self.months).try_into().map_err(|_| RANGE)?,
            days: (sign * self.days).try_into().map_err(|_| RANGE)?,
            micros: (sign * self.micros).try_into().map_err(|_| RANGE)?,
        })
    }
}

/// What follows the `P` of an ISO 8601 duration.
fn iso(scan: &mut Scan<'_>) -> Result<Sum, ParseTimeError> {
    const FORM: ParseTimeError = ParseTimeError("it does not have the form P1Y2M3DT4H5M6.7S");
    let mut sum = Sum::default();
    let mut units: &[u8] = b"YMWD";
    let mut in_time = false;
    loop {
        if !in_time && scan.eat(b'T') {
            (in_time, units) = (true, b"HMS");
        }
        let (sign, count) = count(scan).ok_or(FORM)?;
        let micros = i128::from(scan.fraction()?);
        let unit = scan.next().ok_or(FORM)?;
        // Each unit comes once, and after the longer ones.
        let at = units.iter().position(|&other| other == unit).ok_or(FORM)?;
        units = &units[at + 1..];
        if micros != 0 && unit != b'S' {
            return Err(ParseTimeError("only seconds can have a fraction"));
        }
        match (in_time, unit) {
            (false, b'Y') => sum.months += sign * count * 12,
            (false, b'M') => sum.months += sign * count,
            (false, b'W') => sum.days += sign * count * 7,
            (false, _) => sum.days += sign * count,
            (true, b'H') => sum.micros += sign * count * i128::from(HOUR),
            (true, b'M') => sum.micros += sign * count * i128::from(MINUTE),
            (true, _) => sum.micros += sign * (count * i128::from(SECOND) + micros),
        }
        if scan.is_empty() {
            return Ok(sum);
        }
    }
}

/// PostgreSQL's own style, as it prints it.
fn postgres(scan: &mut Scan<'_>) -> Result<Sum, ParseTimeError> {
    const FORM: ParseTimeError = ParseTimeError(
        "it has neither the form P1Y2M3DT4H5M6.7S nor 1 year 2 mons 3 days 04:05:06.7",
    );
    let mut sum = Sum::default();
    let mut units: &[&str] = &[" year", " mon", " day"];
    loop {
        let (sign, count) = count(scan).ok_or(FORM)?;
        if scan.eat(b':') {
            let mut sixtieths = || -> Option<i128> {
                let digits = scan.digits();
                (digits.len() == 2)
                    .then(|| number(digits))
                    .flatten()
                    .filter(|&n| n < 60)
            };
            let minutes = sixtieths().ok_or(FORM)?;
            let seconds = if scan.eat(b':') {
                number(scan.digits())
            } else {
                None
            };
            let seconds = seconds.filter(|&n| n < 60).ok_or(FORM)?;
            let micros = i128::from(scan.fraction()?);
            let seconds = (count * 60 + minutes) * 60 + seconds;
            sum.micros = sign * (seconds * i128::from(SECOND) + micros);
            scan.end()?;
            return Ok(sum);
        }
        let at = units
            .iter()
            .position(|unit| scan.eat_text(unit))
            .ok_or(FORM)?;
        match units[at] {
            " year" => sum.months += sign * count * 12,
            " mon" => sum.months += sign * count,
            _ => sum.days += sign * count,
        }
        units = &units[at + 1..];
        scan.eat(b's');
        if scan.is_empty() {
            return Ok(sum);
        }
        if !scan.eat(b' ') {
            return Err(FORM);
        }
    }
}

/// A sign as 1 or -1, and a count.
fn count(scan: &mut Scan<'_>) -> Option<(i128, i128)> {
    let sign = if scan.eat(b'-') {
        -1
    } else {
        scan.eat(b'+');
        1
    };
    number(scan.digits()).map(|count| (sign, count))
}

fn number(digits: &[u8]) -> Option<i128> {
    let number = || {
        digits
            .iter()
            .fold(0, |n, digit| n * 10 + i128::from(digit - b'0'))
    };
    (1..=20).contains(&digits.len()).then(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn interval(months: i32, days: i32, micros: i64) -> Interval {
        Interval {
            months,
            days,
            micros,
        }
    }

    #[test]
    fn text_is_a_duration() {
        for (text, interval) in [
            ("PT0S", interval(0, 0, 0)),
            ("P1Y2M3DT4H5M6.7S", interval(14, 3, 14_706_700_000)),
            ("P-10M-3DT100H5M6.7S", interval(-10, -3, 360_306_700_000)),
            ("PT-0.5S", interval(0, 0, -500_000)),
            ("P-1Y-1M", interval(-13, 0, 0)),
            ("PT-1H-0.000001S", interval(0, 0, -3_600_000_001)),
            ("PT-2562047788H-54.775808S", interval(0, 0, i64::MIN)),
            ("infinity", Interval::INFINITY),
            ("-infinity", Interval::NEG_INFINITY),
        ] {
            assert_eq!(interval.to_string(), text);
            assert_eq!(text.parse(), Ok(interval));
        }
    }

    #[test]
    fn other_forms_are_read() {
        for (text, interval) in [
            ("P2W", interval(0, 14, 0)),
            ("-P1DT1S", interval(0, -1, -1_000_000)),
            ("+P1D", interval(0, 1, 0)),
            ("PT90M", interval(0, 0, 5_400_000_000)),
            (
                "1 year 2 mons 3 days 04:05:06.7",
                interval(14, 3, 14_706_700_000),
            ),
            ("-1 days +02:03:00", interval(0, -1, 7_380_000_000)),
            (
                "-10 mons -3 days +100:05:06.7",
                interval(-10, -3, 360_306_700_000),
            ),
            ("1 mon", interval(1, 0, 0)),
            ("-00:00:00.5", interval(0, 0, -500_000)),
            ("00:00:00", interval(0, 0, 0)),
        ] {
            assert_eq!(text.parse(), Ok(interval), "of {text:?}");
        }
    }

    #[test]
    fn the_rest_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "P1DT",
            "P1S",
            "PT1D",
            "P1D1Y",
            "P1Y1Y",
            "P1DT1HT1M",
            "P D",
            "P--1D",
            "1",
            "1 day ",
            "1 day 1 mon",
            "04:05",
            "04:5:06",
            "04:05:60",
            "1 fortnight",
            "1 day04:05:06",
        ] {
            assert!(text.parse::<Interval>().is_err(), "of {text:?}");
        }
        for (text, why) in [
            ("P1.5D", "only seconds can have a fraction"),
            (
                "PT1.0000001S",
                "the fraction of the second is finer than microseconds",
            ),
            ("P178956971Y", "it is too long for an interval"),
            ("PT99999999999999999999H", "it is too long for an interval"),
        ] {
            assert_eq!(
                text.parse::<Interval>().unwrap_err().to_string(),
                why,
                "of {text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn text_reads_back(months: i32, days: i32, micros: i64) {
            let interval = interval(months, days, micros);
            prop_assert_eq!(interval.to_string().parse(), Ok(interval));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "-?P?[0-9YMDTHSWdayson:.+ -]{0,30}") {
            let _ = text.parse::<Interval>();
        }
    }
}

use std::fmt;
use std::str::FromStr;

use super::timestamp::{ParseTimeError, Scan};

/// A time of day to the microsecond, from `00:00:00` to `24:00:00` as PostgreSQL has it.
///
/// As text it is `12:34:56.789`: the fraction without trailing zeros, or none. Parsing also accepts
/// `12:34`. A fraction of up to nine digits is accepted if those beyond the sixth are zero, since
/// they would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeOfDay(i64);

impl TimeOfDay {
    /// The start of the day, `00:00:00`.
    pub const MIDNIGHT: TimeOfDay = TimeOfDay(0);
    /// The end of the day, `24:00:00`.
    pub const END: TimeOfDay = TimeOfDay(super::timestamp::DAY);

    /// The time this many microseconds after midnight; `None` if that is negative or past the end
    /// of the day.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros >= 0 && micros <= Self::END.0 {
            Some(TimeOfDay(micros))
        } else {
            None
        }
    }

    /// The microseconds since midnight.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The time of this hour, minute, second and microsecond; `None` if there is no such time. The
    /// hour is 24 only in `24:00:00`, and there are no leap seconds.
    pub fn from_hms_micro(hour: u8, minute: u8, second: u8, micro: u32) -> Option<Self> {
        if minute > 59 || second > 59 || micro > 999_999 {
            return None;
        }
        let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
        Self::from_micros(seconds * 1_000_000 + i64::from(micro))
    }

    /// The hour, the minute, the second and the microsecond.
    pub fn hms_micro(self) -> (u8, u8, u8, u32) {
        let seconds = self.0 / 1_000_000;
        let part = |n: i64| n as u8;
        (
            part(seconds / 3600),
            part(seconds / 60 % 60),
            part(seconds % 60),
            (self.0 % 1_000_000) as u32,
        )
    }
}

impl TimeOfDay {
    /// Parses a text from a database, which another program may have written: in addition to the
    /// texts that [`FromStr`] accepts, digits beyond the microsecond are rounded.
    ///
    /// # Errors
    /// If the text is not a time of day.
    pub fn from_stored(text: &str) -> Result<Self, ParseTimeError> {
        let mut scan = Scan::rounding(text);
        let time = scan.time()?;
        scan.end()?;
        Ok(time)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second, micro) = self.hms_micro();
        write!(f, "{hour:02}:{minute:02}:{second:02}")?;
        write_fraction(f, micro)
    }
}

/// Writes the microseconds of a second as a decimal fraction without trailing zeros.
pub(super) fn write_fraction(f: &mut fmt::Formatter<'_>, mut micro: u32) -> fmt::Result {
    if micro == 0 {
        return Ok(());
    }
    let mut width = 6;
    while micro.is_multiple_of(10) {
        micro /= 10;
        width -= 1;
    }
    write!(f, ".{micro:0width$}")
}

impl FromStr for TimeOfDay {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let mut scan = Scan::new(text);
        let time = scan.time()?;
        scan.end()?;
        Ok(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_that_of_postgresql() {
        for (text, micros) in [
            ("00:00:00", 0),
            ("00:00:00.000001", 1),
            ("12:34:56.789", 45_296_789_000),
            ("23:59:59.999999", 86_399_999_999),
            ("24:00:00", 86_400_000_000),
        ] {
            let time = TimeOfDay::from_micros(micros).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse(), Ok(time));
        }
        assert_eq!(
            "12:34".parse(),
            Ok(TimeOfDay::from_hms_micro(12, 34, 0, 0).unwrap())
        );
        assert_eq!(
            "12:34:56.780000000".parse(),
            "12:34:56.78".parse::<TimeOfDay>()
        );
    }

    #[test]
    fn other_times_are_refused() {
        for (text, why) in [
            ("24:00:00.000001", "there is no such time of day"),
            ("12:60:00", "there is no such time of day"),
            ("12:00:60", "there is no such time of day"),
            (
                "12:34:56.0000001",
                "the fraction of the second is finer than microseconds",
            ),
            (
                "12:34:56.",
                "the fraction of the second does not have 1 to 9 digits",
            ),
            ("12:34:56+00", "its end is followed by more text"),
            ("2:34:56", "the time does not have the form 12:34:56.789"),
            ("12", "the time does not have the form 12:34:56.789"),
        ] {
            assert_eq!(
                text.parse::<TimeOfDay>().unwrap_err().to_string(),
                why,
                "of {text:?}"
            );
        }
        assert_eq!(TimeOfDay::from_micros(-1), None);
        assert_eq!(TimeOfDay::from_micros(86_400_000_001), None);
        assert_eq!(TimeOfDay::from_hms_micro(25, 0, 0, 0), None);
        assert_eq!(TimeOfDay::from_hms_micro(0, 0, 0, 1_000_000), None);
    }

    proptest! {
        #[test]
        fn text_and_parts_read_back(micros in 0..=TimeOfDay::END.0) {
            let time = TimeOfDay(micros);
            let (hour, minute, second, micro) = time.hms_micro();
            prop_assert_eq!(TimeOfDay::from_hms_micro(hour, minute, second, micro), Some(time));
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}

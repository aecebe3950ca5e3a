use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::date::WrittenDate;
use super::{Date, TimeOfDay};

/// The microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// A date and time of day without zone, to the microsecond.
///
/// As text it is what PostgreSQL prints: `2026-01-31 12:34:56.5`. Parsing accepts a `T` instead of
/// the space and refuses a zone. A fraction of up to nine digits is accepted if those beyond the
/// sixth are zero, since they would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A point in time, to the microsecond.
///
/// As text it is what PostgreSQL prints in the zone UTC: `2026-01-31 12:34:56.5+00`. Parsing
/// accepts a `T` instead of the space and any offset as zone: `Z`, `+05`, `+05:30`, `-0330`. Text
/// without zone is in UTC, as in SQLite, whose `CURRENT_TIMESTAMP` writes none. A fraction of up to
/// nine digits is accepted if those beyond the sixth are zero, since they would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimestampTz(i64);

macro_rules! timestamps {
    ($($type:ident, $since:literal, $utc:literal;)*) => {$(
        impl $type {
            /// Later than every other.
            pub const INFINITY: $type = $type(i64::MAX);
            /// Earlier than every other.
            pub const NEG_INFINITY: $type = $type(i64::MIN);

            #[doc = concat!("The one that is so many microseconds after ", $since, ", or")]
            /// before it where negative. `i64::MAX` and `i64::MIN` are the infinities.
            pub const fn from_micros(micros: i64) -> Self {
                $type(micros)
            }

            #[doc = concat!("The microseconds since ", $since, ".")]
            pub const fn micros(self) -> i64 {
                self.0
            }

            #[doc = concat!("The one of this date and time", $utc, "; `24:00:00` is the start of")]
            /// the next day, and an infinite date makes an infinity. `None` where the
            /// microseconds do not fit 64 bits, which is from the year 294247 on.
            pub fn new(date: Date, time: TimeOfDay) -> Option<Self> {
                match date {
                    Date::INFINITY => Some(Self::INFINITY),
                    Date::NEG_INFINITY => Some(Self::NEG_INFINITY),
                    date => finite(i128::from(date.days()) * i128::from(DAY) + i128::from(time.micros()))
                        .map($type),
                }
            }

            #[doc = concat!("The date", $utc, "; that of an infinity is infinite.")]
            pub fn date(self) -> Date {
                match self {
                    Self::INFINITY => Date::INFINITY,
                    Self::NEG_INFINITY => Date::NEG_INFINITY,
                    // Fewer days than 2^27, for all the microseconds that 64 bits hold.
                    $type(micros) => Date::from_days(micros.div_euclid(DAY) as i32),
                }
            }

            #[doc = concat!("The time of day", $utc, "; of an infinity it means nothing.")]
            pub fn time(self) -> TimeOfDay {
                TimeOfDay::from_micros(self.0.rem_euclid(DAY)).unwrap_or_default()
            }

            /// Whether it is one of the infinities.
            pub fn is_infinite(self) -> bool {
                self == Self::INFINITY || self == Self::NEG_INFINITY
            }
        }
    )*};
}
timestamps! {
    Timestamp, "1970-01-01 00:00:00", "";
    TimestampTz, "the Unix epoch", " in UTC";
}

fn finite(micros: i128) -> Option<i64> {
    i64::try_from(micros)
        .ok()
        .filter(|&micros| micros != i64::MAX && micros != i64::MIN)
}

impl From<SystemTime> for TimestampTz {
    /// The point in time rounded to the microsecond; one too far away becomes an infinity.
    fn from(time: SystemTime) -> Self {
        let nanos = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos().cast_signed(),
            Err(before) => -before.duration().as_nanos().cast_signed(),
        };
        let end = if nanos < 0 { i64::MIN } else { i64::MAX };
        TimestampTz(i64::try_from(round_nanos(nanos)).unwrap_or(end))
    }
}

/// Nanoseconds as microseconds, rounded to the nearest, half of one upwards.
pub(super) fn round_nanos(nanos: i128) -> i128 {
    (nanos + 500).div_euclid(1_000)
}

fn write(f: &mut fmt::Formatter<'_>, micros: i64, zone: &str) -> fmt::Result {
    match micros {
        i64::MAX => f.write_str("infinity"),
        i64::MIN => f.write_str("-infinity"),
        micros => {
            let timestamp = Timestamp(micros);
            let bc = timestamp.date().write(f)?;
            let era = if bc { " BC" } else { "" };
            write!(f, " {}{zone}{era}", timestamp.time())
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, "")
    }
}

impl fmt::Display for TimestampTz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, "+00")
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        match parse(text, Scan::new)? {
            (micros, None) => Ok(Timestamp(micros)),
            (_, Some(_)) => Err(ZONE),
        }
    }
}

impl FromStr for TimestampTz {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        parse(text, Scan::new).map(|(micros, _)| TimestampTz(micros))
    }
}

impl Timestamp {
    /// Parses a text from a database, which another program may have written: in addition to the
    /// texts that [`FromStr`] accepts, a date alone is its midnight, digits beyond the microsecond
    /// are rounded, and a zone that is UTC is ignored.
    ///
    /// # Errors
    /// If the text is not a timestamp, or has a zone other than UTC.
    pub fn from_stored(text: &str) -> Result<Self, ParseTimeError> {
        match parse(text, Scan::rounding)? {
            (micros, None | Some(0)) => Ok(Timestamp(micros)),
            (_, Some(_)) => Err(ZONE),
        }
    }
}

impl TimestampTz {
    /// Parses a text from a database, which another program may have written: in addition to the
    /// texts that [`FromStr`] accepts, a date alone is its midnight in UTC, and digits beyond the
    /// microsecond are rounded.
    ///
    /// # Errors
    /// If the text is not a timestamp.
    pub fn from_stored(text: &str) -> Result<Self, ParseTimeError> {
        parse(text, Scan::rounding).map(|(micros, _)| TimestampTz(micros))
    }
}

const ZONE: ParseTimeError =
    ParseTimeError("it has a zone, which a timestamp without zone cannot store");

/// The microseconds in UTC, and the seconds that the zone is ahead of it, if one is given.
fn parse<'t>(
    text: &'t str,
    scan: impl FnOnce(&'t str) -> Scan<'t>,
) -> Result<(i64, Option<i32>), ParseTimeError> {
    match text {
        "infinity" => return Ok((i64::MAX, None)),
        "-infinity" => return Ok((i64::MIN, None)),
        _ => {}
    }
    let mut scan = scan(text);
    let written = scan.date()?;
    if scan.rounds && scan.is_empty() {
        let micros = finite(i128::from(written.resolve(false)?.days()) * i128::from(DAY));
        return Ok((
            micros.ok_or(ParseTimeError("the year is out of range"))?,
            None,
        ));
    }
    if !(scan.eat(b' ') || scan.eat(b'T') || scan.eat(b't')) {
        return Err(ParseTimeError("the date is not followed by a time of day"));
    }
    let time = scan.time()?;
    let zone = scan.zone()?;
    let bc = scan.eat_text(" BC");
    scan.end()?;
    let date = written.resolve(bc)?;
    let seconds = i128::from(date.days()) * 86_400 - i128::from(zone.unwrap_or(0));
    let micros = finite(seconds * 1_000_000 + i128::from(time.micros()));
    match micros {
        Some(micros) if micros >= i64::from(Date::MIN_DAYS) * DAY => Ok((micros, zone)),
        _ => Err(ParseTimeError("the year is out of range")),
    }
}

/// The reason why a text is not a date, time, timestamp or interval. It prints as a clause that
/// follows "because".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTimeError(pub(super) &'static str);

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseTimeError {}

/// The rest of a text that is parsed from its start.
pub(super) struct Scan<'t> {
    rest: &'t [u8],
    /// Whether digits beyond the microsecond are rounded, rather than refused.
    rounds: bool,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Scan {
            rest: text.as_bytes(),
            rounds: false,
        }
    }

    /// One that rounds to the microsecond.
    pub(super) fn rounding(text: &'t str) -> Self {
        Scan {
            rounds: true,
            ..Scan::new(text)
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    pub(super) fn eat_text(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The next byte, whatever it is.
    pub(super) fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// All the digits that come next, of which there may be none.
    pub(super) fn digits(&mut self) -> &'t [u8] {
        let end = self
            .rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    fn two_digits(&mut self) -> Option<u32> {
        match self.rest {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] => {
                self.rest = rest;
                Some(u32::from(a - b'0') * 10 + u32::from(b - b'0'))
            }
            _ => None,
        }
    }

    pub(super) fn end(&self) -> Result<(), ParseTimeError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(ParseTimeError("its end is followed by more text"))
        }
    }

    pub(super) fn date(&mut self) -> Result<WrittenDate, ParseTimeError> {
        const FORM: ParseTimeError = ParseTimeError("it does not have the form 2026-01-31");
        let year = self.digits();
        if !(4..=7).contains(&year.len()) {
            return Err(FORM);
        }
        let year = year
            .iter()
            .fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
        let month = if self.eat(b'-') {
            self.two_digits()
        } else {
            None
        };
        let day = if self.eat(b'-') {
            self.two_digits()
        } else {
            None
        };
        match (month, day) {
            (Some(month), Some(day)) => Ok(WrittenDate { year, month, day }),
            _ => Err(FORM),
        }
    }

    pub(super) fn time(&mut self) -> Result<TimeOfDay, ParseTimeError> {
        const FORM: ParseTimeError = ParseTimeError("the time does not have the form 12:34:56.789");
        let hour = self.two_digits().ok_or(FORM)?;
        if !self.eat(b':') {
            return Err(FORM);
        }
        let minute = self.two_digits().ok_or(FORM)?;
        let (mut second, mut micro) = (0, 0);
        if self.eat(b':') {
            second = self.two_digits().ok_or(FORM)?;
            micro = self.fraction()?;
        }
        TimeOfDay::from_hms_micro(hour as u8, minute as u8, second as u8, 0)
            .and_then(|time| TimeOfDay::from_micros(time.micros() + i64::from(micro)))
            .ok_or(ParseTimeError("there is no such time of day"))
    }

    /// The microseconds of a second, a whole one where they are rounded up to it; 0 where no
    /// fraction follows.
    pub(super) fn fraction(&mut self) -> Result<u32, ParseTimeError> {
        if !self.eat(b'.') {
            return Ok(0);
        }
        let digits = self.digits();
        if !(1..=9).contains(&digits.len()) {
            return Err(ParseTimeError(
                "the fraction of the second does not have 1 to 9 digits",
            ));
        }
        let digit = |at: usize| u32::from(digits.get(at).map_or(0, |digit| digit - b'0'));
        let nanos = (0..9).fold(0, |nanos, at| nanos * 10 + digit(at));
        if nanos % 1000 != 0 && !self.rounds {
            return Err(ParseTimeError(
                "the fraction of the second is finer than microseconds",
            ));
        }
        Ok((nanos + 500) / 1000)
    }

    /// The seconds that a zone is ahead of UTC; `None` where no zone follows.
    fn zone(&mut self) -> Result<Option<i32>, ParseTimeError> {
        const FORM: ParseTimeError = ParseTimeError("the zone does not have the form +05:30");
        if self.eat(b'Z') || self.eat(b'z') {
            return Ok(Some(0));
        }
        let behind = match self.rest.first() {
            Some(b'-') => true,
            Some(b'+') => false,
            _ => return Ok(None),
        };
        self.next();
        let hours = self.two_digits().ok_or(FORM)?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.eat(b':') {
            minutes = self.two_digits().ok_or(FORM)?;
            // PostgreSQL prints seconds for a moment in the local mean time of a city.
            if self.eat(b':') {
                seconds = self.two_digits().ok_or(FORM)?;
            }
        } else if let Some(two) = self.two_digits() {
            minutes = two;
        }
        if hours > 15 || minutes > 59 || seconds > 59 {
            return Err(ParseTimeError("the zone is too far from UTC"));
        }
        let ahead = ((hours * 60 + minutes) * 60 + seconds).cast_signed();
        Ok(Some(if behind { -ahead } else { ahead }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn timestamp(date: &str, time: &str) -> Timestamp {
        Timestamp::new(date.parse().unwrap(), time.parse().unwrap()).unwrap()
    }

    #[test]
    fn text_is_that_of_postgresql() {
        for (text, date, time) in [
            ("2026-01-31 12:34:56.5", "2026-01-31", "12:34:56.5"),
            (
                "1969-12-31 23:59:59.999999",
                "1969-12-31",
                "23:59:59.999999",
            ),
            ("0044-03-15 12:00:00.5 BC", "0044-03-15 BC", "12:00:00.5"),
            ("294246-12-31 00:00:00", "294246-12-31", "00:00:00"),
            ("4714-11-24 00:00:00 BC", "4714-11-24 BC", "00:00:00"),
        ] {
            let without = timestamp(date, time);
            assert_eq!(without.to_string(), text);
            assert_eq!(text.parse(), Ok(without));
            assert_eq!(without.date().to_string(), date);
            assert_eq!(without.time().to_string(), time);
        }
        assert_eq!(
            TimestampTz::from_micros(0).to_string(),
            "1970-01-01 00:00:00+00"
        );
        let bc: TimestampTz = "0044-03-15 12:00:00.5+00 BC".parse().unwrap();
        assert_eq!(bc.to_string(), "0044-03-15 12:00:00.5+00 BC");
        assert_eq!("infinity".parse(), Ok(Timestamp::INFINITY));
        assert_eq!(TimestampTz::NEG_INFINITY.to_string(), "-infinity");
    }

    #[test]
    fn zones_are_counted_in() {
        let noon = TimestampTz::from_micros(43_200_000_000);
        for text in [
            "1970-01-01T12:00:00Z",
            "1970-01-01t12:00:00z",
            "1970-01-01 12:00:00+00",
            "1970-01-01 12:00",
            "1970-01-01 17:30:00+05:30",
            "1970-01-01 08:30:00.000000-0330",
            "1970-01-01 07:03:58-04:56:02",
            "1970-01-02 03:59:00.000000000+15:59",
        ] {
            assert_eq!(text.parse(), Ok(noon), "of {text:?}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        const ZONE: &str = "it has a zone, which a timestamp without zone cannot store";
        for (text, why) in [
            ("2026-01-31 12:34:56Z", ZONE),
            ("2026-01-31 12:34:56+00", ZONE),
            ("2026-01-31", "the date is not followed by a time of day"),
            (
                "2026-01-31 12:34:56+5",
                "the zone does not have the form +05:30",
            ),
            (
                "2026-01-31 12:34:56+05:",
                "the zone does not have the form +05:30",
            ),
            ("2026-01-31 12:34:56-16", "the zone is too far from UTC"),
            (
                "2026-01-31 12:34:56 UTC",
                "its end is followed by more text",
            ),
            ("2026-02-30 12:34:56", "the month does not have that day"),
            ("294248-01-01 00:00:00", "the year is out of range"),
            ("4714-11-24 00:00:00+01 BC", "the year is out of range"),
        ] {
            assert_eq!(
                text.parse::<Timestamp>().unwrap_err().to_string(),
                why,
                "of {text:?}"
            );
        }
    }

    #[test]
    fn what_others_have_stored_is_read() {
        let moment = |text: &str| TimestampTz::from_stored(text).map(TimestampTz::micros);
        for (text, micros) in [
            ("1970-01-02", DAY),
            ("1970-01-01 00:00:00.123456789", 123_457),
            ("1970-01-01T00:00:00.999999500Z", 1_000_000),
            ("1970-01-01 23:59:59.9999999+00:00", DAY),
            ("1970-01-01T01:00:00.5+01:00", 500_000),
            ("1970-01-01 00:00", 0),
        ] {
            assert_eq!(moment(text), Ok(micros), "of {text:?}");
        }
        let without = |text: &str| Timestamp::from_stored(text).map(Timestamp::micros);
        assert_eq!(without("1970-01-01T00:00:01.000Z"), Ok(1_000_000));
        assert_eq!(without("1970-01-02"), Ok(DAY));
        assert_eq!(without("1970-01-01 00:00:00+01:00"), Err(ZONE));
        assert!(moment("1970-01-01 24:00:00.1").is_err() && moment("1970-02-30").is_err());
    }

    #[test]
    fn parts_make_a_timestamp() {
        let day = Date::from_days(1);
        assert_eq!(
            Timestamp::new(day, TimeOfDay::END),
            Some(Timestamp(2 * DAY))
        );
        assert_eq!(
            Timestamp::new(Date::INFINITY, TimeOfDay::MIDNIGHT),
            Some(Timestamp::INFINITY)
        );
        assert_eq!(Timestamp::NEG_INFINITY.date(), Date::NEG_INFINITY);
        assert_eq!(
            Timestamp::new(Date::from_days(i32::MAX - 1), TimeOfDay::MIDNIGHT),
            None
        );
        assert_eq!(
            Timestamp::new(Date::from_days(i32::MIN + 1), TimeOfDay::MIDNIGHT),
            None
        );
    }

    #[test]
    fn system_time_is_rounded() {
        let after = |nanos| TimestampTz::from(UNIX_EPOCH + Duration::from_nanos(nanos)).micros();
        let before = |nanos| TimestampTz::from(UNIX_EPOCH - Duration::from_nanos(nanos)).micros();
        assert_eq!([after(1_499), after(1_500)], [1, 2]);
        assert_eq!([before(1_500), before(1_501)], [-1, -2]);
    }

    proptest! {
        #[test]
        fn text_and_parts_read_back(micros in i64::from(Date::MIN_DAYS) * DAY..i64::MAX) {
            let (without, with) = (Timestamp(micros), TimestampTz(micros));
            prop_assert_eq!(without.to_string().parse(), Ok(without));
            prop_assert_eq!(with.to_string().parse(), Ok(with));
            prop_assert_eq!(Timestamp::new(without.date(), without.time()), Some(without));
            prop_assert_eq!(TimestampTz::new(with.date(), with.time()), Some(with));
        }

        #[test]
        fn any_microseconds_have_a_text(micros: i64) {
            prop_assert!(!TimestampTz(micros).to_string().is_empty());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9]{4}-[01][0-9]-[0-3][0-9][0-9BCZT:.+ -]{0,25}") {
            let _ = (text.parse::<Timestamp>(), text.parse::<TimestampTz>());
        }
    }
}

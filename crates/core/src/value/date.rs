use std::fmt;
use std::str::FromStr;

use super::timestamp::{ParseTimeError, Scan};

/// A day of the proleptic Gregorian calendar, counted from 1970-01-01.
///
/// As text it is what PostgreSQL prints: `2026-01-31`, `0044-03-15 BC`, `infinity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// Later than every day.
    pub const INFINITY: Date = Date(i32::MAX);
    /// Earlier than every day.
    pub const NEG_INFINITY: Date = Date(i32::MIN);

    /// PostgreSQL's first day, 4714-11-24 BC.
    pub(super) const MIN_DAYS: i32 = -2_440_588;
    /// PostgreSQL's last day, 5874897-12-31.
    const MAX_DAYS: i32 = 2_145_042_905;

    /// The day this many days after 1970-01-01, or before it if negative. `i32::MAX` and `i32::MIN`
    /// are the infinities. Days outside PostgreSQL's range can be represented, but neither
    /// [`from_ymd`](Date::from_ymd) nor the text form returns them.
    pub const fn from_days(days: i32) -> Self {
        Date(days)
    }

    /// The days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day of this year, month (from 1) and day of the month (from 1). Years are astronomical:
    /// 0 is 1 BC and -1 is 2 BC. `None` if there is no such day, or if it is outside PostgreSQL's
    /// range (4714-11-24 BC to 5874897-12-31).
    pub fn from_ymd(year: i32, month: u8, day: u8) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return None;
        }
        let days = i32::try_from(days_from_civil(year, month, day)).ok()?;
        (Self::MIN_DAYS..=Self::MAX_DAYS)
            .contains(&days)
            .then_some(Date(days))
    }

    /// The year (astronomical: 0 is 1 BC), the month and the day of the month. They are meaningless
    /// for an infinity.
    pub fn ymd(self) -> (i32, u8, u8) {
        civil_from_days(self.0)
    }

    /// Whether it is one of the infinities.
    pub fn is_infinite(self) -> bool {
        self == Self::INFINITY || self == Self::NEG_INFINITY
    }

    /// Writes the day without its era, and says whether the era is BC.
    pub(super) fn write(self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let (year, month, day) = self.ymd();
        let bc = year <= 0;
        let year = if bc { 1 - year } else { year };
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        Ok(bc)
    }
}

// The two conversions are `days_from_civil` and `civil_from_days` of Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms",
// https://howardhinnant.github.io/date_algorithms.html (public domain). A year begins
// in March there, so that the leap day is its last.

pub(super) fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i32) -> (i32, u8, u8) {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u8, day as u8)
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Date::INFINITY => f.write_str("infinity"),
            Date::NEG_INFINITY => f.write_str("-infinity"),
            date => {
                let bc = date.write(f)?;
                f.write_str(if bc { " BC" } else { "" })
            }
        }
    }
}

impl FromStr for Date {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        match text {
            "infinity" => return Ok(Date::INFINITY),
            "-infinity" => return Ok(Date::NEG_INFINITY),
            _ => {}
        }
        let mut scan = Scan::new(text);
        let written = scan.date()?;
        let bc = scan.eat_text(" BC");
        scan.end()?;
        written.resolve(bc)
    }
}

/// A year of an era, a month and a day as they were written; whether the year is BC is
/// known only at the end of the text.
pub(super) struct WrittenDate {
    pub(super) year: u32,
    pub(super) month: u32,
    pub(super) day: u32,
}

impl WrittenDate {
    pub(super) fn resolve(&self, bc: bool) -> Result<Date, ParseTimeError> {
        let year = match i32::try_from(self.year) {
            Ok(0) => {
                return Err(ParseTimeError(
                    "there is no year 0: 1 BC comes before the year 1",
                ));
            }
            Ok(year) if bc => 1 - year,
            Ok(year) => year,
            Err(_) => return Err(ParseTimeError("the year is out of range")),
        };
        let (month, day) = (self.month as u8, self.day as u8);
        if !(1..=12).contains(&month) {
            return Err(ParseTimeError("the month is not from 1 to 12"));
        }
        if !(1..=days_in_month(year, month)).contains(&day) {
            return Err(ParseTimeError("the month does not have that day"));
        }
        Date::from_ymd(year, month, day).ok_or(ParseTimeError("the year is out of range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_algorithms_agree_with_counting_days() {
        let (mut year, mut month, mut day) = (-4713, 11, 24);
        for days in Date::MIN_DAYS..400_000 {
            let date = Date::from_days(days);
            assert_eq!(date.ymd(), (year, month, day), "of {days}");
            assert_eq!(Date::from_ymd(year, month, day), Some(date));
            day += 1;
            if day > days_in_month(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(Date::from_ymd(1970, 1, 1), Some(Date::from_days(0)));
        assert!(Date::from_ymd(3000, 1, 1).is_some_and(|date| date.days() < 400_000));
    }

    #[test]
    fn text_is_that_of_postgresql() {
        for (text, year, month, day) in [
            ("2026-01-31", 2026, 1, 31),
            ("0001-01-01", 1, 1, 1),
            ("0001-12-31 BC", 0, 12, 31),
            ("0044-03-15 BC", -43, 3, 15),
            ("12345-01-02", 12345, 1, 2),
            ("4714-11-24 BC", -4713, 11, 24),
            ("5874897-12-31", 5_874_897, 12, 31),
            ("0001-02-29 BC", 0, 2, 29),
        ] {
            let date = Date::from_ymd(year, month, day).unwrap();
            assert_eq!(date.to_string(), text);
            assert_eq!(text.parse(), Ok(date));
        }
        assert_eq!("infinity".parse(), Ok(Date::INFINITY));
        assert_eq!(Date::NEG_INFINITY.to_string(), "-infinity");
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for (text, why) in [
            ("2026-02-29", "the month does not have that day"),
            ("2026-13-01", "the month is not from 1 to 12"),
            ("2026-01-00", "the month does not have that day"),
            (
                "0000-01-01",
                "there is no year 0: 1 BC comes before the year 1",
            ),
            ("4714-11-23 BC", "the year is out of range"),
            ("5874898-01-01", "the year is out of range"),
            ("2026-01-31 ", "its end is followed by more text"),
            ("2026-1-31", "it does not have the form 2026-01-31"),
            ("-2026-01-31", "it does not have the form 2026-01-31"),
            ("", "it does not have the form 2026-01-31"),
        ] {
            assert_eq!(
                text.parse::<Date>().unwrap_err().to_string(),
                why,
                "of {text:?}"
            );
        }
        assert_eq!(Date::from_ymd(2100, 2, 29), None);
        assert_eq!(Date::from_ymd(i32::MAX, 1, 1), None);
        assert_eq!(Date::from_ymd(i32::MIN, 1, 1), None);
    }

    proptest! {
        #[test]
        fn text_reads_back(days in Date::MIN_DAYS..=Date::MAX_DAYS) {
            let date = Date::from_days(days);
            let (year, month, day) = date.ymd();
            prop_assert_eq!(Date::from_ymd(year, month, day), Some(date));
            prop_assert_eq!(date.to_string().parse(), Ok(date));
        }

        #[test]
        fn any_number_of_days_has_a_text(days: i32) {
            prop_assert!(!Date::from_days(days).to_string().is_empty());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9BCZT:.+ -]{0,30}") {
            let _ = text.parse::<Date>();
        }
    }
}

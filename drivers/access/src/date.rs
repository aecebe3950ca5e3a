//! Access's dates as text.
//!
//! A Date/Time is a double: days since 1899-12-30, with the time of day as the fraction. Before that
//! day the number is negative and the fraction still counts forward from midnight: -1.25 is six in
//! the morning of 1899-12-29.

const MILLIS_PER_DAY: f64 = 86_400_000.0;
/// 0100-01-01, the first day that Access has.
const FIRST: i64 = -657_434;
/// 9999-12-31.
const LAST: i64 = 2_958_465;
/// 1899-12-30, as days since 0000-03-01.
const EPOCH: i64 = 693_899;

/// The date and time, with milliseconds where there are some; `None` where it is not a date that
/// Access can have.
pub(crate) fn text(days: f64) -> Option<String> {
    if !(days > (FIRST - 1) as f64 && days < (LAST + 1) as f64) {
        return None;
    }
    let mut day = days.trunc() as i64;
    // A double of this size keeps a time of day to well below a millisecond.
    let mut millis = (days.fract().abs() * MILLIS_PER_DAY).round() as i64;
    if millis >= 86_400_000 {
        day += 1;
        millis = 0;
    }
    if !(FIRST..=LAST).contains(&day) {
        return None;
    }
    let (year, month, date) = civil(day);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}");
    Some(match millis {
        0 => text,
        millis => format!("{text}.{millis:03}"),
    })
}

/// The text of a Date/Time Extended as jetdb gives it, which has no time of day at midnight.
pub(crate) fn extended(text: String) -> String {
    match text.contains(' ') {
        true => text,
        false => format!("{text} 00:00:00"),
    }
}

/// The year, month and day of a number of days since 1899-12-30.
fn civil(day: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the day that leap years add is their last.
    let day = day + EPOCH;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_that_access_shows() {
        for (days, expected) in [
            (0.0, "1899-12-30 00:00:00"),
            (1.0, "1899-12-31 00:00:00"),
            (2.5, "1900-01-01 12:00:00"),
            (-1.25, "1899-12-29 06:00:00"),
            (-0.25, "1899-12-30 06:00:00"),
            (36_526.0, "2000-01-01 00:00:00"),
            (36_585.0, "2000-02-29 00:00:00"),
            (45_000.999_988_425_92, "2023-03-15 23:59:59"),
            (45_000.999_999_999, "2023-03-16 00:00:00"),
            (-657_434.0, "0100-01-01 00:00:00"),
            (2_958_465.999_988_43, "9999-12-31 23:59:59"),
            (1.5 + 0.25 / 86_400.0, "1899-12-31 12:00:00.250"),
        ] {
            assert_eq!(text(days).as_deref(), Some(expected), "{days}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for days in [
            f64::NAN,
            f64::INFINITY,
            -657_435.0,
            2_958_466.0,
            2_958_465.999_999_999_9,
            1e300,
        ] {
            assert_eq!(text(days), None, "{days}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut before = civil(FIRST);
        for day in FIRST + 1..=LAST {
            let now = civil(day);
            let follows = match (now.2, now.1) {
                (1, 1) => now.0 == before.0 + 1 && before.1 == 12 && before.2 == 31,
                (1, month) => (now.0, month - 1) == (before.0, before.1) && before.2 >= 28,
                (date, _) => (now.0, now.1, date - 1) == before,
            };
            assert!(follows, "{day}: {before:?} {now:?}");
            before = now;
        }
        assert_eq!(before, (9999, 12, 31));
    }

    #[test]
    fn an_extended_date_has_a_time_of_day() {
        assert_eq!(extended("2021-06-14".into()), "2021-06-14 00:00:00");
        let exact = "2021-06-14 22:45:12.3456789";
        assert_eq!(extended(exact.into()), exact);
    }
}

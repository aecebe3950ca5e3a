//! The forms in which SQLite's files store values for which SQLite has no type.

use underpin_core::value::{Date, TimeOfDay, Timestamp};
use underpin_core::{TimeForm, UuidForm};

/// The forms of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Forms {
    pub(crate) uuids: UuidForm,
    pub(crate) times: TimeForm,
}

/// The first and the last day whose text sorts by time and is accepted by SQLite's functions:
/// 0001-01-01 and 9999-12-31.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

/// Whether the text of a day sorts by time. The infinities do, although SQLite's functions return
/// NULL for them.
pub(crate) fn sorts(day: Date) -> bool {
    day.is_infinite() || (FIRST_DAY..=LAST_DAY).contains(&day.days())
}

/// A time of day, with no, three or six digits of a second: as many as it needs.
pub(crate) fn time_text(time: TimeOfDay) -> String {
    let mut text = String::with_capacity(15);
    push_time(&mut text, time);
    text
}

/// A date and time of day in UTC.
pub(crate) fn timestamp_text(micros: i64, form: TimeForm) -> String {
    let mut text = String::with_capacity(32);
    push_timestamp(&mut text, micros, form);
    text
}

fn push_timestamp(text: &mut String, micros: i64, form: TimeForm) {
    let timestamp = Timestamp::from_micros(micros);
    if timestamp.is_infinite() {
        text.push_str(if micros > 0 { "infinity" } else { "-infinity" });
        return;
    }
    let (year, month, day) = timestamp.date().ymd();
    push_digits(text, year.unsigned_abs(), 4);
    text.push('-');
    push_digits(text, month.into(), 2);
    text.push('-');
    push_digits(text, day.into(), 2);
    text.push(if form == TimeForm::Rfc3339 { 'T' } else { ' ' });
    push_time(text, timestamp.time());
    if matches!(form, TimeForm::Rfc3339 | TimeForm::Offset) {
        text.push_str("+00:00");
    }
}

fn push_time(text: &mut String, time: TimeOfDay) {
    let (hour, minute, second, micro) = time.hms_micro();
    push_digits(text, hour.into(), 2);
    text.push(':');
    push_digits(text, minute.into(), 2);
    text.push(':');
    push_digits(text, second.into(), 2);
    if micro != 0 {
        text.push('.');
        match micro % 1000 {
            0 => push_digits(text, micro / 1000, 3),
            _ => push_digits(text, micro, 6),
        }
    }
}

fn push_digits(text: &mut String, number: u32, width: u32) {
    for at in (0..width).rev() {
        let digit = number / 10_u32.pow(at) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_as_many_digits_as_it_takes() {
        for (micros, text) in [
            (0, "1970-01-01 00:00:00"),
            (990_000, "1970-01-01 00:00:00.990"),
            (1, "1970-01-01 00:00:00.000001"),
            (-1, "1969-12-31 23:59:59.999999"),
            (i64::MAX, "infinity"),
            (i64::MIN, "-infinity"),
        ] {
            assert_eq!(timestamp_text(micros, TimeForm::Text), text);
        }
        let half = timestamp_text(500_000, TimeForm::Rfc3339);
        assert_eq!(half, "1970-01-01T00:00:00.500+00:00");
        let half = timestamp_text(500_000, TimeForm::Offset);
        assert_eq!(half, "1970-01-01 00:00:00.500+00:00");
        assert_eq!(time_text(TimeOfDay::END), "24:00:00");
    }

    #[test]
    fn days_sort_from_the_year_1_to_the_year_9999() {
        let day = |year, month, day| Date::from_ymd(year, month, day).unwrap();
        assert!(sorts(day(1, 1, 1)) && sorts(day(9999, 12, 31)) && sorts(Date::INFINITY));
        assert!(!sorts(day(0, 12, 31)) && !sorts(day(10_000, 1, 1)));
    }
}

//! Nanoseconds are rounded to the nearest microsecond on the way to the database, as
//! PostgreSQL rounds them.

use ::time::{Date as Day, OffsetDateTime, PrimitiveDateTime, Time};

use super::timestamp::round_nanos;
use super::{Date, TimeOfDay, Timestamp, TimestampTz, Value, ValueRef};
use crate::column_type::column_types;
use crate::from_row::scalars;
use crate::from_value::{FromValue, Mismatch, element};
use crate::into_value::{IntoValue, elements};
use crate::parameters::parameters;

const UNIX_EPOCH_JULIAN_DAY: i32 = 2_440_588;

#[cold]
fn beyond(what: impl std::fmt::Display, name: &str) -> Mismatch {
    Mismatch::because(format!("{what} does not fit a {name}"))
}

impl FromValue<'_> for Day {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let date = Date::from_value(value)?;
        day(date).ok_or_else(|| beyond(date, "Date"))
    }
}

fn day(date: Date) -> Option<Day> {
    let julian = date.days().checked_add(UNIX_EPOCH_JULIAN_DAY)?;
    Day::from_julian_day(julian).ok()
}

impl IntoValue for Day {
    fn into_value(self) -> Value {
        Value::Date(Date::from_days(
            self.to_julian_day() - UNIX_EPOCH_JULIAN_DAY,
        ))
    }

    fn specimens() -> Vec<Value> {
        super::Date::specimens()
    }
}

impl FromValue<'_> for Time {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let read = TimeOfDay::from_value(value)?;
        time(read).ok_or_else(|| beyond(read, "Time"))
    }
}

fn time(time: TimeOfDay) -> Option<Time> {
    let (hour, minute, second, micro) = time.hms_micro();
    Time::from_hms_micro(hour, minute, second, micro).ok()
}

impl IntoValue for Time {
    fn into_value(self) -> Value {
        Value::Time(time_of_day(self))
    }

    fn specimens() -> Vec<Value> {
        super::TimeOfDay::specimens()
    }
}

/// The nanoseconds before midnight are rounded to `24:00:00`, as they are by PostgreSQL.
fn time_of_day(time: Time) -> TimeOfDay {
    let (hour, minute, second, nano) = time.as_hms_nano();
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    let micros = seconds * 1_000_000 + (i64::from(nano) + 500) / 1_000;
    TimeOfDay::from_micros(micros).unwrap_or(TimeOfDay::END)
}

impl FromValue<'_> for PrimitiveDateTime {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let timestamp = Timestamp::from_value(value)?;
        match (day(timestamp.date()), time(timestamp.time())) {
            (Some(day), Some(time)) => Ok(PrimitiveDateTime::new(day, time)),
            _ => Err(beyond(timestamp, "PrimitiveDateTime")),
        }
    }
}

impl IntoValue for PrimitiveDateTime {
    /// A timestamp; or text, which the server refuses, of one that no server can store.
    fn into_value(self) -> Value {
        let date = Date::from_days(self.date().to_julian_day() - UNIX_EPOCH_JULIAN_DAY);
        match Timestamp::new(date, time_of_day(self.time())) {
            Some(timestamp) => Value::Timestamp(timestamp),
            None => Value::Text(self.to_string()),
        }
    }

    fn specimens() -> Vec<Value> {
        super::Timestamp::specimens()
    }
}

impl FromValue<'_> for OffsetDateTime {
    /// The moment in UTC.
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let timestamp = TimestampTz::from_value(value)?;
        match (day(timestamp.date()), time(timestamp.time())) {
            (Some(day), Some(time)) => Ok(PrimitiveDateTime::new(day, time).assume_utc()),
            _ => Err(beyond(timestamp, "OffsetDateTime")),
        }
    }
}

impl IntoValue for OffsetDateTime {
    /// The moment, without its offset; or text, which the server refuses, of one that no
    /// server can store.
    fn into_value(self) -> Value {
        match i64::try_from(round_nanos(self.unix_timestamp_nanos())) {
            Ok(micros) => Value::TimestampTz(TimestampTz::from_micros(micros)),
            Err(_) => Value::Text(self.to_string()),
        }
    }

    fn specimens() -> Vec<Value> {
        super::TimestampTz::specimens()
    }
}

element!(Day, Time, PrimitiveDateTime, OffsetDateTime);
parameters!(Day, Time, PrimitiveDateTime, OffsetDateTime);
elements!(Day, Time, PrimitiveDateTime, OffsetDateTime);
scalars!(Day, Time, PrimitiveDateTime, OffsetDateTime);
column_types! {
    "date": Day;
    "time without time zone": Time;
    "timestamp without time zone": PrimitiveDateTime;
    "timestamp with time zone": OffsetDateTime;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::time::UtcOffset;
    use proptest::prelude::*;

    fn read<T: for<'r> FromValue<'r>>(value: Value) -> Result<T, String> {
        T::from_value(value.as_ref()).map_err(|why| why.to_string())
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for date in [
            Date::INFINITY,
            Date::NEG_INFINITY,
            Date::from_days(i32::MAX / 2),
        ] {
            let why = read::<Day>(Value::Date(date)).unwrap_err();
            assert_eq!(why, format!("{date} does not fit a Date"));
        }
        for micros in [i64::MAX, i64::MIN] {
            let timestamp = Value::Timestamp(Timestamp::from_micros(micros));
            assert!(read::<PrimitiveDateTime>(timestamp).is_err());
            let timestamp = Value::TimestampTz(TimestampTz::from_micros(micros));
            assert!(read::<OffsetDateTime>(timestamp).is_err());
        }
        let why = read::<Time>(Value::Time(TimeOfDay::END)).unwrap_err();
        assert_eq!(why, "24:00:00 does not fit a Time");
    }

    #[test]
    fn nanoseconds_are_rounded() {
        let moment = |nanos| {
            OffsetDateTime::from_unix_timestamp_nanos(nanos)
                .unwrap()
                .into_value()
        };
        let micros = |micros| Value::TimestampTz(TimestampTz::from_micros(micros));
        assert_eq!([moment(1_499), moment(1_500)], [micros(1), micros(2)]);
        assert_eq!([moment(-1_500), moment(-1_501)], [micros(-1), micros(-2)]);
        let last = Time::from_hms_nano(23, 59, 59, 999_999_500).unwrap();
        assert_eq!(last.into_value(), Value::Time(TimeOfDay::END));
        let epoch = Day::from_julian_day(UNIX_EPOCH_JULIAN_DAY).unwrap();
        let next = Timestamp::from_micros(86_400_000_000);
        assert_eq!(
            PrimitiveDateTime::new(epoch, last).into_value(),
            Value::Timestamp(next)
        );
    }

    #[test]
    fn the_offset_is_counted_in() {
        let offset = UtcOffset::from_hms(5, 30, 0).unwrap();
        let moment = OffsetDateTime::UNIX_EPOCH.to_offset(offset);
        assert_eq!(
            moment.into_value(),
            Value::TimestampTz(TimestampTz::from_micros(0))
        );
    }

    proptest! {
        #[test]
        fn values_read_back(micros in -200_000_000_000_000_000..250_000_000_000_000_000_i64) {
            let value = Value::TimestampTz(TimestampTz::from_micros(micros));
            let moment: OffsetDateTime = read(value.clone()).unwrap();
            prop_assert_eq!(moment.unix_timestamp_nanos(), i128::from(micros) * 1_000);
            prop_assert_eq!(moment.into_value(), value);

            let timestamp = Timestamp::from_micros(micros);
            let local: PrimitiveDateTime = read(Value::Timestamp(timestamp)).unwrap();
            prop_assert_eq!(local.assume_utc(), moment);
            prop_assert_eq!(local.into_value(), Value::Timestamp(timestamp));
            let date: Day = read(Value::Date(timestamp.date())).unwrap();
            prop_assert_eq!(date.into_value(), Value::Date(timestamp.date()));
            let time: Time = read(Value::Time(timestamp.time())).unwrap();
            prop_assert_eq!(time.into_value(), Value::Time(timestamp.time()));
        }
    }
}

//! Nanoseconds are rounded to the nearest microsecond on the way to the database, as
//! PostgreSQL rounds them, and a leap second counts into the second that follows it.

use ::chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc,
};

use super::timestamp::round_nanos;
use super::{Date, TimeOfDay, Timestamp, TimestampTz, Value, ValueRef};
use crate::column_type::column_types;
use crate::from_row::scalars;
use crate::from_value::{FromValue, Mismatch, element};
use crate::into_value::{IntoValue, elements};
use crate::parameters::parameters;

const UNIX_EPOCH_FROM_CE: i32 = 719_163;

impl FromValue<'_> for NaiveDate {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let date = Date::from_value(value)?;
        date.days()
            .checked_add(UNIX_EPOCH_FROM_CE)
            .and_then(NaiveDate::from_num_days_from_ce_opt)
            .ok_or_else(|| Mismatch::because(format!("{date} does not fit a NaiveDate")))
    }
}

impl IntoValue for NaiveDate {
    fn into_value(self) -> Value {
        Value::Date(Date::from_days(
            self.num_days_from_ce() - UNIX_EPOCH_FROM_CE,
        ))
    }

    fn specimens() -> Vec<Value> {
        super::Date::specimens()
    }
}

impl FromValue<'_> for NaiveTime {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let time = TimeOfDay::from_value(value)?;
        let (hour, minute, second, micro) = time.hms_micro();
        NaiveTime::from_hms_micro_opt(hour.into(), minute.into(), second.into(), micro)
            .ok_or_else(|| Mismatch::because(format!("{time} does not fit a NaiveTime")))
    }
}

impl IntoValue for NaiveTime {
    fn into_value(self) -> Value {
        let nanos = i128::from(self.num_seconds_from_midnight()) * 1_000_000_000
            + i128::from(self.nanosecond());
        let time = i64::try_from(round_nanos(nanos))
            .ok()
            .and_then(TimeOfDay::from_micros);
        // Nothing but a leap second before midnight is past the end.
        Value::Time(time.unwrap_or(TimeOfDay::END))
    }

    fn specimens() -> Vec<Value> {
        super::TimeOfDay::specimens()
    }
}

impl FromValue<'_> for NaiveDateTime {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let timestamp = Timestamp::from_value(value)?;
        moment(timestamp.micros())
            .map(|moment| moment.naive_utc())
            .ok_or_else(|| Mismatch::because(format!("{timestamp} does not fit a NaiveDateTime")))
    }
}

impl IntoValue for NaiveDateTime {
    fn into_value(self) -> Value {
        Value::Timestamp(Timestamp::from_micros(micros(&self.and_utc())))
    }

    fn specimens() -> Vec<Value> {
        super::Timestamp::specimens()
    }
}

impl FromValue<'_> for DateTime<Utc> {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let timestamp = TimestampTz::from_value(value)?;
        moment(timestamp.micros())
            .ok_or_else(|| Mismatch::because(format!("{timestamp} does not fit a DateTime")))
    }
}

impl IntoValue for DateTime<Utc> {
    fn into_value(self) -> Value {
        Value::TimestampTz(TimestampTz::from_micros(micros(&self)))
    }

    fn specimens() -> Vec<Value> {
        super::TimestampTz::specimens()
    }
}

impl IntoValue for DateTime<FixedOffset> {
    /// The moment; the offset is not stored.
    fn into_value(self) -> Value {
        Value::TimestampTz(TimestampTz::from_micros(micros(&self)))
    }

    fn specimens() -> Vec<Value> {
        super::TimestampTz::specimens()
    }
}

/// The infinities are 30 000 years beyond what a `DateTime` can hold.
fn moment(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}

/// A `DateTime` reaches to the year 262142, and 64 bits of microseconds to 294247.
fn micros<Tz: TimeZone>(moment: &DateTime<Tz>) -> i64 {
    let nanos = i64::from(moment.timestamp_subsec_nanos());
    moment.timestamp() * 1_000_000 + (nanos + 500) / 1_000
}

element!(NaiveDate, NaiveTime, NaiveDateTime, DateTime<Utc>);
parameters!(
    NaiveDate,
    NaiveTime,
    NaiveDateTime,
    DateTime<Utc>,
    DateTime<FixedOffset>
);
elements!(
    NaiveDate,
    NaiveTime,
    NaiveDateTime,
    DateTime<Utc>,
    DateTime<FixedOffset>
);
scalars!(NaiveDate, NaiveTime, NaiveDateTime, DateTime<Utc>);
column_types! {
    "date": NaiveDate;
    "time without time zone": NaiveTime;
    "timestamp without time zone": NaiveDateTime;
    "timestamp with time zone": DateTime<Utc>, DateTime<FixedOffset>;
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let why = read::<NaiveDate>(Value::Date(date)).unwrap_err();
            assert_eq!(why, format!("{date} does not fit a NaiveDate"));
        }
        for micros in [i64::MAX, i64::MAX - 1, i64::MIN, i64::MIN + 1] {
            assert!(read::<NaiveDateTime>(Timestamp::from_micros(micros).into_value()).is_err());
            assert!(read::<DateTime<Utc>>(TimestampTz::from_micros(micros).into_value()).is_err());
        }
        let why = read::<NaiveTime>(Value::Time(TimeOfDay::END)).unwrap_err();
        assert_eq!(why, "24:00:00 does not fit a NaiveTime");
        assert!(read::<NaiveDate>(Value::Null).is_err());
    }

    #[test]
    fn the_limits_and_leap_seconds_are_written() {
        assert_eq!(NaiveDate::MAX.into_value().to_string(), "262142-12-31");
        assert_eq!(
            NaiveDateTime::MAX.into_value().to_string(),
            "262143-01-01 00:00:00"
        );
        assert_eq!(
            NaiveDateTime::MIN.into_value().to_string(),
            "262144-01-01 00:00:00 BC"
        );
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        assert_eq!(leap.into_value(), Value::Time(TimeOfDay::END));
        let offset = FixedOffset::east_opt(3_600).unwrap();
        let moment = offset.with_ymd_and_hms(1970, 1, 1, 1, 0, 0).unwrap();
        assert_eq!(
            moment.into_value(),
            Value::TimestampTz(TimestampTz::from_micros(0))
        );
    }

    #[test]
    fn text_is_read_as_a_moment() {
        let moment: DateTime<Utc> = read(Value::Text("1970-01-01T01:00:00+01:00".into())).unwrap();
        assert_eq!(moment, DateTime::UNIX_EPOCH);
        let days: Vec<NaiveDate> =
            read(Value::Array(vec![Value::Date(Date::from_days(0))])).unwrap();
        assert_eq!(
            days.into_value(),
            Value::Array(vec![Value::Date(Date::from_days(0))])
        );
    }

    proptest! {
        #[test]
        fn values_read_back(micros in -200_000_000_000_000_000..8_000_000_000_000_000_000_i64) {
            let value = Value::TimestampTz(TimestampTz::from_micros(micros));
            let moment: DateTime<Utc> = read(value.clone()).unwrap();
            prop_assert_eq!(moment.timestamp_micros(), micros);
            prop_assert_eq!(moment.into_value(), value);

            let timestamp = Timestamp::from_micros(micros);
            let naive: NaiveDateTime = read(Value::Timestamp(timestamp)).unwrap();
            prop_assert_eq!(naive.into_value(), Value::Timestamp(timestamp));
            let date: NaiveDate = read(Value::Date(timestamp.date())).unwrap();
            prop_assert_eq!(date, naive.date());
            prop_assert_eq!(date.into_value(), Value::Date(timestamp.date()));
            let time: NaiveTime = read(Value::Time(timestamp.time())).unwrap();
            prop_assert_eq!(time, naive.time());
            prop_assert_eq!(time.into_value(), Value::Time(timestamp.time()));
        }

        #[test]
        fn nanoseconds_are_rounded(seconds in -1_000_000_i64..1_000_000, nanos in 0_u32..1_000_000_000) {
            let moment = DateTime::from_timestamp(seconds, nanos).unwrap();
            let expected = seconds * 1_000_000 + (i64::from(nanos) + 500) / 1_000;
            prop_assert_eq!(
                moment.into_value(),
                Value::TimestampTz(TimestampTz::from_micros(expected))
            );
        }
    }
}

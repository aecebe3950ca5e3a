//! Nanoseconds are rounded to the nearest microsecond on the way to the database, as
//! PostgreSQL rounds them.

use ::jiff::{Span, Timestamp as Moment, civil};

use super::date::days_from_civil;
use super::timestamp::round_nanos;
use super::{Date, Interval, TimeOfDay, Timestamp, TimestampTz, Value, ValueRef};
use crate::column_type::column_types;
use crate::from_row::scalars;
use crate::from_value::{FromValue, Mismatch, element};
use crate::into_value::{IntoValue, elements};
use crate::parameters::parameters;

#[cold]
fn beyond(what: impl std::fmt::Display, name: &str) -> Mismatch {
    Mismatch::because(format!("{what} does not fit a {name}"))
}

impl FromValue<'_> for civil::Date {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let date = Date::from_value(value)?;
        civil_date(date).ok_or_else(|| beyond(date, "civil Date"))
    }
}

fn civil_date(date: Date) -> Option<civil::Date> {
    let (year, month, day) = date.ymd();
    civil::Date::new(
        year.try_into().ok()?,
        month.cast_signed(),
        day.cast_signed(),
    )
    .ok()
}

impl IntoValue for civil::Date {
    fn into_value(self) -> Value {
        Value::Date(date(self))
    }

    fn specimens() -> Vec<Value> {
        super::Date::specimens()
    }
}

/// Without the limits of [`Date::from_ymd`], since jiff's years go further back.
fn date(date: civil::Date) -> Date {
    let (month, day) = (date.month().cast_unsigned(), date.day().cast_unsigned());
    Date::from_days(days_from_civil(date.year().into(), month, day) as i32)
}

impl FromValue<'_> for civil::Time {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let time = TimeOfDay::from_value(value)?;
        civil_time(time).ok_or_else(|| beyond(time, "civil Time"))
    }
}

fn civil_time(time: TimeOfDay) -> Option<civil::Time> {
    let (hour, minute, second, micro) = time.hms_micro();
    let [hour, minute, second] = [hour, minute, second].map(u8::cast_signed);
    civil::Time::new(hour, minute, second, micro.cast_signed() * 1_000).ok()
}

impl IntoValue for civil::Time {
    fn into_value(self) -> Value {
        Value::Time(time_of_day(self))
    }

    fn specimens() -> Vec<Value> {
        super::TimeOfDay::specimens()
    }
}

/// The nanoseconds before midnight are rounded to `24:00:00`, as they are by PostgreSQL.
fn time_of_day(time: civil::Time) -> TimeOfDay {
    let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(i64::from);
    let nano = i64::from(time.subsec_nanosecond());
    let micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + (nano + 500) / 1_000;
    TimeOfDay::from_micros(micros).unwrap_or(TimeOfDay::END)
}

impl FromValue<'_> for civil::DateTime {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let timestamp = Timestamp::from_value(value)?;
        match (civil_date(timestamp.date()), civil_time(timestamp.time())) {
            (Some(date), Some(time)) => Ok(date.to_datetime(time)),
            _ => Err(beyond(timestamp, "civil DateTime")),
        }
    }
}

impl IntoValue for civil::DateTime {
    fn into_value(self) -> Value {
        let midnight = i64::from(date(self.date()).days()) * super::timestamp::DAY;
        let micros = midnight + time_of_day(self.time()).micros();
        Value::Timestamp(Timestamp::from_micros(micros))
    }

    fn specimens() -> Vec<Value> {
        super::Timestamp::specimens()
    }
}

impl FromValue<'_> for Moment {
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let timestamp = TimestampTz::from_value(value)?;
        Moment::from_microsecond(timestamp.micros()).map_err(|_| beyond(timestamp, "Timestamp"))
    }
}

impl IntoValue for Moment {
    fn into_value(self) -> Value {
        let second = self.as_second() * 1_000_000;
        let micros = round_nanos(self.subsec_nanosecond().into()) as i64;
        Value::TimestampTz(TimestampTz::from_micros(second + micros))
    }

    fn specimens() -> Vec<Value> {
        super::TimestampTz::specimens()
    }
}

impl FromValue<'_> for Span {
    /// The months, days and microseconds of the interval as they are, not balanced into
    /// larger units. All must have the same sign, as a `Span` has but one.
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let interval = Interval::from_value(value)?;
        let signs = [
            interval.months.signum(),
            interval.days.signum(),
            interval.micros.signum() as i32,
        ];
        if signs.contains(&1) && signs.contains(&-1) {
            let why = format!("{interval} has parts of both signs, but a Span has only one sign");
            return Err(Mismatch::because(why));
        }
        Span::new()
            .try_months(interval.months)
            .and_then(|span| span.try_days(interval.days))
            .and_then(|span| span.try_microseconds(interval.micros))
            .map_err(|_| beyond(interval, "Span"))
    }
}

impl IntoValue for Span {
    /// Years are counted in months, weeks in days, and all shorter units in microseconds.
    fn into_value(self) -> Value {
        // The limits of a Span's units keep each sum within its type.
        let seconds = i128::from(self.get_hours()) * 3_600
            + i128::from(self.get_minutes()) * 60
            + i128::from(self.get_seconds());
        let nanos = seconds * 1_000_000_000
            + i128::from(self.get_milliseconds()) * 1_000_000
            + i128::from(self.get_microseconds()) * 1_000
            + i128::from(self.get_nanoseconds());
        Value::Interval(Interval {
            months: i32::from(self.get_years()) * 12 + self.get_months(),
            days: self.get_weeks() * 7 + self.get_days(),
            micros: round_nanos(nanos) as i64,
        })
    }

    fn specimens() -> Vec<Value> {
        super::Interval::specimens()
    }
}

element!(civil::Date, civil::Time, civil::DateTime, Moment, Span);
parameters!(civil::Date, civil::Time, civil::DateTime, Moment, Span);
elements!(civil::Date, civil::Time, civil::DateTime, Moment, Span);
scalars!(civil::Date, civil::Time, civil::DateTime, Moment, Span);
column_types! {
    "date": civil::Date;
    "time without time zone": civil::Time;
    "timestamp without time zone": civil::DateTime;
    "timestamp with time zone": Moment;
    "interval": Span;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::jiff::SpanFieldwise;
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
            let why = read::<civil::Date>(Value::Date(date)).unwrap_err();
            assert_eq!(why, format!("{date} does not fit a civil Date"));
        }
        for micros in [i64::MAX, i64::MIN] {
            let timestamp = Value::Timestamp(Timestamp::from_micros(micros));
            assert!(read::<civil::DateTime>(timestamp).is_err());
            assert!(read::<Moment>(Value::TimestampTz(TimestampTz::from_micros(micros))).is_err());
        }
        let why = read::<civil::Time>(Value::Time(TimeOfDay::END)).unwrap_err();
        assert_eq!(why, "24:00:00 does not fit a civil Time");
        let mixed = Interval {
            months: 1,
            days: -1,
            micros: 0,
        };
        let why = read::<Span>(Value::Interval(mixed)).unwrap_err();
        assert_eq!(
            why,
            "P1M-1D has parts of both signs, but a Span has only one sign"
        );
        assert!(read::<Span>(Value::Interval(Interval::INFINITY)).is_err());
    }

    #[test]
    fn the_limits_are_written() {
        assert_eq!(
            civil::DateTime::MIN.into_value().to_string(),
            "10000-01-01 00:00:00 BC"
        );
        assert_eq!(
            civil::DateTime::MAX.into_value().to_string(),
            "10000-01-01 00:00:00"
        );
        assert_eq!(civil::Time::MAX.into_value(), Value::Time(TimeOfDay::END));
        assert_eq!(civil::Date::MAX.into_value().to_string(), "9999-12-31");
        let longest = Span::new()
            .years(19_998)
            .months(239_976)
            .weeks(1_043_497)
            .days(7_304_484)
            .hours(175_307_616)
            .minutes(10_518_456_960_i64)
            .seconds(631_107_417_600_i64)
            .milliseconds(631_107_417_600_000_i64)
            .microseconds(631_107_417_600_000_000_i64)
            .nanoseconds(i64::MAX);
        let micros = 5 * 631_107_417_600_000_000 + 9_223_372_036_854_776;
        let interval = Interval {
            months: 479_952,
            days: 14_608_963,
            micros,
        };
        assert_eq!(longest.into_value(), Value::Interval(interval));
    }

    #[test]
    fn nanoseconds_are_rounded() {
        let moment = |nanos| Moment::from_nanosecond(nanos).unwrap().into_value();
        let micros = |micros| Value::TimestampTz(TimestampTz::from_micros(micros));
        assert_eq!([moment(1_499), moment(1_500)], [micros(1), micros(2)]);
        assert_eq!([moment(-1_500), moment(-1_501)], [micros(-1), micros(-2)]);
    }

    proptest! {
        #[test]
        fn values_read_back(micros in -200_000_000_000_000_000..250_000_000_000_000_000_i64) {
            let value = Value::TimestampTz(TimestampTz::from_micros(micros));
            let moment: Moment = read(value.clone()).unwrap();
            prop_assert_eq!(moment.as_microsecond(), micros);
            prop_assert_eq!(moment.into_value(), value);

            let timestamp = Timestamp::from_micros(micros);
            let local: civil::DateTime = read(Value::Timestamp(timestamp)).unwrap();
            prop_assert_eq!(local.into_value(), Value::Timestamp(timestamp));
            let date: civil::Date = read(Value::Date(timestamp.date())).unwrap();
            prop_assert_eq!(date, local.date());
            prop_assert_eq!(date.into_value(), Value::Date(timestamp.date()));
            let time: civil::Time = read(Value::Time(timestamp.time())).unwrap();
            prop_assert_eq!(time, local.time());
            prop_assert_eq!(time.into_value(), Value::Time(timestamp.time()));
        }

        #[test]
        fn spans_read_back(
            months in 0..200_000_i32, days in 0..7_000_000_i32,
            micros in 0..600_000_000_000_000_000_i64, negative: bool,
        ) {
            let sign = if negative { -1 } else { 1 };
            let interval = Interval {
                months: sign * months, days: sign * days, micros: i64::from(sign) * micros,
            };
            let span: Span = read(Value::Interval(interval)).unwrap();
            prop_assert_eq!(span.into_value(), Value::Interval(interval));
            // Jiff takes a sign before the whole duration only.
            if !negative {
                let parsed: Span = interval.to_string().parse().unwrap();
                prop_assert_eq!(parsed.into_value(), Value::Interval(interval));
            }
            let printed: Interval = span.to_string().parse().unwrap();
            prop_assert_eq!(printed, interval);
            prop_assert_eq!(SpanFieldwise(span), SpanFieldwise(read(Value::Interval(printed)).unwrap()));
        }
    }
}

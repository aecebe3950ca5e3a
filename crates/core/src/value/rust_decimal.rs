use ::rust_decimal::Decimal;

use super::numeric::{Base10000, parts};
use super::{Numeric, NumericRef, Value, ValueRef};
use crate::column_type::column_types;
use crate::from_row::scalars;
use crate::from_value::{FromValue, Mismatch, element};
use crate::into_value::{IntoValue, elements};
use crate::parameters::parameters;

const MAX_SCALE: usize = 28;

impl FromValue<'_> for Decimal {
    /// The number with its scale. One that needs more than 28 digits after the point, or
    /// that as a whole number of its scale needs more than 96 bits, is not read.
    #[inline]
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Numeric(number) => from_numeric(number).ok_or_else(|| does_not_fit(&number)),
            value => {
                let number = Numeric::from_value(value)?;
                from_numeric(number.as_ref()).ok_or_else(|| does_not_fit(&number.as_ref()))
            }
        }
    }
}

#[cold]
fn does_not_fit(number: &NumericRef<'_>) -> Mismatch {
    Mismatch::because(format!(
        "{number} does not fit a Decimal, which has at most 28 digits after the point and 96 bits"
    ))
}

#[inline]
fn from_numeric(number: NumericRef<'_>) -> Option<Decimal> {
    match number {
        NumericRef::Base10000(bytes) => {
            let (header, digits) = bytes.split_first_chunk()?;
            from_base10000(&Base10000::new(header, digits))
        }
        NumericRef::Text(text) => from_text(text),
    }
}

fn from_base10000(number: &Base10000<'_>) -> Option<Decimal> {
    if !number.is_finite() || number.scale > MAX_SCALE {
        return None;
    }
    let mut digits = number.digits;
    while let [rest @ .., [0, 0]] = digits {
        digits = rest;
    }
    let [head @ .., last] = digits else {
        return decimal(false, 0, number.scale);
    };
    // How many digits of base 10 there are after the point, and how many there should be.
    let fraction = 4 * (head.len() as i32 - i32::from(number.weight));
    let missing = number.scale as i32 - fraction;
    // The digits too many are zeros at the end of the last of base 10000, of which they
    // are cut off here, since a division of the whole would take longer than all the rest.
    let cut = usize::try_from(-missing).unwrap_or(0);
    let last = u64::from(u16::from_be_bytes(*last)) / *SMALL_POWERS.get(cut)?;
    let unit = SMALL_POWERS[4 - cut];
    let value = match head {
        // Four digits of base 10000 always fit 64 bits.
        [] | [_] | [_, _] | [_, _, _] => u128::from(whole_u64(head) * unit + last),
        _ => whole_u128(head)?
            .checked_mul(unit.into())?
            .checked_add(last.into())?,
    };
    let value = match usize::try_from(missing) {
        Ok(0) | Err(_) => value,
        Ok(missing) => value.checked_mul(10_u128.checked_pow(missing as u32)?)?,
    };
    decimal(number.is_negative(), value, number.scale)
}

const SMALL_POWERS: [u64; 5] = [1, 10, 100, 1_000, 10_000];

fn whole_u64(digits: &[[u8; 2]]) -> u64 {
    digits.iter().fold(0, |n, &digit| {
        n * 10_000 + u64::from(u16::from_be_bytes(digit))
    })
}

fn whole_u128(digits: &[[u8; 2]]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |n, &digit| {
        n.checked_mul(10_000)?
            .checked_add(u16::from_be_bytes(digit).into())
    })
}

fn from_text(text: &str) -> Option<Decimal> {
    let (negative, whole, fraction) = parts(text);
    let mut value = 0_u128;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value
            .checked_mul(10)?
            .checked_add(u128::from(byte - b'0'))?;
    }
    decimal(negative, value, fraction.len())
}

#[inline]
fn decimal(negative: bool, value: u128, scale: usize) -> Option<Decimal> {
    if value >> 96 != 0 || scale > MAX_SCALE {
        return None;
    }
    let [low, middle, high] = [value, value >> 32, value >> 64].map(|part| part as u32);
    Some(Decimal::from_parts(
        low,
        middle,
        high,
        negative,
        scale as u32,
    ))
}

impl IntoValue for Decimal {
    fn into_value(mut self) -> Value {
        if self.is_zero() {
            self.set_sign_positive(true);
        }
        Value::Numeric(Numeric::from_canonical(self.to_string()))
    }

    fn specimens() -> Vec<Value> {
        super::Numeric::specimens()
    }
}

element!(Decimal);
parameters!(Decimal);
elements!(Decimal);
scalars!(Decimal);
column_types! { "numeric": Decimal; }

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Decimal, String> {
        let number: Numeric = text.parse().unwrap();
        let mut bytes = Vec::new();
        number.write_base10000(&mut bytes);
        let binary = ValueRef::Numeric(NumericRef::base10000(&bytes).unwrap());
        let from_text = Decimal::from_value(ValueRef::Numeric(number.as_ref()));
        let from_binary = Decimal::from_value(binary);
        let [from_text, from_binary] =
            [from_text, from_binary].map(|read| read.map_err(|why| why.to_string()));
        assert_eq!(from_text, from_binary);
        if let (Ok(one), Ok(other)) = (&from_text, &from_binary) {
            assert_eq!(one.serialize(), other.serialize(), "the same scale");
        }
        from_binary
    }

    #[test]
    fn the_limits_are_read_and_what_is_beyond_is_not() {
        for text in [
            "0",
            "0.00",
            "1.10",
            "-0.0000000000000000000000000001",
            "79228162514264337593543950335",
            "-7.9228162514264337593543950335",
            "10000000000000000000000000000",
            "100000000",
            "123456789012345678.9012345678",
            "0.0000000000000000000000000000",
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        for text in [
            "79228162514264337593543950336",
            "0.00000000000000000000000000001",
            "1e29",
            "1e1000",
            "7.92281625142643375935439503360",
            "NaN",
            "Infinity",
            "-Infinity",
            "99999999999999999999999999999999999999999999999999",
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains("does not fit a Decimal"), "{why}");
        }
    }

    #[test]
    fn digits_in_a_form_that_postgresql_does_not_use_are_read() {
        let bytes = |fields: &[u16]| -> Vec<u8> {
            fields
                .iter()
                .flat_map(|field| field.to_be_bytes())
                .collect()
        };
        for (fields, text) in [
            (&[4_u16, 2, 0, 2, 0, 0, 7, 0][..], "7.00"),
            (&[1, 0, 0x4000, 1, 0], "0.0"),
            (
                &[12, 10, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 1230],
                "5.123",
            ),
        ] {
            let bytes = bytes(fields);
            let number = NumericRef::base10000(&bytes).unwrap();
            let decimal = Decimal::from_value(ValueRef::Numeric(number)).unwrap();
            assert_eq!(
                (decimal.to_string(), number.to_string()),
                (text.into(), text.into())
            );
        }
    }

    #[test]
    fn other_numbers_are_read_and_a_negative_zero_is_written() {
        assert_eq!(
            Decimal::from_value(ValueRef::I64(-7)).unwrap(),
            Decimal::from(-7)
        );
        let text = Decimal::from_value(ValueRef::Text("1.50")).unwrap();
        assert_eq!(text.to_string(), "1.50");
        assert!(Decimal::from_value(ValueRef::Bool(true)).is_err());
        let zero = Decimal::from_parts(0, 0, 0, true, 2);
        assert_eq!(zero.into_value().to_string(), "0.00");
    }

    proptest! {
        #[test]
        fn decimals_read_back(low: u32, middle: u32, high: u32, parts in 0_u8..3, negative: bool, scale in 0_u32..=28) {
            let middle = if parts > 0 { middle } else { 0 };
            let high = if parts > 1 { high } else { 0 };
            let decimal = Decimal::from_parts(low, middle, high, negative, scale);
            let back = read(&decimal.into_value().to_string()).unwrap();
            prop_assert_eq!((back, back.scale()), (decimal, decimal.scale()));
        }

        #[test]
        fn it_agrees_with_the_crate(text in "-?[0-9]{1,15}(\\.[0-9]{1,13})?") {
            let expected = Decimal::from_str_exact(&text).unwrap();
            let back = read(&text).unwrap();
            prop_assert_eq!((back, back.scale()), (expected, expected.scale()));
        }

        #[test]
        fn longer_ones_are_read_or_refused(text in "-?[0-9]{1,40}(\\.[0-9]{1,40})?") {
            if let Ok(decimal) = read(&text) {
                prop_assert_eq!(decimal.into_value(), Value::Numeric(text.parse().unwrap()));
            }
        }
    }
}

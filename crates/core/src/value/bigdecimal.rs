use ::bigdecimal::BigDecimal;

use super::{Numeric, Value, ValueRef};
use crate::column_type::column_types;
use crate::from_row::scalars;
use crate::from_value::{FromValue, Mismatch, element};
use crate::into_value::{IntoValue, elements};
use crate::parameters::parameters;

impl FromValue<'_> for BigDecimal {
    /// The number with its scale; `NaN` and the infinities are not read.
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let number = Numeric::from_value(value)?;
        number
            .as_str()
            .parse()
            .map_err(|_| Mismatch::because(format!("{number} does not fit a BigDecimal")))
    }
}

impl IntoValue for BigDecimal {
    /// The number with its scale, and without one where that is negative; or text, which
    /// the server refuses, of one that is longer than a decimal number can be.
    fn into_value(self) -> Value {
        let (digits, scale) = self.into_bigint_and_exponent();
        let text = format!("{digits}e{}", -i128::from(scale));
        match text.parse::<Numeric>() {
            Ok(number) => Value::Numeric(number),
            Err(_) => Value::Text(text),
        }
    }

    fn specimens() -> Vec<Value> {
        super::Numeric::specimens()
    }
}

element!(BigDecimal);
parameters!(BigDecimal);
elements!(BigDecimal);
scalars!(BigDecimal);
column_types! { "numeric": BigDecimal; }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NumericRef;
    use proptest::prelude::*;
    use std::str::FromStr;

    #[test]
    fn numbers_without_a_decimal_form() {
        for text in ["NaN", "Infinity", "-Infinity"] {
            let number: Numeric = text.parse().unwrap();
            let why = BigDecimal::from_value(ValueRef::Numeric(number.as_ref())).unwrap_err();
            assert_eq!(why.to_string(), format!("{text} does not fit a BigDecimal"));
        }
        let huge = BigDecimal::new(5.into(), -200_000);
        assert_eq!(huge.into_value(), Value::Text("5e200000".into()));
        let whole = BigDecimal::new(5.into(), -3);
        assert_eq!(whole.into_value().to_string(), "5000");
    }

    proptest! {
        #[test]
        fn numbers_read_back(text in "-?[0-9]{1,60}(\\.[0-9]{1,60})?") {
            let expected = BigDecimal::from_str(&text).unwrap();
            let number: Numeric = text.parse().unwrap();
            let mut bytes = Vec::new();
            number.write_base10000(&mut bytes);
            let binary = ValueRef::Numeric(NumericRef::base10000(&bytes).unwrap());
            let read = BigDecimal::from_value(binary).unwrap();
            prop_assert_eq!(read.as_bigint_and_exponent(), expected.as_bigint_and_exponent());
            prop_assert_eq!(read.into_value(), Value::Numeric(number));
        }
    }
}

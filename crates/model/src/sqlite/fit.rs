//! Decimal numbers as PostgreSQL's `numeric(p, s)` takes them: rounded to its scale, and refused
//! where they have more digits.

use underpin_core::value::Numeric;
use underpin_schema::Type;

/// The number as a column of this type holds it on PostgreSQL.
///
/// # Errors
/// A clause that says why the type does not hold it.
pub(super) fn fit(logical: &Type, number: &Numeric) -> Result<Numeric, String> {
    let limits = match (logical.name.as_str(), &logical.parameters[..]) {
        ("numeric", [precision, scale]) if !logical.array => precision
            .parse::<usize>()
            .ok()
            .zip(scale.parse::<usize>().ok()),
        _ => None,
    };
    let Some((precision, scale)) = limits.filter(|(precision, scale)| precision >= scale) else {
        return Ok(number.clone());
    };
    let text = number.as_str();
    if text == "NaN" {
        return Ok(number.clone());
    }
    if text.ends_with("Infinity") {
        return Err("it is infinite".to_owned());
    }
    let rounded = rounded(text, scale);
    let digits = rounded
        .trim_start_matches('-')
        .split('.')
        .next()
        .unwrap_or_default();
    let most = precision - scale;
    match digits.trim_start_matches('0').len() <= most {
        true => rounded.parse().map_err(|_| "it is not a number".to_owned()),
        false => Err(format!("it has more than {most} digits before the point")),
    }
}

/// A number with so many digits after the point, half of the last rounded away from zero.
fn rounded(text: &str, scale: usize) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let Some((whole, fraction)) = digits.split_once('.').filter(|(_, f)| f.len() > scale) else {
        return text.to_owned();
    };
    let (kept, cut) = fraction.split_at(scale);
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    let mut carry = cut.as_bytes()[0] >= b'5';
    for digit in digits.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    let mut number = String::from(sign);
    if carry {
        number.push('1');
    }
    let point = digits.len() - scale;
    number.extend(digits[..point].iter().map(|digit| char::from(*digit)));
    if scale > 0 {
        number.push('.');
        number.extend(digits[point..].iter().map(|digit| char::from(*digit)));
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, type_: &str) -> Result<String, String> {
        let number: Numeric = text.parse().unwrap();
        fit(&Type::parse(type_).unwrap(), &number).map(|number| number.to_string())
    }

    #[test]
    fn a_number_is_rounded_to_its_scale_or_refused() {
        for (number, type_, expected) in [
            ("1.234", "numeric(12,2)", "1.23"),
            ("1.235", "numeric(12,2)", "1.24"),
            ("-1.235", "numeric(12,2)", "-1.24"),
            ("9.995", "numeric(12,2)", "10.00"),
            ("0.5", "numeric(5,0)", "1"),
            ("-0.4", "numeric(5,0)", "0"),
            ("5", "numeric(12,2)", "5"),
            ("0.004", "numeric(2,2)", "0.00"),
            ("1234567890123456.78", "numeric", "1234567890123456.78"),
            ("NaN", "numeric(12,2)", "NaN"),
        ] {
            assert_eq!(of(number, type_).unwrap(), expected, "{number} as {type_}");
        }
        for (number, type_) in [
            ("1234567890123456.78", "numeric(12,2)"),
            ("9999999999.995", "numeric(12,2)"),
            ("0.995", "numeric(2,2)"),
            ("Infinity", "numeric(12,2)"),
        ] {
            assert!(of(number, type_).is_err(), "{number} as {type_}");
        }
    }
}

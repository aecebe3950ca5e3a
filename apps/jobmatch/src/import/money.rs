use underpin::value::Numeric;

/// An amount as `numeric(10,2)` keeps it, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cents(pub(super) i64);

/// The reason why a text is not such an amount.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAmount {
    NoNumber,
    TooLarge,
}

const LIMIT: i64 = 10_000_000_000;

impl Cents {
    /// Reads a decimal number and rounds it to two decimals as PostgreSQL does, half of one
    /// away from zero.
    pub(super) fn read(text: &str) -> Result<Self, NoAmount> {
        match plain(text) {
            Some(cents) if cents.abs() < LIMIT => Ok(Cents(cents)),
            Some(_) => Err(NoAmount::TooLarge),
            None => {
                // An exponent, or more digits than an amount has.
                let numeric: Numeric = text.parse().map_err(|_| NoAmount::NoNumber)?;
                match numeric.as_str() {
                    "NaN" => Err(NoAmount::NoNumber),
                    digits => match plain(digits) {
                        Some(cents) if cents.abs() < LIMIT => Ok(Cents(cents)),
                        _ => Err(NoAmount::TooLarge),
                    },
                }
            }
        }
    }

    pub(super) fn to_numeric(self) -> Numeric {
        if self.0 % 100 == 0 {
            return Numeric::from(self.0 / 100);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.abs() / 100, self.0.abs() % 100);
        let text = format!("{sign}{whole}.{part:02}");
        text.parse().expect("these are digits and a point")
    }
}

/// Reads a sign, up to 15 digits, a point and any number of digits.
fn plain(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    let whole = parts.next()?;
    let part = parts.next().unwrap_or_default();
    let is_number = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    if whole.len() > 15 || whole.len() + part.len() == 0 || !is_number(whole) || !is_number(part) {
        return None;
    }
    let digit = |at: usize| part.get(at).map_or(0, |byte| i64::from(byte - b'0'));
    let whole = whole
        .iter()
        .fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'));
    let up = i64::from(digit(2) >= 5);
    let cents = whole * 100 + digit(0) * 10 + digit(1) + up;
    Some(if negative { -cents } else { cents })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_postgres_reads_them() {
        for (text, cents) in [
            ("84252.0", 8_425_200),
            ("0", 0),
            (".5", 50),
            ("7.", 700),
            ("1.005", 101),
            ("1.00499999", 100),
            ("-0.004", 0),
            ("-0.005", -1),
            ("+35.1838", 3518),
            ("1e3", 100_000),
            ("99999999.99", 9_999_999_999),
            ("000000000000000000001", 100),
        ] {
            assert_eq!(Cents::read(text), Ok(Cents(cents)), "{text}");
        }
        for text in ["", ".", "abc", "1,000", "$5", "1.2.3", "--1", "1 000"] {
            assert_eq!(Cents::read(text), Err(NoAmount::NoNumber), "{text}");
        }
        for text in ["99999999.995", "100000000", "1e9", "Infinity"] {
            assert_eq!(Cents::read(text), Err(NoAmount::TooLarge), "{text}");
        }
    }

    #[test]
    fn amounts_are_written_with_what_they_have() {
        for (cents, text) in [
            (101, "1.01"),
            (-5, "-0.05"),
            (8_425_200, "84252"),
            (50, "0.50"),
        ] {
            assert_eq!(Cents(cents).to_numeric().as_str(), text);
        }
    }
}

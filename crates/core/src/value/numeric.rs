use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The most digits before the point that PostgreSQL's `numeric` has.
const MAX_WHOLE: usize = 131_072;
/// The most digits after the point that PostgreSQL's `numeric` has.
const MAX_SCALE: usize = 16_383;

/// A decimal number of any precision, without loss.
///
/// It is kept as text with its original scale, as in PostgreSQL: `1.10` stays `1.10`. Two numbers
/// are equal if their texts are; [`same_value`](Numeric::same_value) compares the numbers. Parsing
/// accepts a sign, an exponent and missing digits on one side of the point, and refuses more than
/// 131072 digits before and 16383 after it. `NaN`, `Infinity` and `-Infinity` are numbers too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Numeric(Box<str>);

/// A decimal number borrowed from a [`Numeric`] or from a driver's buffer. It is valid,
/// because only [`text`](NumericRef::text) and [`base10000`](NumericRef::base10000)
/// make one outside this crate.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum NumericRef<'r> {
    /// Text as [`Numeric::as_str`] gives it.
    #[non_exhaustive]
    Text(&'r str),
    /// PostgreSQL's binary form: the number of digits, the weight of the first, the sign
    /// and the scale, each in two bytes, and the digits of base 10000 in two bytes each,
    /// all big-endian.
    #[non_exhaustive]
    Base10000(&'r [u8]),
}

/// The reason why a text is not a decimal number. It prints as a clause that follows "because".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseNumericError(&'static str);

impl fmt::Display for ParseNumericError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseNumericError {}

impl Numeric {
    /// The number as text: a minus sign if it is negative, digits without leading zeros, and if it
    /// has a scale, a point and that many digits; or `NaN`, `Infinity` or `-Infinity`. There is no
    /// exponent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number of a text that is already as [`as_str`](Numeric::as_str) gives it.
    #[cfg(feature = "rust_decimal")]
    pub(super) fn from_canonical(text: String) -> Self {
        debug_assert!(NumericRef::text(&text).is_some(), "{text:?}");
        Numeric(text.into())
    }

    /// The same number, borrowed.
    pub fn as_ref(&self) -> NumericRef<'_> {
        NumericRef::Text(&self.0)
    }

    /// The nearest float, which is often not the same number.
    pub fn to_f64(&self) -> f64 {
        self.as_ref().to_f64()
    }

    /// Whether it is the same number as `other`, with any scales. `NaN` equals `NaN`, as in
    /// PostgreSQL.
    pub fn same_value(&self, other: &Numeric) -> bool {
        fn without_scale(text: &str) -> &str {
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.'),
                false => text,
            }
        }
        without_scale(&self.0) == without_scale(&other.0)
    }

    /// Appends PostgreSQL's binary form of the number to `out`.
    pub fn write_base10000(&self, out: &mut Vec<u8>) {
        let sign = match &*self.0 {
            "NaN" => NAN,
            "Infinity" => INFINITY,
            "-Infinity" => NEG_INFINITY,
            text if text.starts_with('-') => NEGATIVE,
            _ => 0,
        };
        let start = out.len();
        out.extend_from_slice(&header(0, 0, sign, 0));
        if !matches!(sign, 0 | NEGATIVE) {
            return;
        }

        let (_, whole, fraction) = parts(&self.0);
        let (first, others) = whole.as_bytes().split_at((whole.len() - 1) % 4 + 1);
        let groups = [first]
            .into_iter()
            .chain(others.chunks(4))
            .chain(fraction.as_bytes().chunks(4));
        let mut weight = others.len() as i32 / 4;
        let digits = out.len();
        let mut end = digits;
        for (index, group) in groups.enumerate() {
            let mut digit = group
                .iter()
                .fold(0, |n, digit| n * 10 + u16::from(digit - b'0'));
            // Only the last group of the fraction is padded: the first of the whole may be
            // as short, but it is aligned to the point.
            if index > 0 {
                digit *= 10_u16.pow(4 - group.len() as u32);
            }
            if digit == 0 && out.len() == digits {
                weight -= 1;
                continue;
            }
            out.extend_from_slice(&digit.to_be_bytes());
            if digit != 0 {
                end = out.len();
            }
        }
        out.truncate(end);
        let count = (end - digits) / 2;
        let weight = if count == 0 { 0 } else { weight };
        // More digits than i16::MAX are possible, which PostgreSQL takes as unsigned.
        let header = header(count as u16, weight as i16, sign, fraction.len() as u16);
        out[start..digits].copy_from_slice(&header);
    }
}

const HEADER: usize = 8;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEG_INFINITY: u16 = 0xF000;

fn header(count: u16, weight: i16, sign: u16, scale: u16) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    for (bytes, field) in header
        .chunks_mut(2)
        .zip([count, weight.cast_unsigned(), sign, scale])
    {
        bytes.copy_from_slice(&field.to_be_bytes());
    }
    header
}

/// The sign, the digits before and those after the point of a text that is a number.
pub(super) fn parts(text: &str) -> (bool, &str, &str) {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    (negative, whole, fraction)
}

macro_rules! from_integers {
    ($($type:ty),*) => {$(
        impl From<$type> for Numeric {
            fn from(whole: $type) -> Self {
                Numeric(whole.to_string().into())
            }
        }
    )*};
}
from_integers!(i32, i64, u64);

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Numeric {
    type Err = ParseNumericError;

    fn from_str(text: &str) -> Result<Self, ParseNumericError> {
        const FORM: ParseNumericError = ParseNumericError("it is not a decimal number");
        const WHOLE: ParseNumericError =
            ParseNumericError("it has more than 131072 digits before the point");
        const SCALE: ParseNumericError =
            ParseNumericError("it has more than 16383 digits after the point");

        let signed = text.strip_prefix('+');
        let (negative, rest) = match signed {
            Some(rest) => (false, rest),
            None => text
                .strip_prefix('-')
                .map_or((false, text), |rest| (true, rest)),
        };
        if ["infinity", "inf"]
            .iter()
            .any(|name| rest.eq_ignore_ascii_case(name))
        {
            return Ok(Numeric(
                if negative { "-Infinity" } else { "Infinity" }.into(),
            ));
        }
        if text.eq_ignore_ascii_case("nan") {
            return Ok(Numeric("NaN".into()));
        }
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            None => (rest, 0),
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(FORM);
                }
                let far = if exponent.starts_with('-') {
                    SCALE
                } else {
                    WHOLE
                };
                (
                    mantissa,
                    i64::from(exponent.parse::<i32>().map_err(|_| far)?),
                )
            }
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction)
        {
            return Err(FORM);
        }

        // Where the point is, counted from the first digit; the digits do not move.
        let point = whole.len() as i64 + exponent;
        let scale = (fraction.len() as i64 - exponent).max(0);
        if scale > MAX_SCALE as i64 {
            return Err(SCALE);
        }
        let digits = || whole.bytes().chain(fraction.bytes());
        let zeros = digits().take_while(|&digit| digit == b'0').count() as i64;
        let zero = zeros == (whole.len() + fraction.len()) as i64;
        let before = if zero { 0 } else { (point - zeros).max(0) };
        if before > MAX_WHOLE as i64 {
            return Err(WHOLE);
        }
        let mut canonical = String::with_capacity((before + scale + 3) as usize);
        if negative && !zero {
            canonical.push('-');
        }
        let mut rest = digits().skip(zeros as usize).map(char::from);
        if before == 0 {
            canonical.push('0');
        }
        canonical.extend((0..before).map(|_| rest.next().unwrap_or('0')));
        if scale > 0 {
            canonical.push('.');
            let zeros = if zero {
                scale
            } else {
                (zeros - point).clamp(0, scale)
            };
            canonical.extend((0..zeros).map(|_| '0'));
            canonical.extend((zeros..scale).map(|_| rest.next().unwrap_or('0')));
        }
        Ok(Numeric(canonical.into()))
    }
}

impl<'r> NumericRef<'r> {
    /// The number in a text, if it is written like the result of [`Numeric::as_str`], which is how
    /// PostgreSQL prints numbers. Any other text must be parsed into a [`Numeric`].
    pub fn text(text: &'r str) -> Option<Self> {
        if !matches!(text, "NaN" | "Infinity" | "-Infinity") {
            let (negative, whole, fraction) = parts(text);
            let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
            let fits = (1..=MAX_WHOLE).contains(&whole.len()) && fraction.len() <= MAX_SCALE;
            let needless = (whole.starts_with('0') && whole != "0")
                || text.ends_with('.')
                || (negative && text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')));
            if !fits || needless || !all_digits(whole) || !all_digits(fraction) {
                return None;
            }
        }
        Some(NumericRef::Text(text))
    }

    /// The number in PostgreSQL's binary form; `None` if the bytes are not in that form, or have
    /// digits beyond their own scale.
    #[inline]
    pub fn base10000(bytes: &'r [u8]) -> Option<Self> {
        let (header, digits) = bytes.split_first_chunk::<HEADER>()?;
        let number = Base10000::new(header, digits);
        let valid = match number.sign {
            0 | NEGATIVE => {
                number.scale <= MAX_SCALE
                    && digits.len() == 2 * usize::from(u16::from_be_bytes([header[0], header[1]]))
                    && number
                        .digits
                        .iter()
                        .all(|&digit| u16::from_be_bytes(digit) < 10_000)
                    && !number.exceeds_scale()
            }
            NAN | INFINITY | NEG_INFINITY => bytes[..2] == [0, 0] && digits.is_empty(),
            _ => false,
        };
        valid.then_some(NumericRef::Base10000(bytes))
    }

    /// The same number, owned.
    pub fn to_owned(self) -> Numeric {
        match self {
            NumericRef::Text(text) => Numeric(text.into()),
            NumericRef::Base10000(_) => Numeric(self.to_string().into()),
        }
    }

    /// The nearest float, which is often not the same number.
    pub fn to_f64(self) -> f64 {
        // The text of a valid number is always one that Rust reads as a float.
        match self {
            NumericRef::Text(text) => text.parse().unwrap_or(f64::NAN),
            NumericRef::Base10000(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }
}

impl fmt::Display for NumericRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumericRef::Text(text) => f.write_str(text),
            NumericRef::Base10000(bytes) => match bytes.split_first_chunk() {
                Some((header, digits)) => Base10000::new(header, digits).fmt(f),
                None => Err(fmt::Error),
            },
        }
    }
}

/// The fields of PostgreSQL's binary form: the value is the digits, taken as a whole
/// number of base 10000, times 10000 to the power of (weight + 1 - number of digits).
#[derive(Clone, Copy)]
pub(super) struct Base10000<'r> {
    pub(super) digits: &'r [[u8; 2]],
    pub(super) weight: i16,
    pub(super) sign: u16,
    pub(super) scale: usize,
}

impl<'r> Base10000<'r> {
    #[inline]
    pub(super) fn new(header: &[u8; HEADER], digits: &'r [u8]) -> Self {
        Base10000 {
            digits: digits.as_chunks().0,
            weight: i16::from_be_bytes([header[2], header[3]]),
            sign: u16::from_be_bytes([header[4], header[5]]),
            scale: usize::from(u16::from_be_bytes([header[6], header[7]])),
        }
    }

    #[cfg(feature = "rust_decimal")]
    pub(super) fn is_finite(&self) -> bool {
        matches!(self.sign, 0 | NEGATIVE)
    }

    #[cfg(feature = "rust_decimal")]
    pub(super) fn is_negative(&self) -> bool {
        self.sign == NEGATIVE
    }

    /// Whether a digit of base 10 that is not zero lies beyond the scale.
    fn exceeds_scale(&self) -> bool {
        let within = i32::from(self.weight) + 1 + self.scale.div_ceil(4) as i32;
        let within = usize::try_from(within).unwrap_or(0);
        let beyond = self.digits.get(within..).unwrap_or_default();
        if beyond.iter().any(|&digit| digit != [0, 0]) {
            return true;
        }
        // The scale may end within a digit of base 10000.
        let padding = [1, 1_000, 100, 10][self.scale % 4];
        let last = within.checked_sub(1).and_then(|last| self.digits.get(last));
        last.is_some_and(|&last| u16::from_be_bytes(last) % padding != 0)
    }

    /// The digit of base 10000 whose weight is `weight`.
    fn at(&self, weight: i32) -> u16 {
        usize::try_from(i32::from(self.weight) - weight)
            .ok()
            .and_then(|index| self.digits.get(index))
            .map_or(0, |&digit| u16::from_be_bytes(digit))
    }
}

impl fmt::Display for Base10000<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sign {
            NAN => return f.write_str("NaN"),
            INFINITY => return f.write_str("Infinity"),
            NEG_INFINITY => return f.write_str("-Infinity"),
            NEGATIVE if self.digits.iter().any(|&digit| digit != [0, 0]) => f.write_str("-")?,
            _ => {}
        }
        let mut weights = (0..=i32::from(self.weight))
            .rev()
            .skip_while(|&weight| self.at(weight) == 0);
        write!(f, "{}", weights.next().map_or(0, |weight| self.at(weight)))?;
        weights.try_for_each(|weight| write!(f, "{:04}", self.at(weight)))?;
        if self.scale > 0 {
            f.write_char('.')?;
        }
        for (index, done) in (0..self.scale).step_by(4).enumerate() {
            let digit = self.at(-1 - index as i32);
            let width = (self.scale - done).min(4);
            write!(f, "{:0width$}", digit / 10_u16.pow(4 - width as u32))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numeric(text: &str) -> Numeric {
        text.parse().unwrap()
    }

    fn wire(number: &Numeric) -> Vec<u8> {
        let mut bytes = vec![0xEE];
        number.write_base10000(&mut bytes);
        bytes.split_off(1)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn text_becomes_canonical() {
        for (text, canonical) in [
            ("1.10", "1.10"),
            ("007", "7"),
            ("+5", "5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("-00.10", "-0.10"),
            ("1e-5", "0.00001"),
            ("1.50e1", "15.0"),
            ("1.5E+3", "1500"),
            ("0.00012e2", "0.012"),
            ("0.00012e6", "120"),
            ("123.45e-1", "12.345"),
            ("0e-3", "0.000"),
            ("0e200000", "0"),
            ("nan", "NaN"),
            ("inf", "Infinity"),
            ("-INFINITY", "-Infinity"),
        ] {
            assert_eq!(numeric(text).as_str(), canonical, "of {text:?}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "", "-", ".", "+-1", "1e", "1e+", "e5", "1 ", " 1", "1.2.3", "0x1", "1_0", "-nan",
            "1e5.0", "١",
        ] {
            let error = text.parse::<Numeric>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "it is not a decimal number",
                "of {text:?}"
            );
        }
        for text in ["1e131072", "10e131071", "1e99999999999999999999"] {
            let error = text.parse::<Numeric>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "it has more than 131072 digits before the point"
            );
        }
        for text in ["1e-16384", "0e-16384", "1e-99999999999999999999"] {
            let error = text.parse::<Numeric>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "it has more than 16383 digits after the point"
            );
        }
    }

    #[test]
    fn the_binary_form_is_that_of_postgresql() {
        // As `numeric_send` of PostgreSQL 15 gives them.
        for (text, bytes) in [
            ("1.10", "0002000000000002000103e8"),
            ("-12345678.000100", "000300014000000604d2162e0001"),
            ("0.00", "0000000000000002"),
            ("NaN", "00000000c0000000"),
            ("0.00001", "0001fffe0000000503e8"),
            ("10000", "00010001000000000001"),
            ("100000000000000000000", "00010005000000000001"),
        ] {
            let sent = wire(&numeric(text));
            assert_eq!(hex(&sent), bytes, "of {text}");
        }
    }

    #[test]
    fn the_longest_numbers_fit() {
        let longest = format!("-{}.{}", "9".repeat(MAX_WHOLE), "9".repeat(MAX_SCALE));
        let number = numeric(&longest);
        let bytes = wire(&number);
        assert_eq!(NumericRef::base10000(&bytes).unwrap().to_owned(), number);
        assert!(NumericRef::text(&longest).is_some());
        assert!(NumericRef::text(&longest.replace('.', "9.")).is_none());
        assert_eq!(numeric("1e131071").as_str().len(), MAX_WHOLE);
        assert_eq!(number.to_f64(), f64::NEG_INFINITY);
    }

    #[test]
    fn bytes_in_another_form_are_refused() {
        let read = |header: [u16; 4], digits: &[u16]| {
            let fields = header.iter().chain(digits);
            let bytes: Vec<u8> = fields.flat_map(|field| field.to_be_bytes()).collect();
            NumericRef::base10000(&bytes).map(|number| number.to_string())
        };
        assert_eq!(read([2, 0, 0, 1], &[1, 5000]).as_deref(), Some("1.5"));
        assert_eq!(read([3, 1, NEGATIVE, 0], &[0, 7, 0]).as_deref(), Some("-7"));
        assert_eq!(read([1, 0, NEGATIVE, 2], &[0]).as_deref(), Some("0.00"));
        assert_eq!(
            read([0, 0, NEG_INFINITY, 32], &[]).as_deref(),
            Some("-Infinity")
        );
        assert_eq!(read([2, 0, 0, 1], &[1]), None);
        assert_eq!(read([1, 0, 0, 1], &[1, 5000]), None);
        assert_eq!(read([1, 0, 0, 0], &[10_000]), None);
        assert_eq!(read([1, 0, 1, 0], &[1]), None);
        assert_eq!(read([1, 0, NAN, 0], &[1]), None);
        assert_eq!(read([0, 0, 0, 16_384], &[]), None);
        assert_eq!(read([2, 0, 0, 1], &[1, 5600]), None);
        assert_eq!(read([2, 0, 0, 4], &[1, 5600]).as_deref(), Some("1.5600"));
        assert_eq!(read([1, 0xFFFE, 0, 4], &[1]), None);
        assert!(NumericRef::base10000(&[0; 7]).is_none());
    }

    #[test]
    fn only_canonical_text_is_borrowed() {
        for text in ["0", "-1.50", "0.00", "NaN", "-Infinity", "10"] {
            assert!(NumericRef::text(text).is_some(), "of {text:?}");
        }
        for text in [
            "", "-", "00", "01.5", "-0", "-0.0", "+1", "1.", ".5", "1e5", "nan", "1.5.2", "--1",
        ] {
            assert!(NumericRef::text(text).is_none(), "of {text:?}");
        }
    }

    #[test]
    fn values_compare_without_scale() {
        assert!(numeric("1.10").same_value(&numeric("1.1")));
        assert!(numeric("100").same_value(&numeric("100.000")));
        assert!(numeric("0").same_value(&numeric("0.00")));
        assert!(numeric("NaN").same_value(&numeric("NaN")));
        assert!(!numeric("100").same_value(&numeric("1")));
        assert_ne!(numeric("1.10"), numeric("1.1"));
        assert_eq!(Numeric::from(u64::MAX).as_str(), "18446744073709551615");
        assert_eq!(numeric("-1.25").to_f64(), -1.25);
        assert!(numeric("NaN").to_f64().is_nan());
    }

    fn any_numeric() -> impl Strategy<Value = Numeric> {
        "-?(0|[1-9][0-9]{0,40}|[1-9]0{0,20})(\\.(0{0,20}[0-9]{1,20}|[0-9]{1,20}0{0,9}))?"
            .prop_map(|text| numeric(&text))
    }

    proptest! {
        #[test]
        fn text_reads_back(number in any_numeric()) {
            prop_assert_eq!(&numeric(&number.to_string()), &number);
            let borrowed = NumericRef::text(number.as_str()).unwrap().to_owned();
            prop_assert_eq!(borrowed, number);
        }

        #[test]
        fn the_binary_form_reads_back(number in any_numeric()) {
            let bytes = wire(&number);
            let borrowed = NumericRef::base10000(&bytes).unwrap();
            prop_assert_eq!(borrowed.to_owned(), number.clone());
            prop_assert_eq!(borrowed.to_f64(), number.to_f64());
            // PostgreSQL's own form has no zeros at either end.
            let digits = &bytes[8..];
            prop_assert!(!digits.starts_with(&[0, 0]));
            prop_assert!(!digits.as_chunks::<2>().0.ends_with(&[[0, 0]]));
        }

        #[test]
        fn any_bytes_are_read_or_refused(
            count in 0_u16..4, weight in -5_i16..5, sign in 0_usize..5, scale in 0_u16..20,
            digits in prop::collection::vec(0_u16..10_001, 0..4),
        ) {
            let sign = [0, NEGATIVE, NAN, INFINITY, 3][sign];
            let mut bytes = header(count, weight, sign, scale).to_vec();
            bytes.extend(digits.iter().flat_map(|digit| digit.to_be_bytes()));
            if let Some(number) = NumericRef::base10000(&bytes) {
                let text = number.to_string();
                prop_assert!(NumericRef::text(&text).is_some(), "{}", text);
                prop_assert_eq!(numeric(&text).to_string(), text);
            }
        }

        #[test]
        fn an_exponent_moves_the_point(number in any_numeric(), exponent in -60_i32..60) {
            let moved = numeric(&format!("{number}e{exponent}"));
            prop_assert!(NumericRef::text(moved.as_str()).is_some());
            let back = numeric(&format!("{moved}e{}", -exponent));
            prop_assert!(back.same_value(&number), "{} and {}", back, number);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+]?[0-9.eE+-]{0,20}") {
            let _ = text.parse::<Numeric>();
        }
    }
}

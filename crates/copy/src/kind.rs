use std::fmt;

/// What the values of a column are, whatever engine holds them. A column is copied as the kind that
/// its target holds, so that both sides have the same checksum where nothing was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// True or false.
    Bool,
    /// 16-bit integers.
    I16,
    /// 32-bit integers.
    I32,
    /// 64-bit integers.
    I64,
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// Decimal numbers.
    Numeric(Option<Digits>),
    /// Text.
    Text(TextLimit),
    /// Bytes.
    Bytes,
    /// Days.
    Date,
    /// Times of day, with so many digits of a second.
    Time(u8),
    /// Dates and times without zone, with so many digits of a second.
    Timestamp(u8),
    /// Moments, with so many digits of a second.
    TimestampTz(u8),
    /// Spans of months, days and microseconds.
    Interval,
    /// UUIDs.
    Uuid,
    /// JSON as the text that was written.
    Json,
    /// JSON of which only the content is kept: neither the white space nor the order of keys.
    Jsonb,
    /// Arrays of a kind.
    Array(Box<Kind>),
    /// One of these texts.
    Labels(Vec<String>),
    /// A type that one engine has and only its text is known of: `inet`, `int4range`.
    Native(String),
    /// Each value is of a kind of its own.
    Any,
}

/// The limits of a decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    /// All digits.
    pub precision: u32,
    /// Those after the point. Below zero, so many before it are zeros.
    pub scale: i32,
}

/// The limits of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextLimit {
    /// The most characters.
    pub length: Option<u32>,
    /// Whether blanks at its end mean nothing, as in `character(5)`.
    pub padded: bool,
}

impl Kind {
    /// All digits of a second that a time has.
    pub const MICROS: u8 = 6;

    /// Text of any length.
    pub const TEXT: Kind = Kind::Text(TextLimit {
        length: None,
        padded: false,
    });

    /// The kind of a column of `target` that takes values of `source`: what is converted on its way
    /// and read back in the same form. Text of any length keeps other kinds as they are, in the
    /// form in which the target's driver writes them, where `in_text` says so.
    #[must_use]
    pub fn of_copy(source: &Kind, target: &Kind, in_text: bool) -> Kind {
        match (source, target) {
            (_, Kind::Any) => source.clone(),
            (Kind::Text(_) | Kind::Labels(_) | Kind::Native(_) | Kind::Any, _) => target.clone(),
            (Kind::Json, Kind::Text(TextLimit { length: None, .. })) => Kind::Json,
            (_, Kind::Text(TextLimit { length: None, .. }))
                if in_text && source.has_text_form() =>
            {
                source.clone()
            }
            _ => target.clone(),
        }
    }

    /// Whether an engine that has no such kind keeps it as text.
    fn has_text_form(&self) -> bool {
        matches!(
            self,
            Kind::Numeric(_)
                | Kind::Date
                | Kind::Time(_)
                | Kind::Timestamp(_)
                | Kind::TimestampTz(_)
                | Kind::Interval
                | Kind::Uuid
                | Kind::Jsonb
                | Kind::Array(_)
        )
    }

    /// What values of this kind lose on their way into a column of `target`, in words.
    pub fn loss(&self, target: &Kind) -> Option<&'static str> {
        match (self, target) {
            (Kind::TimestampTz(_), Kind::Timestamp(_)) => {
                Some("the zone of times, which are in UTC")
            }
            (Kind::Timestamp(_), Kind::TimestampTz(_)) => {
                Some("that times have no zone: they are taken as UTC")
            }
            (Kind::Json, Kind::Jsonb) => Some("white space and the order of keys in JSON"),
            (Kind::Any, Kind::Any) => None,
            (Kind::Any, _) => Some("the kind of each value"),
            _ => None,
        }
    }
}

/// The kind in words, for people.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bool => f.write_str("boolean"),
            Kind::I16 => f.write_str("16-bit integer"),
            Kind::I32 => f.write_str("32-bit integer"),
            Kind::I64 => f.write_str("64-bit integer"),
            Kind::F32 => f.write_str("32-bit float"),
            Kind::F64 => f.write_str("64-bit float"),
            Kind::Numeric(None) => f.write_str("decimal number"),
            Kind::Numeric(Some(digits)) => write!(
                f,
                "decimal number of {} digits, {} of them after the point",
                digits.precision, digits.scale
            ),
            Kind::Text(TextLimit { length: None, .. }) => f.write_str("text"),
            Kind::Text(TextLimit {
                length: Some(length),
                ..
            }) => write!(f, "text of {length} characters"),
            Kind::Bytes => f.write_str("bytes"),
            Kind::Date => f.write_str("date"),
            Kind::Time(_) => f.write_str("time of day"),
            Kind::Timestamp(_) => f.write_str("timestamp without zone"),
            Kind::TimestampTz(_) => f.write_str("timestamp with zone"),
            Kind::Interval => f.write_str("interval"),
            Kind::Uuid => f.write_str("UUID"),
            Kind::Json | Kind::Jsonb => f.write_str("JSON"),
            Kind::Array(element) => write!(f, "array of {element}"),
            Kind::Labels(_) => f.write_str("one of some labels"),
            Kind::Native(name) => write!(f, "text of the type {name}"),
            Kind::Any => f.write_str("any value"),
        }
    }
}

use bytes::{BufMut, Bytes, BytesMut};
use postgres_types::Type;
use underpin_core::{Class, Error, Value};

use crate::encode::{Misfit, encode, needs_text};
use crate::encode_array::{check_shape, element_kind, set_element_type};
use crate::kind::{Base, Kind, type_name};
use crate::param::element_type;

/// Writes rows in one of COPY's two formats.
pub(crate) struct RowWriter<'a> {
    format: Format,
    names: &'a [&'a str],
    out: BytesMut,
    /// Number of written rows.
    rows: u64,
}

/// The format of the rows.
pub(crate) enum Format {
    /// In binary, by the types of the columns.
    Binary(Vec<Column>),
    /// As texts that the server parses.
    Text,
}

/// A column for which binary rows have a value.
pub(crate) struct Column {
    kind: Kind,
    type_: Type,
    element: Option<u32>,
}

/// Number of bytes that are gathered before they are sent.
const CHUNK: usize = 128 * 1024;
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const NULL: i32 = -1;
const TRAILER: i16 = -1;

impl Column {
    pub(crate) fn new(type_: &Type) -> Self {
        Column {
            kind: Kind::of(type_),
            type_: type_.clone(),
            element: element_type(type_),
        }
    }
}

impl Format {
    /// Chooses the binary format for columns of these types, unless one of them, or a value of the
    /// first row, requires the server to parse a text.
    pub(crate) fn choose(types: &[Type], first: &[Value]) -> Format {
        let columns: Vec<Column> = types.iter().map(Column::new).collect();
        let fits = columns
            .iter()
            .zip(first)
            .all(|(column, value)| has_binary(column.kind) && !needs_text(value, column.kind));
        if fits {
            Format::Binary(columns)
        } else {
            Format::Text
        }
    }

    /// The options behind `FROM STDIN`.
    pub(crate) fn clause(&self) -> &'static str {
        match self {
            Format::Binary(_) => " (FORMAT binary)",
            Format::Text => "",
        }
    }
}

/// Whether values of this kind can be written in binary, even if a later row has a text.
fn has_binary(kind: Kind) -> bool {
    match kind {
        Kind::One(base) => !matches!(
            base,
            Base::Unreadable
                | Base::Opaque
                | Base::Hidden
                | Base::TimeTz
                | Base::Inet
                | Base::MacAddr
                | Base::Bit
                | Base::Lsn
                | Base::Tid
        ),
        Kind::Range(_) | Kind::Multirange(_) => false,
        Kind::Array(element) => has_binary(element.kind()),
    }
}

impl<'a> RowWriter<'a> {
    pub(crate) fn new(format: Format, names: &'a [&'a str]) -> Self {
        let mut out = BytesMut::with_capacity(CHUNK + CHUNK / 4);
        if let Format::Binary(_) = format {
            out.put_slice(HEADER);
        }
        RowWriter {
            format,
            names,
            out,
            rows: 0,
        }
    }

    /// Adds a row. A row that does not fit is an error that names row and column.
    pub(crate) fn add(&mut self, row: &[Value]) -> Result<(), Error> {
        self.rows += 1;
        if row.len() != self.names.len() {
            return Err(Error::new(
                Class::Data,
                format!(
                    "Row {} has {} values, but {} columns are named.",
                    self.rows,
                    row.len(),
                    self.names.len()
                ),
            )
            .with_row(self.rows));
        }
        match &self.format {
            Format::Binary(columns) => {
                self.out
                    .put_i16(i16::try_from(row.len()).unwrap_or(i16::MAX));
                for (at, (value, column)) in row.iter().zip(columns).enumerate() {
                    if let Err(why) = binary(value, column, &mut self.out) {
                        let type_ = type_name(&column.type_);
                        return Err(misfit(self.rows, self.names[at], &type_, value, why));
                    }
                }
            }
            Format::Text => {
                for (at, value) in row.iter().enumerate() {
                    if at > 0 {
                        self.out.put_u8(b'\t');
                    }
                    if let Err(why) = text(value, &mut self.out) {
                        return Err(misfit(self.rows, self.names[at], "text", value, why));
                    }
                }
                self.out.put_u8(b'\n');
            }
        }
        Ok(())
    }

    /// The rows gathered so far, once they are many.
    pub(crate) fn full(&mut self) -> Option<Bytes> {
        if self.out.len() < CHUNK {
            return None;
        }
        let chunk = self.out.split().freeze();
        self.out.reserve(CHUNK + CHUNK / 4);
        Some(chunk)
    }

    /// The remaining rows.
    pub(crate) fn finish(mut self) -> Bytes {
        if let Format::Binary(_) = self.format {
            self.out.put_i16(TRAILER);
        }
        self.out.freeze()
    }
}

#[cold]
fn misfit(row: u64, column: &str, type_: &str, value: &Value, why: Misfit) -> Error {
    let kind = value.kind();
    let why = match why {
        Misfit::Kind => String::from("it is of a different kind"),
        Misfit::Because(why) => why,
    };
    Error::new(
        Class::Data,
        format!("Row {row}: {kind} does not fit the column {column:?} of type {type_}: {why}."),
    )
    .with_row(row)
    .with_column(column)
}

fn binary(value: &Value, column: &Column, out: &mut BytesMut) -> Result<(), Misfit> {
    if value.is_null() {
        out.put_i32(NULL);
        return Ok(());
    }
    let start = out.len();
    out.put_i32(0);
    let read;
    let value = if needs_text(value, column.kind) {
        // The first row chose the format, and this row has a text instead.
        read = read_texts(value, column.kind).ok_or(Misfit::Kind)?;
        &read
    } else {
        value
    };
    encode(value, column.kind, out)?;
    if let Some(element) = column.element {
        set_element_type(&mut out[start + 4..], element);
    }
    let length = i32::try_from(out.len() - start - 4)
        .map_err(|_| Misfit::Because("it is longer than two gigabytes".into()))?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// The value, with every text in it parsed as the column's type.
fn read_texts(value: &Value, kind: Kind) -> Option<Value> {
    match (value, kind) {
        (value, kind) if value.is_null() || !needs_text(value, kind) => Some(value.clone()),
        (Value::Array(values), Kind::Array(element)) => {
            let read = |value: &Value| read_texts(value, element_kind(value, element));
            values
                .iter()
                .map(read)
                .collect::<Option<_>>()
                .map(Value::Array)
        }
        (value, Kind::One(base)) => from_text(&value.to_text()?, base),
        _ => None,
    }
}

/// A value parsed from its text by the client, since the server parses no texts in a binary COPY.
fn from_text(text: &str, base: Base) -> Option<Value> {
    let text = text.trim();
    Some(match base {
        Base::Bool => Value::Bool(match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "yes" | "on" | "1" => true,
            "f" | "false" | "no" | "off" | "0" => false,
            _ => return None,
        }),
        Base::I16 | Base::I32 | Base::I64 | Base::U32 | Base::U64 => Value::I64(text.parse().ok()?),
        Base::F32 | Base::F64 => Value::F64(text.parse().ok()?),
        Base::Numeric => Value::Numeric(text.parse().ok()?),
        Base::Date => Value::Date(text.parse().ok()?),
        Base::Time => Value::Time(text.parse().ok()?),
        Base::Timestamp => Value::Timestamp(text.parse().ok()?),
        Base::TimestampTz => Value::TimestampTz(text.parse().ok()?),
        Base::Interval => Value::Interval(text.parse().ok()?),
        Base::Uuid => Value::Uuid(text.parse().ok()?),
        _ => return None,
    })
}

fn text(value: &Value, out: &mut BytesMut) -> Result<(), Misfit> {
    if let Value::Array(values) = value {
        check_shape(values)?;
    }
    let Some(text) = value.to_text() else {
        out.put_slice(b"\\N");
        return Ok(());
    };
    if text.as_bytes().contains(&0) {
        return Err(Misfit::Because(
            "it contains a NUL character, which PostgreSQL's text cannot".into(),
        ));
    }
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r'))
    {
        out.put_slice(&rest[..at]);
        out.put_slice(match rest[at] {
            b'\\' => b"\\\\",
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            _ => b"\\r",
        });
        rest = &rest[at + 1..];
    }
    out.put_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let names = ["a", "b"];
        let mut writer = RowWriter::new(Format::Text, &names);
        writer
            .add(&[Value::Text("a\tb\\c\nd\re".into()), Value::Null])
            .unwrap();
        writer
            .add(&[Value::Text("\\N".into()), Value::I32(7)])
            .unwrap();
        assert_eq!(&writer.finish()[..], b"a\\tb\\\\c\\nd\\re\t\\N\n\\\\N\t7\n");
    }

    #[test]
    fn a_misfit_names_row_and_column() {
        let names = ["id", "name"];
        let types = [Type::INT4, Type::TEXT];
        let good = [Value::I32(1), Value::Text("a".into())];
        let mut writer = RowWriter::new(Format::choose(&types, &good), &names);
        writer.add(&good).unwrap();
        let error = writer
            .add(&[Value::I64(1 << 40), Value::Null])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("Row 2: ") && error.contains("\"id\" of type int4"),
            "{error}"
        );
        let error = writer.add(&[Value::I32(1)]).unwrap_err().to_string();
        assert!(error.contains("Row 3 has 1 values"), "{error}");
    }

    #[test]
    fn the_first_row_may_call_for_text() {
        let day = [Value::Text("2024-01-01".into())];
        assert!(matches!(Format::choose(&[Type::DATE], &day), Format::Text));
        assert!(matches!(
            Format::choose(&[Type::TEXT], &day),
            Format::Binary(_)
        ));
        assert!(matches!(Format::choose(&[Type::INET], &day), Format::Text));
        let mut out = BytesMut::new();
        binary(&day[0], &Column::new(&Type::DATE), &mut out).unwrap();
        assert_eq!(out.len(), 8);
    }
}

use underpin_core::{Class, Columns, Error, Result, Row as Reads, ValueRef};

use crate::column::Described;
use crate::decode;
use crate::kind::{Base, Element, Kind};
use crate::texts::Texts;
use crate::wire::body::Values;

/// A row of PostgreSQL, read in place.
#[derive(Debug)]
pub struct Row<'a> {
    values: Values<'a>,
    described: &'a Described,
    texts: Texts,
}

impl<'a> Row<'a> {
    /// The row in the body of a DataRow.
    #[inline]
    pub(crate) fn new(body: &'a [u8], described: &'a Described) -> Result<Self> {
        match Values::new(body) {
            Some(values) if values.len() == described.kinds.len() => Ok(Row {
                values,
                described,
                texts: Texts::default(),
            }),
            _ => Err(malformed()),
        }
    }

    #[cold]
    fn unreadable(&self, index: usize, kind: Kind) -> Error {
        let column = &self.described.columns.0[index];
        let of_type = format!(
            "Column {:?} (number {}) is of type {}",
            column.name,
            index + 1,
            column.type_name
        );
        if matches!(
            kind,
            Kind::One(Base::Unreadable) | Kind::Array(Element::One(Base::Unreadable))
        ) {
            return Error::new(
                Class::Data,
                format!("{of_type}, whose binary form Underpin does not read."),
            )
            .with_hint(format!(
                "Cast it to text in the statement: {:?}::text.",
                column.name
            ));
        }
        Error::new(
            Class::Data,
            format!("{of_type}, but its bytes do not match that type."),
        )
    }
}

impl Reads for Row<'_> {
    #[inline]
    fn columns(&self) -> &Columns {
        &self.described.columns
    }

    #[inline]
    fn value(&self, index: usize) -> Result<ValueRef<'_>> {
        let Some(&kind) = self.described.kinds.get(index) else {
            return Err(self.described.columns.no_such_index(index));
        };
        match self.values.get(index) {
            Some(Some(bytes)) => match decode::value(kind, bytes, &self.texts) {
                Some(value) => Ok(value),
                None => Err(self.unreadable(index, kind)),
            },
            Some(None) => Ok(ValueRef::Null),
            None => Err(malformed()),
        }
    }

    fn integer(&self, index: usize) -> Option<i64> {
        match self.value(index) {
            Ok(ValueRef::I64(v)) => Some(v),
            Ok(ValueRef::I32(v)) => Some(v.into()),
            Ok(ValueRef::I16(v)) => Some(v.into()),
            _ => None,
        }
    }

    fn float(&self, index: usize) -> Option<f64> {
        match self.value(index) {
            Ok(ValueRef::F64(v)) => Some(v),
            _ => None,
        }
    }

    fn text(&self, index: usize) -> Option<&str> {
        match self.value(index) {
            Ok(ValueRef::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn bytes(&self, index: usize) -> Option<&[u8]> {
        match self.value(index) {
            Ok(ValueRef::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

#[cold]
fn malformed() -> Error {
    Error::new(
        Class::Protocol,
        "The bytes of a row do not follow PostgreSQL's protocol.",
    )
}

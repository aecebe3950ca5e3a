use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, IsNull, Kind as TypeKind, ToSql, Type, to_sql_checked};
use underpin_core::{Class, Error, Value};

use crate::encode::{Misfit, encode, needs_text};
use crate::encode_array::{check_shape, set_element_type};
use crate::kind::{self, Kind};

/// A parameter on its way to the type that the server expects.
pub(crate) struct Param<'a> {
    pub(crate) value: &'a Value,
    /// What the server expects; `None` where it has not said, so that it gets a text.
    pub(crate) kind: Option<Kind>,
    /// Counted from 1.
    pub(crate) number: usize,
}

impl fmt::Debug for Param<'_> {
    /// Never the value: the client logs its parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.value.kind())
    }
}

impl Param<'_> {
    fn goes_as_text(&self) -> bool {
        self.kind.is_none_or(|kind| needs_text(self.value, kind))
    }

    /// The value as text. Of an array the server reads less than it refuses.
    fn text(&self, type_: &Type) -> Result<Option<Cow<'_, str>>, Error> {
        if let Value::Array(values) = self.value {
            check_shape(values).map_err(|why| self.refuse(type_, why))?;
        }
        Ok(self.value.to_text())
    }

    #[cold]
    fn refuse(&self, expected: &Type, why: Misfit) -> Error {
        let found = self.value.kind();
        let expected = kind::type_name(expected);
        let number = self.number;
        match why {
            Misfit::Kind => Error::new(
                Class::Data,
                format!(
                    "Parameter {number} is {found}, and the statement expects {expected} there."
                ),
            )
            .with_hint(format!(
                "Give another value, or cast it in the statement: ${number}::type."
            )),
            Misfit::Because(why) => Error::new(
                Class::Data,
                format!("Parameter {number} is {found} and does not fit {expected}: {why}."),
            ),
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        type_: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        if self.value.is_null() {
            return Ok(IsNull::Yes);
        }
        match self.kind {
            Some(kind) if !needs_text(self.value, kind) => {
                let start = out.len();
                encode(self.value, kind, out).map_err(|why| self.refuse(type_, why))?;
                if let Some(element) = element_type(type_) {
                    set_element_type(&mut out[start..], element);
                }
            }
            _ => match self.text(type_)? {
                Some(text) if text.as_bytes().contains(&0) => {
                    let why = "it holds a NUL character, which PostgreSQL's text cannot";
                    return Err(self.refuse(type_, Misfit::Because(why.into())).into());
                }
                Some(text) => out.put_slice(text.as_bytes()),
                None => return Ok(IsNull::Yes),
            },
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        if self.goes_as_text() {
            Format::Text
        } else {
            Format::Binary
        }
    }

    to_sql_checked!();
}

/// The number of the type of an array's elements.
pub(crate) fn element_type(type_: &Type) -> Option<u32> {
    match type_.kind() {
        TypeKind::Array(element) => Some(element.oid()),
        TypeKind::Domain(base) => element_type(base),
        _ => None,
    }
}

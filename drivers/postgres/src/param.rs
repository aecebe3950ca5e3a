use bytes::{BufMut, BytesMut};
use postgres_types::{Kind as TypeKind, Type};
use underpin_core::{Class, Error, Value};

use crate::encode::{Misfit, encode, needs_text};
use crate::encode_array::{check_shape, set_element_type};
use crate::kind::{self, Kind};
use crate::wire::put::{self, Format};

/// A parameter on its way to the type that the server expects.
struct Param<'a> {
    value: &'a Value,
    /// The expected type; `None` if the server has not said, so that it gets a text.
    expected: Option<(Kind, &'a Type)>,
    /// Counted from 1.
    number: usize,
}

/// Binds a statement, empty for the unnamed one, to parameters of known types or, if there are
/// none, to texts. The columns of its result come in these formats; all in binary if there are
/// none.
///
/// # Errors
/// For a parameter that does not fit.
pub(crate) fn bind(
    out: &mut BytesMut,
    statement: &str,
    values: &[Value],
    expected: Option<(&[Kind], &[Type])>,
    columns: &[Format],
) -> Result<(), Error> {
    let param = |(at, value)| Param {
        value,
        expected: expected.and_then(|(kinds, types)| Some((*kinds.get(at)?, types.get(at)?))),
        number: at + 1,
    };
    let params = || values.iter().enumerate().map(param);
    put::message(out, b'B', |out| {
        put::text(out, "")?;
        put::text(out, statement)?;
        let count = put::count(values.len())?;
        out.put_u16(count);
        params().for_each(|param| out.put_u16(param.format() as u16));
        out.put_u16(count);
        params().try_for_each(|param| param.write(out))?;
        put::formats(out, columns);
        Ok(())
    })
}

impl Param<'_> {
    fn format(&self) -> Format {
        match self.expected {
            Some((kind, _)) if !needs_text(self.value, kind) => Format::Binary,
            _ => Format::Text,
        }
    }

    /// Puts the length and the bytes.
    fn write(&self, out: &mut BytesMut) -> Result<(), Error> {
        if self.value.is_null() {
            out.put_i32(-1);
            return Ok(());
        }
        let start = out.len();
        out.put_i32(0);
        self.put(out)?;
        let length = i32::try_from(out.len() - start - 4)
            .map_err(|_| self.refuse(Misfit::Because("it is longer than two gigabytes".into())))?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    fn put(&self, out: &mut BytesMut) -> Result<(), Error> {
        match self.expected {
            Some((kind, type_)) if !needs_text(self.value, kind) => {
                let start = out.len();
                encode(self.value, kind, out).map_err(|why| self.refuse(why))?;
                if let Some(element) = element_type(type_) {
                    set_element_type(&mut out[start..], element);
                }
            }
            _ => {
                if let Value::Array(values) = self.value {
                    // The server parses less from an array in text form than it refuses.
                    check_shape(values).map_err(|why| self.refuse(why))?;
                }
                let text = self.value.to_text().unwrap_or_default();
                if text.as_bytes().contains(&0) {
                    let why = "it contains a NUL character, which PostgreSQL's text cannot";
                    return Err(self.refuse(Misfit::Because(why.into())));
                }
                out.put_slice(text.as_bytes());
            }
        }
        Ok(())
    }

    #[cold]
    fn refuse(&self, why: Misfit) -> Error {
        let found = self.value.kind();
        let expected = self.expected.map_or(&Type::UNKNOWN, |(_, type_)| type_);
        let expected = kind::type_name(expected);
        let number = self.number;
        match why {
            Misfit::Kind => Error::new(
                Class::Data,
                format!("Parameter {number} is {found}, but the statement expects {expected}."),
            )
            .with_hint(format!(
                "Pass another value, or cast it in the statement: ${number}::type."
            )),
            Misfit::Because(why) => Error::new(
                Class::Data,
                format!("Parameter {number} is {found} and does not fit {expected}: {why}."),
            ),
        }
    }
}

/// The number of the type of an array's elements.
pub(crate) fn element_type(type_: &Type) -> Option<u32> {
    match type_.kind() {
        TypeKind::Array(element) => Some(element.oid()),
        TypeKind::Domain(base) => element_type(base),
        _ => None,
    }
}

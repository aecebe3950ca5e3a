use super::Value;
use crate::error::Result;

/// An array borrowed from a driver's buffer; its elements are read on demand.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ArrayRef<'r> {
    /// Elements that are values already.
    Values(&'r [Value]),
    /// A driver's own encoding, with the function that reads it and the element's type for that
    /// function.
    Encoded {
        /// The array as the server sent it.
        bytes: &'r [u8],
        /// The driver's number for the element type.
        element: u32,
        /// Reads the elements.
        decode: fn(&[u8], u32) -> Result<Vec<Value>>,
    },
}

impl ArrayRef<'_> {
    /// The elements, owned.
    ///
    /// # Errors
    /// [`Class::Data`](crate::Class::Data) if an element cannot be read.
    pub fn to_values(self) -> Result<Vec<Value>> {
        match self {
            ArrayRef::Values(values) => Ok(values.to_vec()),
            ArrayRef::Encoded {
                bytes,
                element,
                decode,
            } => decode(bytes, element),
        }
    }
}

/// The array in a JSON text, which is how an engine without arrays stores one; `None` if the text
/// is not a JSON array.
pub(crate) fn array_from_json(text: &str) -> Option<Vec<Value>> {
    match serde_json::from_str(text).ok()? {
        serde_json::Value::Array(elements) => Some(elements.into_iter().map(from_json).collect()),
        _ => None,
    }
}

fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(v) => Value::Bool(v),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(whole) => Value::I64(whole),
            None => Value::F64(n.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(elements) => {
            Value::Array(elements.into_iter().map(from_json).collect())
        }
        object @ serde_json::Value::Object(_) => Value::Json(object.to_string()),
    }
}

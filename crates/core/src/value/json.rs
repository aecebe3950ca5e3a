use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Value, ValueRef};
use crate::from_value::{FromValue, Mismatch};
use crate::into_value::IntoValue;
use crate::statement_description::ANY_TEXT;

/// A Rust value that is stored as JSON: `Json(settings)` as a parameter, and
/// `Json<Settings>` as a column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromValue<'_> for Json<T> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        let parsed = match value {
            ValueRef::Json(text) | ValueRef::Text(text) => serde_json::from_str(text),
            ValueRef::Bytes(bytes) => serde_json::from_slice(bytes),
            // SQLite stores a document that is a bare number as a number.
            ValueRef::I64(number) => serde_json::from_value(number.into()),
            ValueRef::F64(number) => serde_json::from_value(number.into()),
            _ => return Err(Mismatch::kind("JSON")),
        };
        parsed
            .map(Json)
            .map_err(|error| Mismatch::because(format!("the JSON does not fit: {error}")))
    }
}

impl<T: Serialize> IntoValue for Json<T> {
    /// The JSON text of the value.
    ///
    /// # Panics
    /// If `T` has no JSON form: a map whose keys are not text, or its own `Serialize` that fails.
    fn into_value(self) -> Value {
        Value::Json(serde_json::to_string(&self.0).expect("the value has a JSON form"))
    }

    fn specimens() -> Vec<Value> {
        vec![Value::Json(ANY_TEXT.into())]
    }
}

impl FromValue<'_> for serde_json::Value {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        Json::from_value(value).map(|Json(json)| json)
    }
}

impl IntoValue for serde_json::Value {
    fn into_value(self) -> Value {
        Value::Json(self.to_string())
    }

    fn specimens() -> Vec<Value> {
        vec![Value::Json(ANY_TEXT.into())]
    }
}

//! Values as parameters.

use odbc_api::IntoParameter;
use odbc_api::parameter::InputParameter;
use underpin_core::{Class, Effect, Error, Result, Value};

/// Parameters of a statement, in order.
pub(crate) type Parameters = Vec<Box<dyn InputParameter>>;

/// The parameters for these values. What ODBC has no simple form for is sent as text, which the
/// database converts to the type that it expects.
pub(crate) fn parameters(values: &[Value]) -> Result<Parameters> {
    let numbered = values.iter().enumerate();
    numbered
        .map(|(index, value)| parameter(value, index))
        .collect()
}

fn parameter(value: &Value, index: usize) -> Result<Box<dyn InputParameter>> {
    Ok(match value {
        Value::Null => Box::new(None::<String>.into_parameter()),
        Value::Bool(it) => Box::new(i32::from(*it)),
        Value::I16(it) => Box::new(*it),
        Value::I32(it) => Box::new(*it),
        Value::I64(it) => Box::new(*it),
        Value::F32(it) => Box::new(*it),
        Value::F64(it) => Box::new(*it),
        Value::Bytes(it) => Box::new(it.clone().into_parameter()),
        Value::Text(it) | Value::Json(it) => text(it.clone()),
        Value::Numeric(it) => text(it.to_string()),
        Value::Date(it) => text(it.to_string()),
        Value::Time(it) => text(it.to_string()),
        Value::Timestamp(it) => text(it.to_string()),
        Value::TimestampTz(it) => text(it.to_string()),
        Value::Interval(it) => text(it.to_string()),
        Value::Uuid(it) => text(it.to_string()),
        _ => {
            let what = format!("Parameter {} is of a type that ODBC has not.", index + 1);
            return Err(Error::new(Class::Unsupported, what).with_effect(Effect::NotSent));
        }
    })
}

fn text(text: String) -> Box<dyn InputParameter> {
    Box::new(text.into_parameter())
}

//! Limits of the protocol's messages. A server that gets a longer message ends the connection.

use underpin_core::{Class, Error, Result, Value};

/// Parameters are counted in 16 bits.
const MOST_PARAMETERS: usize = 65_535;
/// The longest message that the server reads.
const MOST_BYTES: usize = 0x3fff_ffff;

/// Refuses a statement whose text and parameters no message can hold.
pub(crate) fn check(sql: &str, params: &[Value]) -> Result<()> {
    if params.len() > MOST_PARAMETERS {
        return Err(Error::new(
            Class::Unsupported,
            format!(
                "The statement has {} parameters, but PostgreSQL accepts at most {MOST_PARAMETERS}; \
                 nothing was sent.",
                params.len()
            ),
        )
        .with_hint(
            "Pass a list as one parameter, `= ANY($1)` or `unnest($1, $2)`, and insert rows with \
             bulk_insert.",
        ));
    }
    let bytes = params.iter().map(bytes_of).sum::<usize>() + sql.len();
    if bytes > MOST_BYTES {
        return Err(Error::new(
            Class::Data,
            format!(
                "The statement and its parameters have {bytes} bytes, and PostgreSQL reads \
                 {MOST_BYTES} at most in one message; nothing was sent."
            ),
        )
        .with_hint("Send it in parts."));
    }
    Ok(())
}

/// Minimum length of a value.
fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Array(elements) => elements.iter().map(bytes_of).sum(),
        _ => 0,
    }
}

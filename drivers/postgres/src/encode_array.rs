use bytes::{BufMut, BytesMut};
use underpin_core::Value;

use crate::encode::{Misfit, encode};
use crate::kind::{Element, Kind};

/// The kind of a value within an array: an array itself if there are several dimensions.
pub(crate) fn element_kind(value: &Value, element: Element) -> Kind {
    match value {
        Value::Array(_) => Kind::Array(element),
        _ => element.kind(),
    }
}

/// Appends the binary form of an array to `out`. The server takes the type of the elements from the
/// statement, and compares it with the number that is sent; it does not accept 0, so
/// [`set_element_type`] fills in the caller's `element_type`.
pub(crate) fn array(values: &[Value], element: Element, out: &mut BytesMut) -> Result<(), Misfit> {
    check_shape(values)?;
    let mut lengths = Vec::new();
    measure(values, &mut lengths);
    if lengths == [0] {
        // An array without elements has no dimensions.
        lengths.clear();
    }
    let start = out.len();
    out.put_i32(i32::try_from(lengths.len()).map_err(|_| Misfit::Kind)?);
    out.put_i32(0);
    out.put_u32(0);
    for &length in &lengths {
        out.put_i32(
            i32::try_from(length)
                .map_err(|_| Misfit::Because("it has too many elements".into()))?,
        );
        out.put_i32(1);
    }
    let mut has_nulls = false;
    if !lengths.is_empty() {
        dimension(values, &lengths, element, out, &mut has_nulls)?;
    }
    out[start + 4..start + 8].copy_from_slice(&i32::from(has_nulls).to_be_bytes());
    Ok(())
}

/// Fills in the number of the element's type in an array's header, which begins `array`.
pub(crate) fn set_element_type(array: &mut [u8], number: u32) {
    if let Some(place) = array.get_mut(8..12) {
        place.copy_from_slice(&number.to_be_bytes());
    }
}

/// Refuses arrays whose inner arrays differ in length, and those whose inner arrays are empty,
/// which PostgreSQL would reduce to an empty array.
pub(crate) fn check_shape(values: &[Value]) -> Result<(), Misfit> {
    let mut lengths = Vec::new();
    measure(values, &mut lengths);
    if !has_shape(values, &lengths) {
        return Err(ragged());
    }
    match lengths[1..].contains(&0) {
        true => Err(Misfit::Because(
            "its inner arrays are empty, and PostgreSQL would store an empty array instead".into(),
        )),
        false => Ok(()),
    }
}

fn ragged() -> Misfit {
    Misfit::Because("its inner arrays differ in length".into())
}

/// Whether each array has the length of its depth, and each element the depth of the others.
fn has_shape(values: &[Value], lengths: &[usize]) -> bool {
    let Some((&length, inner)) = lengths.split_first() else {
        return false;
    };
    values.len() == length
        && values.iter().all(|value| match value {
            Value::Array(values) => has_shape(values, inner),
            _ => inner.is_empty(),
        })
}

fn measure(values: &[Value], lengths: &mut Vec<usize>) {
    lengths.push(values.len());
    if let Some(Value::Array(inner)) = values.first() {
        measure(inner, lengths);
    }
}

fn dimension(
    values: &[Value],
    lengths: &[usize],
    element: Element,
    out: &mut BytesMut,
    has_nulls: &mut bool,
) -> Result<(), Misfit> {
    let (&length, inner) = lengths.split_first().ok_or_else(ragged)?;
    if values.len() != length {
        return Err(ragged());
    }
    for value in values {
        match (value, inner.is_empty()) {
            (Value::Array(values), false) => dimension(values, inner, element, out, has_nulls)?,
            (Value::Array(_), true) | (_, false) => return Err(ragged()),
            (Value::Null, true) => {
                *has_nulls = true;
                out.put_i32(-1);
            }
            (value, true) => {
                let at = out.len();
                out.put_i32(0);
                encode(value, element.kind(), out)?;
                let length = i32::try_from(out.len() - at - 4).map_err(|_| Misfit::Kind)?;
                out[at..at + 4].copy_from_slice(&length.to_be_bytes());
            }
        }
    }
    Ok(())
}

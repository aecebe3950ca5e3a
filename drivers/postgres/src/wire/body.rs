//! The bodies of the server's messages, read in place.

use std::cell::Cell;

use super::violation::Violation;

/// A text that ends with a zero byte, and the bytes behind it.
pub(crate) fn text_until_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

pub(crate) fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*number))
}

pub(crate) fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

/// The server's description of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The number of the table and of the column within it, if it is a column of a table.
    pub(crate) origin: Option<(u32, i16)>,
    pub(crate) type_oid: u32,
    pub(crate) modifier: i32,
}

/// Reads the body of a RowDescription.
pub(crate) fn fields(body: &[u8]) -> Result<Vec<Field>, Violation> {
    read_fields(body).ok_or_else(|| Violation::malformed(b'T'))
}

fn read_fields(mut body: &[u8]) -> Option<Vec<Field>> {
    /// Length of the name's zero byte and the bytes behind the name.
    const LEAST: usize = 19;
    let count = usize::from(take_u16(&mut body)?);
    let mut fields = Vec::with_capacity(count.min(body.len() / LEAST));
    for _ in 0..count {
        let (name, rest) = text_until_zero(body)?;
        body = rest;
        let table = take_u32(&mut body)?;
        let column = take_u16(&mut body)? as i16;
        let type_oid = take_u32(&mut body)?;
        let _size = take_u16(&mut body)?;
        let modifier = take_u32(&mut body)? as i32;
        let _format = take_u16(&mut body)?;
        fields.push(Field {
            name: String::from_utf8_lossy(name).into_owned(),
            origin: (table != 0 && column != 0).then_some((table, column)),
            type_oid,
            modifier,
        });
    }
    body.is_empty().then_some(fields)
}

/// Reads the body of a ParameterDescription: the numbers of the types.
pub(crate) fn parameter_types(body: &[u8]) -> Result<Vec<u32>, Violation> {
    let read = |mut body: &[u8]| {
        let count = take_u16(&mut body)?;
        let whole = body.len() == usize::from(count) * 4;
        let numbers = body.chunks_exact(4);
        let numbers = numbers.map(|four| u32::from_be_bytes(four.try_into().unwrap_or_default()));
        whole.then(|| numbers.collect())
    };
    read(body).ok_or_else(|| Violation::malformed(b't'))
}

/// The number of rows at the end of a command's tag; 0 if there is none.
pub(crate) fn affected(body: &[u8]) -> u64 {
    let tag = text_until_zero(body).map_or(body, |(tag, _)| tag);
    let digits = tag.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    let number = str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse().ok());
    number.unwrap_or(0)
}

/// The tag of a command, without its zero byte.
pub(crate) fn command(body: &[u8]) -> &[u8] {
    text_until_zero(body).map_or(body, |(tag, _)| tag)
}

/// The values of a DataRow. Reading them in order passes over the bytes once.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    bytes: &'a [u8],
    count: usize,
    /// The index of the next value, and where it begins.
    next: Cell<(usize, usize)>,
}

impl<'a> Values<'a> {
    /// The values in the body of a DataRow.
    #[inline]
    pub(crate) fn new(mut body: &'a [u8]) -> Option<Self> {
        let count = usize::from(take_u16(&mut body)?);
        Some(Values {
            bytes: body,
            count,
            next: Cell::new((0, 0)),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The bytes of a value; `None` within for NULL. `None` if there is no such value, or the row
    /// does not follow the protocol.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Option<&'a [u8]>> {
        if index >= self.count {
            return None;
        }
        let (mut number, mut at) = self.next.get();
        if index < number {
            (number, at) = (0, 0);
        }
        loop {
            let length = self.bytes.get(at..)?.first_chunk()?;
            let length = i32::from_be_bytes(*length);
            let start = at + 4;
            let end = match length {
                -1 => start,
                length => start.checked_add(usize::try_from(length).ok()?)?,
            };
            let value = self.bytes.get(start..end)?;
            (number, at) = (number + 1, end);
            if number > index {
                self.next.set((number, at));
                return Some((length >= 0).then_some(value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_in_any_order() {
        let row = b"\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\x02bc";
        let values = Values::new(row).unwrap();
        for index in [0, 1, 2, 0, 2, 1, 1, 0] {
            let expected = [Some(&b"a"[..]), None, Some(b"bc")][index];
            assert_eq!(values.get(index), Some(expected));
        }
        assert_eq!((values.get(3), values.len()), (None, 3));
    }

    #[test]
    fn rows_affected_are_the_last_number() {
        assert_eq!(affected(b"INSERT 0 12\0"), 12);
        assert_eq!(affected(b"SELECT 7\0"), 7);
        assert_eq!(affected(b"BEGIN\0"), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..60), index in 0usize..5) {
            let _ = fields(&body);
            let _ = parameter_types(&body);
            let _ = affected(&body);
            if let Some(values) = Values::new(&body) {
                values.get(index);
                values.get(0);
            }
        }
    }
}

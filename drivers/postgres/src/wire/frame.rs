//! Where the messages of the protocol begin and end. A length is checked before any memory is
//! reserved for it, and the buffer grows no faster than the bytes arrive.

use bytes::BytesMut;

use super::violation::Violation;

/// A message's tag and length.
pub(crate) const HEADER: usize = 5;
/// PostgreSQL itself sends no longer message.
pub(crate) const LONGEST: usize = (1 << 30) - 1;
/// Bytes that are read at once at the least, and at the most.
pub(crate) const READ: usize = 1536;
pub(crate) const READ_MOST: usize = 64 * 1024;

/// What a message is and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) tag: u8,
    /// The whole message, its header included.
    pub(crate) length: usize,
}

/// The head of the message that the bytes begin with; `None` where more must come first.
///
/// # Errors
/// For a length that cannot be, or that is beyond the limit.
#[inline]
pub(crate) fn head(bytes: &[u8], limit: usize) -> Result<Option<Head>, Violation> {
    let Some(&[tag, a, b, c, d]) = bytes.first_chunk() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes([a, b, c, d]);
    if length < 4 || length as usize > limit {
        return Err(Violation::length(tag, length));
    }
    let length = 1 + length as usize;
    Ok(Some(Head { tag, length }))
}

/// How many bytes to make room for before the next read: what is missing of the message that
/// has begun, but never more than has come of it so far, or one read.
pub(crate) fn room(inbox: &[u8], read: usize, limit: usize) -> usize {
    match head(inbox, limit) {
        Ok(Some(head)) if head.length > inbox.len() => {
            let missing = head.length - inbox.len();
            missing.min(inbox.len()).max(read)
        }
        _ => read,
    }
}

/// A message that a chunk begins with, which holds only whole ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The message at this place, and where the next one begins.
    #[inline]
    pub(crate) fn at(bytes: &'a [u8], at: usize) -> Option<(Frame<'a>, usize)> {
        let head = head(bytes.get(at..)?, LONGEST).ok()??;
        let end = at + head.length;
        let body = bytes.get(at + HEADER..end)?;
        let tag = head.tag;
        Some((Frame { tag, body }, end))
    }
}

/// Drops the memory of a buffer that a large message has left behind.
pub(crate) fn shrink(buffer: &mut BytesMut, most: usize) {
    if buffer.is_empty() && buffer.capacity() > most {
        *buffer = BytesMut::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_memory_is_reserved_for_what_is_only_announced() {
        let announced = [b'D', 0x3f, 0xff, 0xff, 0xff];
        assert_eq!(room(&announced, READ, LONGEST), READ);
        let mut some = announced.to_vec();
        some.resize(100_000, 0);
        assert_eq!(room(&some, READ, LONGEST), 100_000);
        let small = [b'D', 0, 0, 0, 9, 0];
        assert_eq!(room(&small, READ, LONGEST), READ);
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        for length in [0u32, 3, 1 << 30, 1 << 31, u32::MAX] {
            let mut bytes = vec![b'D'];
            bytes.extend_from_slice(&length.to_be_bytes());
            assert!(head(&bytes, LONGEST).is_err(), "{length}");
        }
        let bytes = [b'D', 0, 0, 0, 101];
        assert!(head(&bytes, 100).is_err());
        assert!(head(&bytes, 101).is_ok());
        assert_eq!(head(&bytes[..4], 100), Ok(None));
    }
}

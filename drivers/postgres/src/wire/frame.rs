//! Finds where the messages of the protocol begin and end. A length is checked before any memory is
//! reserved for it, and the buffer grows no faster than the bytes arrive.

use bytes::BytesMut;

use super::violation::Violation;

/// A message's tag and length.
pub(crate) const HEADER: usize = 5;
/// The longest message that PostgreSQL itself sends.
pub(crate) const LONGEST: usize = (1 << 30) - 1;
/// Minimum and maximum number of bytes that are read at once.
pub(crate) const READ: usize = 1536;
pub(crate) const READ_MOST: usize = 64 * 1024;

/// The tag and length of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) tag: u8,
    /// Length of the whole message, including its header.
    pub(crate) length: usize,
}

/// The header of the message at the start of the bytes; `None` if more bytes are needed.
///
/// # Errors
/// For an impossible length, or one beyond the limit.
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

/// Number of bytes to make room for before the next read: the missing part of the current message,
/// but never more than has arrived of it so far, or one read.
pub(crate) fn room(inbox: &[u8], read: usize, limit: usize) -> usize {
    match head(inbox, limit) {
        Ok(Some(head)) if head.length > inbox.len() => {
            let missing = head.length - inbox.len();
            missing.min(inbox.len()).max(read)
        }
        _ => read,
    }
}

/// A message at the start of a chunk, which contains only whole ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The message at this position, and the start of the next one.
    #[inline]
    pub(crate) fn at(bytes: &'a [u8], at: usize) -> Option<(Frame<'a>, usize)> {
        let head = head(bytes.get(at..)?, LONGEST).ok()??;
        let end = at + head.length;
        let body = bytes.get(at + HEADER..end)?;
        let tag = head.tag;
        Some((Frame { tag, body }, end))
    }
}

/// Releases the memory of a buffer after a large message.
pub(crate) fn shrink(buffer: &mut BytesMut, most: usize) {
    if buffer.is_empty() && buffer.capacity() > most {
        *buffer = BytesMut::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_memory_is_reserved_for_announced_bytes() {
        let announced = [b'D', 0x3f, 0xff, 0xff, 0xff];
        assert_eq!(room(&announced, READ, LONGEST), READ);
        let mut some = announced.to_vec();
        some.resize(100_000, 0);
        assert_eq!(room(&some, READ, LONGEST), 100_000);
        let small = [b'D', 0, 0, 0, 9, 0];
        assert_eq!(room(&small, READ, LONGEST), READ);
    }

    #[test]
    fn impossible_lengths_are_refused() {
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

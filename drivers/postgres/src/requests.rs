//! What a client asks for, in the bytes that it writes.

use crate::frames::Frames;

/// A message's tag and length.
pub(crate) const HEADER: usize = 5;
/// The length of a Sync.
pub(crate) const SYNC: usize = 5;

/// Where the first whole message begins, and the tag of the one that ends there.
pub(crate) fn boundary(client: &Frames, bytes: &[u8]) -> Option<(usize, u8)> {
    if client.is_between_messages() {
        return Some((0, 0));
    }
    let mut client = client.clone();
    let mut at = 0;
    while at < bytes.len() {
        let step = client.step(&bytes[at..]);
        at += step.body.end;
        if step.ends {
            return Some((at, step.tag));
        }
    }
    None
}

/// Whether the server says that it is ready in answer to it.
pub(crate) fn is_request(tag: u8) -> bool {
    matches!(tag, b'S' | b'Q')
}

/// Whether a message of the server is the last thing that it says to a request: it is ready, or
/// it takes the rows of a COPY, and then skips the Sync behind the statement.
pub(crate) fn is_answer(tag: u8) -> bool {
    matches!(tag, b'Z' | b'G')
}

/// A whole message of the client.
pub(crate) struct Message {
    pub(crate) tag: u8,
    pub(crate) end: usize,
}

impl Message {
    #[inline]
    pub(crate) fn at(bytes: &[u8], at: usize) -> Option<Message> {
        let header = bytes.get(at..at + HEADER)?;
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let end = at.checked_add(1 + length)?;
        (length >= 4 && end <= bytes.len()).then_some(Message {
            tag: header[0],
            end,
        })
    }
}

/// One run of a prepared statement: Bind, Execute and Sync.
pub(crate) struct Statement<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) end: usize,
}

impl<'a> Statement<'a> {
    #[inline]
    pub(crate) fn at(bytes: &'a [u8], at: usize) -> Option<Statement<'a>> {
        let bind = Message::at(bytes, at).filter(|message| message.tag == b'B')?;
        let execute = Message::at(bytes, bind.end).filter(|message| message.tag == b'E')?;
        let sync = Message::at(bytes, execute.end).filter(|message| message.tag == b'S')?;
        // Behind the name of the portal, which has none.
        let named = bytes[at + HEADER..bind.end].strip_prefix(&[0])?;
        let name = named.split(|&byte| byte == 0).next()?;
        let whole = sync.end == execute.end + SYNC && !name.is_empty();
        whole.then_some(Statement {
            name,
            end: sync.end,
        })
    }
}

/// Writes a message whose body is these parts.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(tag);
    out.extend_from_slice(&(length as u32 + 4).to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

//! The messages of the client.

use bytes::{BufMut, BytesMut};
use underpin_core::{Class, Error};

use super::frame::LONGEST;

/// Writes a message whose body `write` appends to `out`. If that fails, nothing is written.
///
/// # Errors
/// That of `write`; [`Class::Data`] for a message that is longer than the protocol allows.
#[inline]
pub(crate) fn message(
    out: &mut BytesMut,
    tag: u8,
    write: impl FnOnce(&mut BytesMut) -> Result<(), Error>,
) -> Result<(), Error> {
    let start = out.len();
    out.put_u8(tag);
    out.put_u32(0);
    let written = write(out).and_then(|()| length(out.len() - start - 1));
    match written {
        Ok(length) => {
            out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

fn length(length: usize) -> Result<u32, Error> {
    match u32::try_from(length) {
        Ok(short) if length <= LONGEST => Ok(short),
        _ => Err(too_long()),
    }
}

#[cold]
fn too_long() -> Error {
    Error::new(
        Class::Data,
        "The statement cannot be sent: with its parameters, it is longer than a gigabyte.",
    )
}

/// Writes a message whose body consists of these short parts.
pub(crate) fn short(out: &mut BytesMut, tag: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.put_u8(tag);
    out.put_u32(length as u32 + 4);
    for part in parts {
        out.put_slice(part);
    }
}

/// Writes a text and its terminating zero byte.
///
/// # Errors
/// [`Class::Data`] for a text that contains a zero byte.
pub(crate) fn text(out: &mut BytesMut, text: &str) -> Result<(), Error> {
    if text.as_bytes().contains(&0) {
        return Err(Error::new(
            Class::Data,
            "The statement cannot be sent: it contains a NUL character.",
        ));
    }
    out.put_slice(text.as_bytes());
    out.put_u8(0);
    Ok(())
}

/// Prepares a statement under a name, empty for none, with parameters of these types.
pub(crate) fn parse(
    out: &mut BytesMut,
    name: &str,
    sql: &str,
    types: impl ExactSizeIterator<Item = u32>,
) -> Result<(), Error> {
    message(out, b'P', |out| {
        text(out, name)?;
        text(out, sql)?;
        out.put_u16(count(types.len())?);
        types.for_each(|number| out.put_u32(number));
        Ok(())
    })
}

/// A number of parameters.
///
/// # Errors
/// [`Class::Data`] for more than the protocol can count.
pub(crate) fn count(count: usize) -> Result<u16, Error> {
    u16::try_from(count).map_err(|_| {
        Error::new(
            Class::Data,
            format!(
                "The statement cannot be sent: it has {count} parameters, and the maximum is 65535."
            ),
        )
    })
}

/// The requested format for the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Format {
    Text = 0,
    Binary = 1,
}

/// Writes the format of each column of a result, which is the end of a Bind. If all are binary, one
/// format applies to all.
pub(crate) fn formats(out: &mut BytesMut, columns: &[Format]) {
    if columns.iter().all(|format| *format == Format::Binary) {
        out.put_slice(&[0, 1, 0, 1]);
        return;
    }
    // The server counts its columns in 16 bits.
    out.put_u16(columns.len() as u16);
    columns
        .iter()
        .for_each(|format| out.put_u16(*format as u16));
}

pub(crate) fn describe(out: &mut BytesMut, what: u8, name: &str) {
    short(out, b'D', &[&[what], name.as_bytes(), &[0]]);
}

pub(crate) fn close(out: &mut BytesMut, what: u8, name: &str) {
    short(out, b'C', &[&[what], name.as_bytes(), &[0]]);
}

/// Runs a portal, and requests at most this many rows; 0 for all.
pub(crate) fn execute(out: &mut BytesMut, portal: &str, rows: u32) {
    short(out, b'E', &[portal.as_bytes(), &[0], &rows.to_be_bytes()]);
}

pub(crate) fn query(out: &mut BytesMut, sql: &str) -> Result<(), Error> {
    message(out, b'Q', |out| text(out, sql))
}

pub(crate) fn sync(out: &mut BytesMut) {
    short(out, b'S', &[]);
}

pub(crate) fn flush(out: &mut BytesMut) {
    short(out, b'H', &[]);
}

pub(crate) fn terminate(out: &mut BytesMut) {
    short(out, b'X', &[]);
}

pub(crate) fn copy_done(out: &mut BytesMut) {
    short(out, b'c', &[]);
}

pub(crate) fn copy_fail(out: &mut BytesMut) {
    short(out, b'f', &[b"The client has ended it.\0"]);
}

/// Writes rows of a COPY, in as many messages as they need.
pub(crate) fn copy_data(out: &mut BytesMut, rows: &[u8]) {
    for part in rows.chunks(LONGEST / 2) {
        short(out, b'd', &[part]);
    }
}

/// The request to encrypt the connection.
pub(crate) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The request to cancel the statement in the session with this key.
pub(crate) fn cancel(process: i32, secret: &[u8]) -> Vec<u8> {
    const CODE: u32 = 80_877_102;
    let mut out = Vec::with_capacity(12 + secret.len());
    out.extend_from_slice(&(12 + secret.len() as u32).to_be_bytes());
    out.extend_from_slice(&CODE.to_be_bytes());
    out.extend_from_slice(&process.to_be_bytes());
    out.extend_from_slice(secret);
    out
}

use std::io::Read;

use sha2::{Digest, Sha256};
use underpin::Result;

use super::source::unreadable;

/// What a first reading of the file tells, before a row is put anywhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// The SHA-256 of the bytes, as hexadecimal digits.
    pub(super) hash: String,
    /// How many records there are, with the header.
    pub(super) records: u64,
    /// The line on which a quote was opened that is never closed.
    pub(super) unclosed: Option<u64>,
}

/// Where in a record the reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    /// Behind a quote within quotes: the end of them, or half of an escaped one.
    QuoteInQuotes,
}

struct Scanner {
    state: State,
    records: u64,
    line: u64,
    opened: u64,
}

impl Scanner {
    fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::QuoteInQuotes,
                (State::Quoted, _) => State::Quoted,
                (State::QuoteInQuotes, b'"') => State::Quoted,
                (State::RecordStart, b'\r' | b'\n') => State::RecordStart,
                (_, b'\r' | b'\n') => State::RecordStart,
                (state, byte) => {
                    self.records += u64::from(state == State::RecordStart);
                    match (state, byte) {
                        (_, b',') => State::FieldStart,
                        (State::RecordStart | State::FieldStart, b'"') => {
                            self.opened = self.line;
                            State::Quoted
                        }
                        _ => State::Unquoted,
                    }
                }
            };
            self.line += u64::from(*byte == b'\n');
        }
    }
}

/// Reads everything once; `seen` is told how many bytes there were so far.
pub(super) fn scan(mut file: impl Read, name: &str, mut seen: impl FnMut(u64)) -> Result<Scan> {
    let mut hash = Sha256::new();
    let mut scanner = Scanner {
        state: State::RecordStart,
        records: 0,
        line: 1,
        opened: 0,
    };
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| unreadable(name, error))?;
        if count == 0 {
            break;
        }
        let mut part = &buffer[..count];
        hash.update(part);
        if bytes == 0 {
            part = part.strip_prefix(b"\xef\xbb\xbf").unwrap_or(part);
        }
        scanner.feed(part);
        bytes += count as u64;
        seen(bytes);
    }
    let digits = hash.finalize();
    Ok(Scan {
        hash: digits.iter().map(|byte| format!("{byte:02x}")).collect(),
        records: scanner.records,
        unclosed: (scanner.state == State::Quoted).then_some(scanner.opened),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::records::{Next, Records};

    #[test]
    fn records_are_counted_as_they_are_read() {
        for text in [
            "",
            "\n\n",
            "a,b\n1,2\n",
            "a,b\r\n1,2\r\n\r\n3,4",
            "\u{feff}a\n\"x\ny\"\n",
            "a\n\"x \"\" y\",z\n,\n",
            "a\n\"x\"y\"z\n\"\"\n",
            "a\nb\"c\nd\n",
            "a\rb\rc",
        ] {
            let scan = scan(text.as_bytes(), "f", |_| ()).unwrap();
            let mut records = Records::new(text.as_bytes(), "f");
            let mut count = 0;
            while !matches!(records.next().unwrap(), Next::End) {
                count += 1;
            }
            assert_eq!(scan.records, count, "{text:?}");
            assert_eq!(scan.unclosed, None, "{text:?}");
        }
    }

    #[test]
    fn an_unclosed_quote_is_found_where_it_was_opened() {
        let text = "a,b\n1,\"x\"\n2,\"y\n3,z\n";
        assert_eq!(
            scan(text.as_bytes(), "f", |_| ()).unwrap().unclosed,
            Some(3)
        );
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let scan = scan("abc".as_bytes(), "f", |_| ()).unwrap();
        assert!(scan.hash.starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert_eq!(scan.hash.len(), 64);
    }
}

use std::io::{BufRead, BufReader, Read};

use csv_core::{ReadRecordResult, Reader};
use underpin::Result;

use super::source::unreadable;

/// How long a record may be; a longer one is a bad row, and is never held in memory.
pub const MOST_RECORD_BYTES: usize = 1024 * 1024;
/// How many fields a record may have.
const MOST_FIELDS: usize = 4096;

/// The records of a CSV file, one at a time and in bounded memory.
pub(super) struct Records<R> {
    input: BufReader<R>,
    name: String,
    core: Reader,
    /// The line ends that were passed over between records.
    skipped: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A record, which begins on this line.
    Record { line: u64 },
    /// A record that is too long or has too many fields; `field` is where it became so.
    TooLong { line: u64, field: usize },
    /// Nothing.
    End,
}

impl<R: Read> Records<R> {
    pub(super) fn new(file: R, name: &str) -> Self {
        Records {
            input: BufReader::with_capacity(128 * 1024, file),
            name: name.to_owned(),
            core: Reader::new(),
            skipped: 0,
            text: vec![0; 4096],
            ends: vec![0; 64],
            fields: 0,
        }
    }

    /// Reads the next record; its fields are there until the one after.
    pub(super) fn next(&mut self) -> Result<Next> {
        self.skip_line_ends()?;
        let line = self.skipped + self.core.line();
        let (mut text, mut ends) = (0, 0);
        let mut too_long = None;
        loop {
            let input = self
                .input
                .fill_buf()
                .map_err(|error| unreadable(&self.name, error))?;
            let (result, read, written, ended) =
                self.core
                    .read_record(input, &mut self.text[text..], &mut self.ends[ends..]);
            self.input.consume(read);
            text += written;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() < MOST_RECORD_BYTES => {
                    self.text.resize(self.text.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_FIELDS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                // The rest of it is read over.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    too_long.get_or_insert(ends);
                    (text, ends) = (0, 0);
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(Next::End),
            }
        }
        self.fields = ends;
        Ok(match too_long {
            Some(field) => Next::TooLong { line, field },
            None => Next::Record { line },
        })
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.fields
    }

    /// A field of the record, counted from 0.
    pub(super) fn field(&self, at: usize) -> &[u8] {
        let start = match at {
            0 => 0,
            at => self.ends[at - 1],
        };
        &self.text[start..self.ends[at]]
    }

    /// Blank lines are no records, and a record's line is the one that it begins on.
    fn skip_line_ends(&mut self) -> Result<()> {
        loop {
            let input = self
                .input
                .fill_buf()
                .map_err(|error| unreadable(&self.name, error))?;
            let count = input
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            self.skipped += input[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
            let more = count > 0 && count == input.len();
            self.input.consume(count);
            if !more {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(text.as_bytes(), "f");
        let mut all = Vec::new();
        while let Next::Record { line } = records.next().unwrap() {
            let fields = (0..records.len())
                .map(|at| String::from_utf8(records.field(at).to_vec()).unwrap())
                .collect();
            all.push((line, fields));
        }
        all
    }

    #[test]
    fn each_record_knows_its_line() {
        for text in [
            "a,b\n\n1,\"x\ny\"\n\n\n2,\n",
            "\u{feff}a,b\r\n\r\n1,\"x\ny\"\r\n\r\n\r\n2,",
        ] {
            let records = read(text);
            let lines: Vec<u64> = records.iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, [1, 3, 7], "{text:?}");
            assert_eq!(records[0].1, ["a", "b"]);
            assert_eq!(records[1].1, ["1", "x\ny"]);
            assert_eq!(records[2].1, ["2", ""]);
        }
    }

    #[test]
    fn a_long_record_is_passed_over() {
        let long = "x".repeat(10_000_000);
        let text = format!("a,b\n1,{long}\n2,y\n{}\n3,z\n", ",".repeat(5000));
        let mut records = Records::new(text.as_bytes(), "f");
        assert_eq!(records.next().unwrap(), Next::Record { line: 1 });
        assert_eq!(records.next().unwrap(), Next::TooLong { line: 2, field: 1 });
        assert_eq!(records.next().unwrap(), Next::Record { line: 3 });
        assert_eq!((records.field(0), records.field(1)), (&b"2"[..], &b"y"[..]));
        let next = records.next().unwrap();
        assert!(matches!(next, Next::TooLong { line: 4, .. }), "{next:?}");
        assert_eq!(records.next().unwrap(), Next::Record { line: 5 });
        assert_eq!(records.next().unwrap(), Next::End);
        assert!(records.text.len() <= MOST_RECORD_BYTES);
    }
}

use tokio_postgres::types::Type;

use crate::frames::Frames;

/// Without prepared statements, tokio-postgres must not look up a column's type: it would
/// prepare statements to do so, and wait for their answer behind rows that nobody reads.
/// So the numbers of types that it does not know are replaced by that of `unknown` in
/// the descriptions of rows, byte for byte, as they come in.
#[derive(Debug)]
pub(crate) struct UnknownTypes {
    frames: Frames,
    place: Place,
    number: [u8; 4],
}

/// Where in the description of a row the next byte belongs.
#[derive(Debug, Clone, Copy)]
enum Place {
    Count(u8),
    Name,
    BeforeType(u8),
    Type(u8),
    AfterType(u8),
}

const DESCRIPTION: u8 = b'T';
const TYPE_BYTES: u8 = 4;
/// The table's number and the column's within it.
const BEFORE_TYPE: u8 = 6;
/// The type's size and modifier, and the format.
const AFTER_TYPE: u8 = 8;

impl UnknownTypes {
    pub(crate) fn new() -> Self {
        UnknownTypes {
            frames: Frames::of_server(),
            place: Place::Count(0),
            number: [0; 4],
        }
    }

    /// Replaces the numbers in what was just read.
    pub(crate) fn hide(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let step = self.frames.step(bytes);
            if step.tag == DESCRIPTION {
                self.describe(&mut bytes[step.body.clone()]);
                if step.ends {
                    self.place = Place::Count(0);
                }
            }
            bytes = &mut bytes[step.body.end..];
        }
    }

    fn describe(&mut self, body: &mut [u8]) {
        for at in 0..body.len() {
            self.place = match self.place {
                Place::Count(0) => Place::Count(1),
                Place::Count(_) => Place::Name,
                Place::Name if body[at] == 0 => Place::BeforeType(1),
                Place::Name => Place::Name,
                Place::BeforeType(BEFORE_TYPE) => Place::Type(1),
                Place::BeforeType(n) => Place::BeforeType(n + 1),
                Place::Type(n) => {
                    self.number[usize::from(n - 1)] = body[at];
                    self.replace(body, at, n);
                    if n == TYPE_BYTES {
                        Place::AfterType(1)
                    } else {
                        Place::Type(n + 1)
                    }
                }
                Place::AfterType(AFTER_TYPE) => Place::Name,
                Place::AfterType(n) => Place::AfterType(n + 1),
            };
        }
    }

    /// Replaces the `n`th byte of a number. Numbers from 16384 on are those of types that
    /// were made in this database, which three bytes tell, so that each byte can be
    /// replaced as it comes, whatever the reads that it came in.
    fn replace(&self, body: &mut [u8], at: usize, n: u8) {
        let unknown = Type::UNKNOWN.oid().to_be_bytes();
        let made_here = match n {
            1 | 2 => true,
            _ => self.number[0] != 0 || self.number[1] != 0 || self.number[2] >= 0x40,
        };
        if made_here {
            body[at] = unknown[usize::from(n - 1)];
            return;
        }
        let known = || Type::from_oid(u32::from_be_bytes(self.number)).is_some();
        if let (TYPE_BYTES, Some(first)) = (n, at.checked_sub(3))
            && !known()
        {
            body[first..=at].copy_from_slice(&unknown);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn description(types: &[u32]) -> Vec<u8> {
        let mut body = (types.len() as u16).to_be_bytes().to_vec();
        for number in types {
            body.extend_from_slice(b"mood\0\0\0\x40\0\0\x01");
            body.extend_from_slice(&number.to_be_bytes());
            body.extend_from_slice(b"\0\x04\xff\xff\xff\xff\0\x01");
        }
        let mut bytes = vec![DESCRIPTION];
        bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    proptest! {
        #[test]
        fn only_types_made_in_the_database_are_hidden(
            types in prop::collection::vec(prop_oneof![Just(23), Just(1043), Just(3802), 16384u32..], 0..5),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut bytes = description(&types);
            bytes.extend_from_slice(b"D\0\0\0\x06\0\0");
            let hidden: Vec<u32> =
                types.iter().map(|&number| if number < 16384 { number } else { 705 }).collect();
            let mut expected = description(&hidden);
            expected.extend_from_slice(b"D\0\0\0\x06\0\0");

            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut hider = UnknownTypes::new();
            for pair in cuts.windows(2) {
                hider.hide(&mut bytes[pair[0]..pair[1]]);
            }
            prop_assert_eq!(bytes, expected);
        }
    }
}

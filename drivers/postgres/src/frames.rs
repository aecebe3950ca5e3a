use std::ops::Range;

/// Finds the messages of PostgreSQL's protocol in a stream of bytes that arrives in
/// pieces of any size. It keeps five bytes of state and copies nothing.
#[derive(Debug, Clone)]
pub(crate) struct Frames {
    header: [u8; 5],
    have: usize,
    /// The bytes of the current message's body that are still to come, once its header is whole.
    body: Option<u32>,
    untagged: bool,
    lost: bool,
}

/// What a piece of the stream began with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The message's tag; 0 for the startup packet, and while the header is not whole.
    pub(crate) tag: u8,
    /// Where in the piece the message's body, or the next part of it, lies.
    pub(crate) body: Range<usize>,
    /// Whether the message ends there.
    pub(crate) ends: bool,
}

/// No message is longer; a length beyond it is no length at all.
const LONGEST: u32 = 1 << 30;

impl Frames {
    /// The server's side of the conversation.
    pub(crate) fn of_server() -> Self {
        Frames {
            header: [0; 5],
            have: 0,
            body: None,
            untagged: false,
            lost: false,
        }
    }

    /// The client's side, whose first packet has no tag.
    pub(crate) fn of_client() -> Self {
        Frames {
            have: 1,
            untagged: true,
            ..Frames::of_server()
        }
    }

    /// Whether the bytes stopped making sense; nothing is found from there on.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether the next byte begins a message.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.have == 0 && self.body.is_none()
    }

    /// Takes the next step through `bytes`; `step.body.end` of them are used up.
    #[inline]
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Step {
        if self.lost {
            return Step {
                tag: 0,
                body: bytes.len()..bytes.len(),
                ends: false,
            };
        }
        let (left, start) = match self.body {
            Some(left) => (left, 0),
            None => {
                let taken = bytes.len().min(5 - self.have);
                self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
                self.have += taken;
                if self.have < 5 {
                    return Step {
                        tag: 0,
                        body: taken..taken,
                        ends: false,
                    };
                }
                let [_, length @ ..] = self.header;
                let length = u32::from_be_bytes(length);
                if !(4..=LONGEST).contains(&length) {
                    self.lost = true;
                    return Step {
                        tag: self.header[0],
                        body: taken..bytes.len(),
                        ends: false,
                    };
                }
                (length - 4, taken)
            }
        };
        let tag = if self.untagged { 0 } else { self.header[0] };
        let here = (left as usize).min(bytes.len() - start);
        let ends = here == left as usize;
        if ends {
            self.body = None;
            self.have = 0;
            self.untagged = false;
        } else {
            self.body = Some(left - here as u32);
        }
        Step {
            tag,
            body: start..start + here,
            ends,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    fn read(frames: &mut Frames, chunks: &[&[u8]]) -> Vec<(u8, Vec<u8>)> {
        let mut found = Vec::new();
        let mut body = Vec::new();
        for chunk in chunks {
            let mut rest = *chunk;
            while !rest.is_empty() {
                let step = frames.step(rest);
                body.extend_from_slice(&rest[step.body.clone()]);
                if step.ends {
                    found.push((step.tag, std::mem::take(&mut body)));
                }
                rest = &rest[step.body.end..];
            }
        }
        found
    }

    proptest! {
        #[test]
        fn any_chunking_finds_the_same_messages(
            messages in prop::collection::vec((1u8.., prop::collection::vec(any::<u8>(), 0..40)), 0..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
            startup in any::<bool>(),
        ) {
            let mut expected = messages.clone();
            let mut bytes: Vec<u8> = messages.iter().flat_map(|(tag, body)| message(*tag, body)).collect();
            let mut frames = Frames::of_server();
            if startup {
                frames = Frames::of_client();
                bytes.splice(0..0, message(0, b"user\0x\0\0").into_iter().skip(1));
                expected.insert(0, (0, b"user\0x\0\0".to_vec()));
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.push(0);
            cuts.push(bytes.len());
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&mut frames, &chunks), expected);
            prop_assert!(!frames.is_lost());
        }

        #[test]
        fn nonsense_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&mut Frames::of_server(), &[&bytes]);
            read(&mut Frames::of_client(), &[&bytes]);
        }
    }

    #[test]
    fn a_length_that_cannot_be_ends_the_search() {
        let mut frames = Frames::of_server();
        assert!(read(&mut frames, &[b"HTTP/1.1 400 Bad Request"]).is_empty());
        assert!(frames.is_lost());
    }
}

use crate::frames::Frames;
use crate::requests::is_answer;

/// Takes out an answer that tokio-postgres does not expect.
///
/// Its COPY sends a Sync with the statement and another with the end of the rows. A server
/// that takes the rows skips the first; one that refuses the COPY answers both. The
/// client counts on one answer, would take the second for that to its next request, and
/// so report that one as done before it was run.
#[derive(Debug, Default)]
pub(crate) struct Surplus {
    /// Requests written that are answered by ReadyForQuery, unless skipped.
    asked: u64,
    answered: u64,
    skipped: u64,
    /// The number of the request that ends the COPY under way.
    copy_end: Option<u64>,
    /// The server has said that it takes the rows.
    granted: bool,
    held: Vec<u8>,
}

const READY: u8 = b'Z';
const READY_LENGTH: usize = 6;

impl Surplus {
    pub(crate) fn wrote(&mut self, tag: u8) {
        match tag {
            b'S' | b'Q' => self.asked += 1,
            b'c' | b'f' => self.copy_end = Some(self.asked + 1),
            _ => {}
        }
    }

    pub(crate) fn received(&mut self, tag: u8) {
        match tag {
            b'G' => {
                self.granted = true;
                self.skipped += 1;
            }
            READY => {
                self.answered += 1;
                if self
                    .copy_end
                    .is_some_and(|end| self.answered + self.skipped >= end)
                {
                    self.copy_end = None;
                    self.granted = false;
                }
            }
            _ => {}
        }
    }

    /// Whether what comes in has to be looked at before the client gets it.
    #[inline]
    pub(crate) fn is_possible(&self) -> bool {
        self.copy_end.is_some() && !self.granted
    }

    /// Where the server stands when what is held has gone on, and how many requests are then
    /// not answered yet.
    pub(crate) fn ahead(&self, frames: &Frames) -> (Frames, u64) {
        let mut frames = frames.clone();
        let mut answered = self.answered + self.skipped;
        let mut held = &self.held[..];
        while !held.is_empty() {
            let step = frames.step(held);
            answered += u64::from(step.ends && is_answer(step.tag));
            held = &held[step.body.end..];
        }
        (frames, self.asked.saturating_sub(answered))
    }

    fn comes_next(&self) -> bool {
        self.is_possible() && self.copy_end == Some(self.answered + self.skipped + 1)
    }

    /// Takes in what was read. Until [`next`](Surplus::next) has given it out again, it is
    /// kept here.
    pub(crate) fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// How many of the bytes that are held can go on to the client: up to the end of the
    /// next message at most. `None` where more must come first.
    pub(crate) fn next(&mut self, frames: &Frames) -> Option<Held<'_>> {
        let surplus =
            *self.held.first()? == READY && frames.is_between_messages() && self.comes_next();
        let length = if !surplus {
            // A whole message at the most, so that the next one is looked at in turn.
            frames.clone().step(&self.held).body.end
        } else if self.held.len() < READY_LENGTH {
            return None;
        } else {
            READY_LENGTH
        };
        Some(Held {
            bytes: &mut self.held,
            length,
            surplus,
        })
    }

    pub(crate) fn holds(&self) -> bool {
        !self.held.is_empty()
    }
}

/// The first of the bytes that are held.
pub(crate) struct Held<'a> {
    bytes: &'a mut Vec<u8>,
    length: usize,
    /// Whether they are the answer that is not to go on.
    pub(crate) surplus: bool,
}

impl Held<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(crate) fn take(self, count: usize) {
        self.bytes.drain(..count);
    }
}

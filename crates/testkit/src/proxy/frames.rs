/// A stream of protocol bytes, taken apart into whole messages.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// A message that begins with its length, as the first one of a client does.
    pub(super) fn next_untyped(&mut self) -> Option<Vec<u8>> {
        self.take(self.length_at(0)?)
    }

    /// A message that begins with a letter and then its length, as all others do.
    pub(super) fn next_typed(&mut self) -> Option<Vec<u8>> {
        self.take(self.length_at(1)? + 1)
    }

    /// A byte by itself, as the answer to the question whether TLS is welcome.
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// All that is left, whatever it is.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    pub(super) fn first(&self) -> Option<u8> {
        self.buffer.first().copied()
    }

    /// How many bytes of the unfinished message at the front are here, and how many it will have.
    pub(super) fn partial(&self) -> Option<(usize, usize)> {
        Some((self.buffer.len(), self.length_at(1)? + 1))
    }

    fn length_at(&self, offset: usize) -> Option<usize> {
        let bytes = self.buffer.get(offset..offset + 4)?;
        let length = i32::from_be_bytes(bytes.try_into().ok()?);
        // No message is shorter than its own length field; do not loop on one that says so.
        Some(usize::try_from(length).unwrap_or(0).max(4))
    }

    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        (self.buffer.len() >= length).then(|| {
            let rest = self.buffer.split_off(length);
            std::mem::replace(&mut self.buffer, rest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_they_arrive() {
        let stream = b"Q\0\0\0\x0aBEGIN\0S\0\0\0\x04";
        for split in 0..stream.len() {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for part in [&stream[..split], &stream[split..]] {
                frames.push(part);
                while let Some(message) = frames.next_typed() {
                    seen.push(message);
                }
            }
            assert_eq!(seen, [&stream[..11], &stream[11..]], "split at {split}");
        }
    }

    #[test]
    fn a_length_below_its_own_size_does_not_stall() {
        let mut frames = Frames::default();
        frames.push(b"Q\0\0\0\0Q\xff\xff\xff\xff");
        assert!(frames.next_typed().is_some());
        assert!(frames.next_typed().is_some());
        assert!(frames.next_typed().is_none());
    }
}

use crate::fast::sync::{FIRST, OnceLock};

/// A list that grows while it is read: an entry never moves after it was created. The first entries
/// always exist. The others are created in chunks, each twice as long as the one before, when one
/// of them is first used.
#[derive(Debug)]
pub(crate) struct ChunkedTable<B> {
    first: [B; FIRST],
    chunks: [OnceLock<Box<[B]>>; CHUNKS],
}

/// Enough for all entries that a `u32` can number.
const CHUNKS: usize = 32;

impl<B: Default> ChunkedTable<B> {
    pub(crate) fn new() -> Self {
        ChunkedTable {
            first: std::array::from_fn(|_| B::default()),
            chunks: std::array::from_fn(|_| OnceLock::new()),
        }
    }

    /// The entry at this index.
    #[inline]
    pub(crate) fn at(&self, index: usize) -> &B {
        match self.first.get(index) {
            Some(entry) => entry,
            None => self.at_or_make(index),
        }
    }

    fn at_or_make(&self, index: usize) -> &B {
        let (chunk, offset) = locate(index);
        let make = || (0..FIRST << chunk).map(|_| B::default()).collect();
        &self.chunks[chunk].get_or_init(make)[offset]
    }

    /// The entry at this index, if it exists.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&B> {
        match self.first.get(index) {
            None => {
                let (chunk, offset) = locate(index);
                self.chunks[chunk].get()?.get(offset)
            }
            entry => entry,
        }
    }

    /// All entries that exist.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &B> {
        let made = self.chunks.iter().filter_map(OnceLock::get);
        self.first.iter().chain(made.flat_map(|chunk| chunk.iter()))
    }
}

/// The chunk of an index beyond the first entries, and the offset in it.
fn locate(index: usize) -> (usize, usize) {
    let chunk = (index / FIRST).ilog2() as usize;
    (chunk, index - (FIRST << chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_has_an_entry_of_its_own() {
        let mut next = vec![0; CHUNKS];
        for index in FIRST..10_000 {
            let (chunk, offset) = locate(index);
            assert_eq!(offset, next[chunk], "{index}");
            assert!(offset < FIRST << chunk);
            next[chunk] += 1;
        }
        assert!(locate(u32::MAX as usize).0 < CHUNKS);
    }
}

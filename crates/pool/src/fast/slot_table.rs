use crate::fast::sync::OnceLock;

/// A list that grows while it is read, by slot: what was made stays where it is. It is made in
/// chunks, each twice as long as the one before, when somebody first asks for a part of it.
#[derive(Debug)]
pub(crate) struct SlotTable<B> {
    chunks: [OnceLock<Box<[B]>>; CHUNKS],
}

/// Enough for all slots that a `u32` can number.
const CHUNKS: usize = 30;
/// The length of the first chunk, a power of two.
const FIRST: usize = 8;

impl<B: Default> SlotTable<B> {
    pub(crate) fn new() -> Self {
        SlotTable {
            chunks: std::array::from_fn(|_| OnceLock::new()),
        }
    }

    /// The one at this place.
    #[inline]
    pub(crate) fn at(&self, index: usize) -> &B {
        let (chunk, offset) = locate(index);
        let make = || (0..FIRST << chunk).map(|_| B::default()).collect();
        &self.chunks[chunk].get_or_init(make)[offset]
    }

    /// The one at this place, where it was made.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&B> {
        let (chunk, offset) = locate(index);
        self.chunks[chunk].get()?.get(offset)
    }

    /// All that were made.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &B> {
        self.chunks
            .iter()
            .filter_map(OnceLock::get)
            .flat_map(|chunk| chunk.iter())
    }
}

/// The chunk, and where in it.
#[inline]
fn locate(index: usize) -> (usize, usize) {
    let chunk = (index / FIRST + 1).ilog2() as usize;
    (chunk, index + FIRST - (FIRST << chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_has_a_place_of_its_own() {
        let mut next = vec![0; CHUNKS];
        for index in 0..10_000 {
            let (chunk, offset) = locate(index);
            assert_eq!(offset, next[chunk], "{index}");
            assert!(offset < FIRST << chunk);
            next[chunk] += 1;
        }
        assert!(locate(u32::MAX as usize).0 < CHUNKS);
    }
}

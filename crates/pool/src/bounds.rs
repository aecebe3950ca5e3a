/// How many connections a pool may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// So many are kept open, used or not.
    pub min: u32,
    /// So many are kept at most once they are idle.
    pub max: u32,
    /// So many more are opened while callers wait; they are closed when they come back
    /// and nobody waits any longer.
    pub max_overflow: u32,
}

impl Bounds {
    /// The most connections at any time.
    pub(crate) fn limit(self) -> usize {
        self.max.saturating_add(self.max_overflow) as usize
    }
}

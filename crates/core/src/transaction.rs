/// Which changes of other transactions a transaction sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isolation {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// The whole transaction sees one snapshot.
    RepeatableRead,
    /// As if transactions ran one after another; may end in a conflict.
    Serializable,
}

/// Options of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransactionOptions {
    /// `None` is the engine's own default (read committed on PostgreSQL). SQLite's transactions are
    /// always serializable.
    pub isolation: Option<Isolation>,
    /// Whether the transaction only reads; writes are then refused.
    pub read_only: bool,
    /// With serializable and read-only on PostgreSQL: wait for a snapshot that cannot
    /// end in a conflict. Ignored elsewhere.
    pub deferrable: bool,
}

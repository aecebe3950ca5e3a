use crate::plan::{Lock, LockMode, Step, Undo, Work};

/// The steps so far.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) list: Vec<Step>,
}

impl Steps {
    /// Adds a step that loses nothing.
    pub(super) fn push(
        &mut self,
        comment: impl Into<String>,
        sql: String,
        undo: Undo,
        lock: Lock,
    ) -> &mut Step {
        self.list.push(Step {
            comment: comment.into(),
            sql,
            undo,
            lock,
            loses: None,
            transactional: true,
            of_labels: false,
        });
        self.list.last_mut().expect("a step was added")
    }
}

/// The lock of what changes the catalog alone.
pub(super) fn catalog() -> Lock {
    Lock::of(LockMode::Write, "main", Work::Catalog)
}

/// The lock of what writes an entry for every row.
pub(super) fn entries() -> Lock {
    Lock::of(LockMode::Write, "main", Work::Rewrite)
}

/// The lock of what reads every row.
pub(super) fn scan() -> Lock {
    Lock::of(LockMode::Write, "main", Work::Scan)
}

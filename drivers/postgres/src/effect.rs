use underpin_core::Effect;

/// What had been written and answered at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Snapshot {
    /// Bytes written.
    pub(crate) written: u64,
    /// Messages wholly written after which the server may act.
    pub(crate) reached: u64,
    /// Statements that the server has said are complete.
    pub(crate) completes: u64,
}

/// How a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// The connection ended, or was given up, before the answer came.
    Lost,
    /// Nobody waits for the answer any more, and it may still come.
    Abandoned,
    /// The server refused it.
    Refused {
        /// The SQLSTATE.
        code: &'a str,
        /// Whether the server ended the session with it.
        fatal: bool,
    },
    /// It ran to its end, and a row could not be read.
    RowUnreadable,
}

/// What else the effect depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Context {
    /// The statement itself was handed over, not only its preparation.
    pub(crate) submitted: bool,
    /// It is part of a transaction that the loss of the connection undoes.
    pub(crate) in_transaction: bool,
    /// It ends a transaction, or is several statements of which one does.
    pub(crate) controls_transaction: bool,
    /// It is a single COMMIT, which the server refuses as a whole or not at all.
    pub(crate) is_commit: bool,
    /// It may commit by itself before it is complete.
    pub(crate) commits_itself: bool,
    /// The server says that it is complete before it commits, as in the extended protocol.
    pub(crate) completes_first: bool,
    /// It may name a prepared statement of its author's.
    pub(crate) names_statements: bool,
}

/// What came of a statement that failed.
pub(crate) fn decide(
    before: Snapshot,
    after: Snapshot,
    outcome: Outcome<'_>,
    context: Context,
) -> Effect {
    match outcome {
        Outcome::RowUnreadable => Effect::Applied,
        Outcome::Abandoned if context.submitted => Effect::Unknown,
        Outcome::Abandoned | Outcome::Lost => lost(before, after, context),
        Outcome::Refused { .. } if !context.submitted => Effect::RolledBack,
        Outcome::Refused {
            code: "40003" | "08007",
            ..
        } => Effect::Unknown,
        Outcome::Refused { fatal: true, .. } => ended_by_server(before, after, context),
        Outcome::Refused { .. } => refused(context),
    }
}

fn lost(before: Snapshot, after: Snapshot, context: Context) -> Effect {
    if after.written == before.written {
        Effect::NotSent
    } else if !context.submitted || after.reached == before.reached {
        Effect::RolledBack
    } else if context.controls_transaction || !context.in_transaction {
        Effect::Unknown
    } else {
        Effect::RolledBack
    }
}

fn ended_by_server(before: Snapshot, after: Snapshot, context: Context) -> Effect {
    let not_committed =
        context.completes_first && !context.commits_itself && after.completes == before.completes;
    let undone = context.in_transaction || not_committed;
    if undone && !context.controls_transaction {
        Effect::RolledBack
    } else {
        Effect::Unknown
    }
}

fn refused(context: Context) -> Effect {
    let in_part = (context.controls_transaction && !context.is_commit)
        || (context.commits_itself && !context.in_transaction);
    if in_part {
        Effect::Unknown
    } else {
        Effect::RolledBack
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Snapshot = Snapshot {
        written: 100,
        reached: 5,
        completes: 5,
    };
    const IN_PART: Snapshot = Snapshot {
        written: 120,
        reached: 5,
        completes: 5,
    };
    const WHOLLY: Snapshot = Snapshot {
        written: 150,
        reached: 6,
        completes: 5,
    };
    const COMPLETE: Snapshot = Snapshot {
        written: 150,
        reached: 6,
        completes: 6,
    };

    const ERROR: Outcome<'_> = Outcome::Refused {
        code: "23505",
        fatal: false,
    };
    const FATAL: Outcome<'_> = Outcome::Refused {
        code: "57P01",
        fatal: true,
    };

    fn autocommit() -> Context {
        Context {
            submitted: true,
            completes_first: true,
            ..Context::default()
        }
    }

    fn in_transaction() -> Context {
        Context {
            in_transaction: true,
            ..autocommit()
        }
    }

    fn commit() -> Context {
        Context {
            controls_transaction: true,
            is_commit: true,
            completes_first: false,
            ..in_transaction()
        }
    }

    fn call() -> Context {
        Context {
            commits_itself: true,
            ..autocommit()
        }
    }

    fn batch_with_commit() -> Context {
        Context {
            is_commit: false,
            ..commit()
        }
    }

    #[test]
    fn each_row_of_the_table() {
        use Effect::{Applied, NotSent, RolledBack, Unknown};
        let preparing = Context {
            submitted: false,
            ..autocommit()
        };
        let rows = [
            (BEFORE, Outcome::Lost, autocommit(), NotSent),
            (BEFORE, Outcome::Lost, commit(), NotSent),
            (IN_PART, Outcome::Lost, autocommit(), RolledBack),
            (IN_PART, Outcome::Lost, commit(), RolledBack),
            (WHOLLY, Outcome::Lost, preparing, RolledBack),
            (WHOLLY, Outcome::Lost, autocommit(), Unknown),
            (COMPLETE, Outcome::Lost, autocommit(), Unknown),
            (WHOLLY, Outcome::Lost, in_transaction(), RolledBack),
            (WHOLLY, Outcome::Lost, commit(), Unknown),
            (WHOLLY, Outcome::Lost, batch_with_commit(), Unknown),
            (BEFORE, Outcome::Abandoned, autocommit(), Unknown),
            (BEFORE, Outcome::Abandoned, preparing, NotSent),
            (WHOLLY, ERROR, autocommit(), RolledBack),
            (WHOLLY, ERROR, in_transaction(), RolledBack),
            (WHOLLY, ERROR, commit(), RolledBack),
            (WHOLLY, ERROR, call(), Unknown),
            (WHOLLY, ERROR, batch_with_commit(), Unknown),
            (WHOLLY, ERROR, preparing, RolledBack),
            (
                WHOLLY,
                Outcome::Refused {
                    code: "40003",
                    fatal: false,
                },
                autocommit(),
                Unknown,
            ),
            (
                WHOLLY,
                Outcome::Refused {
                    code: "08007",
                    fatal: false,
                },
                commit(),
                Unknown,
            ),
            (WHOLLY, FATAL, autocommit(), RolledBack),
            (COMPLETE, FATAL, autocommit(), Unknown),
            (WHOLLY, FATAL, call(), Unknown),
            (WHOLLY, FATAL, in_transaction(), RolledBack),
            (WHOLLY, FATAL, commit(), Unknown),
            (COMPLETE, Outcome::RowUnreadable, autocommit(), Applied),
            (COMPLETE, Outcome::RowUnreadable, in_transaction(), Applied),
        ];
        for (number, (after, outcome, context, expected)) in rows.into_iter().enumerate() {
            let effect = decide(BEFORE, after, outcome, context);
            assert_eq!(
                effect, expected,
                "row {number}: {after:?} {outcome:?} {context:?}"
            );
        }
    }
}

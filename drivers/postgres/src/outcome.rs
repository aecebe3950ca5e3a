use underpin_core::Effect;

use crate::wire::request::Progress;

/// How a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome<'a> {
    /// The connection ended, or was abandoned, before the answer arrived.
    Lost(Progress),
    /// The caller no longer waits for the answer, which may still arrive.
    Abandoned(Progress),
    /// The server refused it.
    Refused {
        /// The SQLSTATE.
        code: &'a str,
        /// Whether the server also ended the session.
        fatal: bool,
        /// Whether the server had already reported that a statement was complete.
        completed: bool,
    },
    /// It completed, and a row could not be read.
    RowUnreadable,
}

/// Further facts that the effect depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Context {
    /// The statement itself was sent, not only its preparation.
    pub(crate) submitted: bool,
    /// It is part of a transaction that a lost connection undoes.
    pub(crate) in_transaction: bool,
    /// It ends a transaction, or consists of several statements of which one does.
    pub(crate) controls_transaction: bool,
    /// It is a single COMMIT, which the server refuses as a whole or not at all.
    pub(crate) is_commit: bool,
    /// It may commit by itself before it is complete.
    pub(crate) commits_itself: bool,
    /// The server reports that it is complete before it commits, as in the extended protocol.
    pub(crate) completes_first: bool,
    /// It may name a prepared statement of its author.
    pub(crate) names_statements: bool,
}

/// The effect of a failed statement.
pub(crate) fn decide(outcome: Outcome<'_>, context: Context) -> Effect {
    match outcome {
        Outcome::RowUnreadable => Effect::Applied,
        Outcome::Abandoned(_) if context.submitted => Effect::Unknown,
        Outcome::Abandoned(progress) | Outcome::Lost(progress) => lost(progress, context),
        Outcome::Refused { .. } if !context.submitted => Effect::RolledBack,
        Outcome::Refused {
            code: "40003" | "08007",
            ..
        } => Effect::Unknown,
        Outcome::Refused {
            fatal: true,
            completed,
            ..
        } => ended_by_server(completed, context),
        Outcome::Refused { .. } => refused(context),
    }
}

fn lost(progress: Progress, context: Context) -> Effect {
    match progress {
        Progress::Unwritten => Effect::NotSent,
        Progress::Partly => Effect::RolledBack,
        Progress::Written if !context.submitted => Effect::RolledBack,
        Progress::Written if context.controls_transaction || !context.in_transaction => {
            Effect::Unknown
        }
        Progress::Written => Effect::RolledBack,
    }
}

fn ended_by_server(completed: bool, context: Context) -> Effect {
    let not_committed = context.completes_first && !context.commits_itself && !completed;
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

    const UNWRITTEN: Outcome<'_> = Outcome::Lost(Progress::Unwritten);
    const PARTLY: Outcome<'_> = Outcome::Lost(Progress::Partly);
    const WRITTEN: Outcome<'_> = Outcome::Lost(Progress::Written);
    const ABANDONED: Outcome<'_> = Outcome::Abandoned(Progress::Unwritten);
    const UNREADABLE: Outcome<'_> = Outcome::RowUnreadable;

    const fn error(code: &str) -> Outcome<'_> {
        Outcome::Refused {
            code,
            fatal: false,
            completed: false,
        }
    }

    const fn fatal(completed: bool) -> Outcome<'static> {
        Outcome::Refused {
            code: "57P01",
            fatal: true,
            completed,
        }
    }

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
            (UNWRITTEN, autocommit(), NotSent),
            (UNWRITTEN, commit(), NotSent),
            (PARTLY, autocommit(), RolledBack),
            (PARTLY, commit(), RolledBack),
            (WRITTEN, preparing, RolledBack),
            (WRITTEN, autocommit(), Unknown),
            (WRITTEN, in_transaction(), RolledBack),
            (WRITTEN, commit(), Unknown),
            (WRITTEN, batch_with_commit(), Unknown),
            (ABANDONED, autocommit(), Unknown),
            (ABANDONED, preparing, NotSent),
            (error("23505"), autocommit(), RolledBack),
            (error("23505"), in_transaction(), RolledBack),
            (error("23505"), commit(), RolledBack),
            (error("23505"), call(), Unknown),
            (error("23505"), batch_with_commit(), Unknown),
            (error("23505"), preparing, RolledBack),
            (error("40003"), autocommit(), Unknown),
            (error("08007"), commit(), Unknown),
            (fatal(false), autocommit(), RolledBack),
            (fatal(true), autocommit(), Unknown),
            (fatal(false), call(), Unknown),
            (fatal(false), in_transaction(), RolledBack),
            (fatal(false), commit(), Unknown),
            (UNREADABLE, autocommit(), Applied),
            (UNREADABLE, in_transaction(), Applied),
        ];
        for (number, (outcome, context, expected)) in rows.into_iter().enumerate() {
            let effect = decide(outcome, context);
            assert_eq!(effect, expected, "row {number}: {outcome:?} {context:?}");
        }
    }
}

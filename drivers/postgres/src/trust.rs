//! Tracks whether the session is as it was opened, as far as the client can tell, and restores it.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::leaves::Leaves;
use crate::reset::SETTLE;
use crate::session::Session;
use crate::sql::Nature;
use crate::verdicts::{self, Verdict};
use crate::wire::body::Values;

/// The known state of a session beyond the changes that statements have announced.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// A statement ran that may have changed it unseen.
    doubted: AtomicBool,
    /// The doubt is not only about the names in a statement.
    suspected: AtomicBool,
    /// A statement ran that may have changed the schema.
    defined: AtomicBool,
    /// The manual setup of the session must remain, since only a hook could repeat it.
    kept: AtomicBool,
    /// Whether the server's process is the announced one, if that was checked.
    process: AtomicU8,
    /// Texts to query the server about.
    unknown: Mutex<Vec<Arc<Verdict>>>,
}

/// Maximum number of texts in one query.
const MOST: usize = 64;

/// Value of `process` after the check.
const DIRECT: u8 = 1;
const POOLER: u8 = 2;
/// Value of `process` after the query was sent.
const ASKED: u8 = 3;

impl Trust {
    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Acquire)
    }

    /// The same, for doubts beyond names that were not looked up yet.
    pub(crate) fn is_suspected(&self) -> bool {
        self.suspected.load(Ordering::Acquire)
    }

    /// Records that a statement ran that may have changed the session unseen.
    pub(crate) fn doubt(&self, leaves: Leaves) {
        if leaves == Leaves::Unknown {
            self.suspected.store(true, Ordering::Release);
        }
        self.doubted.store(true, Ordering::Release);
    }

    /// Accepts the session as it is.
    pub(crate) fn accept(&self, changed: bool) {
        self.suspected.store(false, Ordering::Release);
        if self.doubted.swap(false, Ordering::AcqRel) || changed {
            self.kept.store(true, Ordering::Release);
        }
    }

    /// Records whether the answering process is the one that the server announced: a pooler
    /// announces one that it made up.
    pub(crate) fn note_process(&self, is_announced: bool) {
        let process = if is_announced { DIRECT } else { POOLER };
        self.process.store(process, Ordering::Release);
    }

    fn unknown(&self) -> Vec<Arc<Verdict>> {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *unknown)
    }

    fn ask_later(&self, verdict: &Arc<Verdict>) {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let known = unknown.iter().any(|other| Arc::ptr_eq(other, verdict));
        if !known && unknown.len() < MOST {
            unknown.push(Arc::clone(verdict));
        }
    }
}

impl Session {
    /// Whether a statement that runs next may change the session unseen.
    pub(crate) fn is_doubtful(
        &self,
        nature: Nature,
        verdict: Option<&Arc<Verdict>>,
        at: Instant,
    ) -> bool {
        if nature.defines {
            self.trust.defined.store(true, Ordering::Release);
            self.settings.verdicts.clear();
        }
        match (nature.leaves, verdict) {
            (Leaves::Untouched, _) => false,
            (Leaves::ByName, Some(verdict)) if self.settings.verdicts.holds(verdict, at) => false,
            (Leaves::ByName, Some(verdict)) => {
                self.trust.ask_later(verdict);
                true
            }
            (Leaves::ByName | Leaves::Unknown, _) => true,
        }
    }

    /// Checks once, ahead of a statement and without a wait, whether a pooler is in between.
    pub(crate) fn ask_process(self: &Arc<Self>) {
        let process = &self.trust.process;
        let first = process.compare_exchange(0, ASKED, Ordering::AcqRel, Ordering::Acquire);
        if first.is_err() {
            return;
        }
        let Ok(mut answer) = self.simple("SELECT pg_catalog.pg_backend_pid()") else {
            return;
        };
        let session = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Ok(true) = answer.more().await {
                while let Some(frame) = answer.next() {
                    let value = match frame.tag {
                        b'D' => Values::new(frame.body).and_then(|values| values.get(0)),
                        _ => None,
                    };
                    let text = value.flatten().and_then(|bytes| str::from_utf8(bytes).ok());
                    let process = text.and_then(|text| text.parse::<i32>().ok());
                    if let (Some(process), Some(session)) = (process, session.upgrade()) {
                        let announced = process == session.wire.process;
                        session.trust.note_process(announced);
                    }
                }
            }
        });
    }

    /// Records that a call has ended: the objects that it defined exist now, or existed all the
    /// time.
    pub(crate) fn call_ended(&self) {
        if self.trust.defined.load(Ordering::Acquire) {
            self.settings.verdicts.clear();
        }
    }

    /// Whether the client may clean the session behind a statement.
    pub(crate) fn can_settle(&self) -> bool {
        let owns = self.settings.options.owns_session();
        !self.trust.kept.load(Ordering::Acquire)
            && (owns || self.trust.process.load(Ordering::Acquire) == DIRECT)
    }

    /// Sends the statements that restore the session as it was opened, if it may have changed, or
    /// `always`, and does not wait. Returns whether the next caller finds it restored.
    pub(crate) fn settle(self: &Arc<Self>, always: bool) -> bool {
        if !always && !self.trust.is_doubted() {
            return true;
        }
        let pooler = self.trust.process.load(Ordering::Acquire) == POOLER;
        if pooler && !self.settings.options.owns_session() && !always {
            // Each statement has another session, which the pooler cleans.
            self.settled();
            return true;
        }
        if !self.can_settle() {
            return false;
        }
        let sent = {
            let mut machine = self.wire.machine();
            !self.wire.is_broken() && !machine.deallocated && machine.settle(SETTLE).is_ok()
        };
        if sent {
            self.wire.wake();
            self.settled();
        }
        sent
    }

    /// Records that the cleaning of the session is on its way, or done.
    pub(crate) fn settled(self: &Arc<Self>) {
        self.call_ended();
        self.trust.defined.store(false, Ordering::Release);
        self.trust.doubted.store(false, Ordering::Release);
        self.trust.suspected.store(false, Ordering::Release);
        self.limit.settle();
        verdicts::ask(self, self.trust.unknown());
    }
}

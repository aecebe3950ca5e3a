//! Connections that came back while nobody waited, ready for the next caller without the
//! pool's lock.
//!
//! A connection that is given back stands by in the berth of its slot, and who asks next takes
//! it from there; to the state machine it has been leased all the time. No lock is taken, and
//! callers on several threads use berths of their own as long as there are enough of them.
//!
//! That nobody waits while a connection stands by is kept thus: who is about to wait closes the
//! pass and then empties each berth; who gives back fills its berth and then looks at the pass
//! again. Both change the berth by a swap, so that one of them comes second there and sees what
//! the other did before: the connection, or the closed pass. `tests/loom` tries all orders.

use crate::berths::Berths;
use crate::member::Member;
use crate::moment::Moment;
use crate::pass::Pass;
use crate::record::{Leases, Record};
use crate::state::SlotId;
use crate::sync::{AtomicBool, AtomicCell, AtomicU64, Ordering, last_filled, note_filled};

pub(crate) struct Standby<T> {
    pass: AtomicU64,
    berths: Berths<Berth<T>>,
    /// From how many nanoseconds on a connection is not taken from here, but tested first.
    check_after: u64,
}

/// The place of one slot. Two cache lines, since processors fetch them in pairs.
#[repr(align(128))]
struct Berth<T> {
    member: AtomicCell<Option<Box<Member<T>>>>,
    /// A hint for who looks for a connection.
    occupied: AtomicBool,
    record: Record,
}

/// What was found for a caller.
#[derive(Debug)]
pub(crate) enum Found<T> {
    Nothing,
    Fit(Box<Member<T>>),
    /// It is stale, has expired, or is to be tested first.
    Unfit(Box<Member<T>>),
}

/// So many berths are looked at for one caller: those that differ in their lowest bits from
/// the one that its thread has filled last.
const PROBES: usize = 8;

impl<T> Standby<T> {
    /// With the pass of a state machine that has just begun.
    pub(crate) fn new(pass: Pass, check_after: Option<u64>) -> Self {
        Standby {
            pass: AtomicU64::new(pass.bits()),
            berths: Berths::new(),
            check_after: check_after.unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn pass(&self) -> Pass {
        Pass::of_bits(self.pass.load(Ordering::Acquire))
    }

    /// Only with the pool's lock. What is there under another pass is then to be brought back.
    pub(crate) fn set_pass(&self, pass: Pass) {
        self.pass.store(pass.bits(), Ordering::Release);
    }

    /// Looks for a connection, first where this thread has left one.
    #[inline]
    pub(crate) fn find(&self, now: Moment) -> Found<T> {
        let pass = self.pass();
        if !pass.is_open() {
            return Found::Nothing;
        }
        let last = last_filled();
        for probe in 0..PROBES {
            let Some(berth) = self.berths.get(last ^ probe) else {
                continue;
            };
            if !berth.occupied.load(Ordering::Relaxed) {
                continue;
            }
            berth.occupied.store(false, Ordering::Relaxed);
            let Some(member) = berth.member.take() else {
                continue;
            };
            let terms = &member.terms;
            let fit = terms.pass == pass
                && terms.expires_at > now
                && now.nanos_since(terms.since) < self.check_after;
            return match fit {
                true => Found::Fit(member),
                false => Found::Unfit(member),
            };
        }
        Found::Nothing
    }

    /// Takes a connection whose session is clean from its holder; gives it back where the state
    /// machine is to decide what becomes of it.
    #[inline]
    pub(crate) fn park(&self, mut member: Box<Member<T>>, now: Moment) -> Option<Box<Member<T>>> {
        let pass = member.terms.pass;
        if pass != self.pass() {
            return Some(member);
        }
        let at = member.slot.index();
        let berth = self.berths.at(at);
        member.terms.since = now;
        berth.member.store(Some(member));
        berth.occupied.store(true, Ordering::Relaxed);
        note_filled(at);
        if pass == self.pass() {
            return None;
        }
        berth.member.take()
    }

    /// Takes out what stands by in the berth of this slot. A berth that is not seen yet is made
    /// here, since only one that both sides use puts them in order.
    pub(crate) fn take(&self, slot: SlotId) -> Option<Box<Member<T>>> {
        self.berths.at(slot.index()).member.take()
    }

    /// Where the leases of this slot are written down.
    #[inline]
    pub(crate) fn record(&self, slot: SlotId) -> &Record {
        &self.berths.at(slot.index()).record
    }

    /// What is written down of all leases.
    pub(crate) fn leases(&self) -> Leases {
        Leases::of(self.berths.iter().map(|berth| &berth.record))
    }

    /// Takes out all there is, when the pool is gone.
    pub(crate) fn drain(&self) -> impl Iterator<Item = Box<Member<T>>> {
        self.berths.iter().filter_map(|berth| berth.member.take())
    }
}

impl<T> Default for Berth<T> {
    fn default() -> Self {
        Berth {
            member: AtomicCell::new(None),
            occupied: AtomicBool::new(false),
            record: Record::default(),
        }
    }
}

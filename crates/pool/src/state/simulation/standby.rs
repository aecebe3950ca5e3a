//! What the shell does so that connections go from caller to caller without the state machine,
//! as `locked.rs`, `standby.rs` and `acquire.rs` do it.

use super::*;
use crate::pass::Pass;

/// A connection that was given back while nobody waited.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandsBy {
    pub(super) slot: SlotId,
    pub(super) since: Moment,
    pub(super) pass: Pass,
}

/// What was written down of the latest lease of a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) terms: Terms,
    pub(super) place: &'static Location<'static>,
}

impl World {
    pub(super) fn record(&self, slot: SlotId) -> &Record {
        let record = self.records.get(slot.index());
        record
            .and_then(Option::as_ref)
            .expect("it was leased before")
    }

    fn record_mut(&mut self, slot: SlotId) -> &mut Option<Record> {
        if self.records.len() <= slot.index() {
            self.records.resize(slot.index() + 1, None);
        }
        &mut self.records[slot.index()]
    }

    /// Who holds connections, the longest first.
    fn holders(&self, now: Moment) -> Vec<(Duration, u32)> {
        let holder = |slot: &SlotId| {
            let Record { terms, place } = self.record(*slot);
            (now.since(terms.since), place.line())
        };
        let mut holders: Vec<_> = self.leased.iter().map(holder).collect();
        holders.sort_unstable();
        holders
    }
}

impl Run {
    /// A lease that the state machine gives begins.
    pub(super) fn begin(&mut self, slot: SlotId, place: &'static Location<'static>) {
        let terms = self.state.terms(slot, self.now);
        *self.world.record_mut(slot) = Some(Record { terms, place });
    }

    /// Gives whether the next caller may have the connection.
    pub(super) fn park(&mut self, slot: SlotId) -> bool {
        let pass = self.world.record(slot).terms.pass;
        let parks = pass == self.world.pass;
        if parks {
            let since = self.now;
            self.world.standby.push(StandsBy { slot, since, pass });
        }
        parks
    }

    /// A caller looks for a connection on standby. Gives whether it has one.
    pub(super) fn find(&mut self, place: &'static Location<'static>) -> bool {
        let pass = self.world.pass;
        // Not all berths are looked at.
        if !pass.is_open() || self.world.standby.is_empty() || self.random.u8(..8) == 0 {
            return false;
        }
        let nth = self.random.usize(..self.world.standby.len());
        let StandsBy { slot, since, .. } = self.world.standby.swap_remove(nth);
        let terms = self.world.record(slot).terms;
        let limit = self.state.check_after().unwrap_or(u64::MAX);
        let fit = terms.pass == pass
            && terms.expires_at > self.now
            && self.now.nanos_since(since) < limit;
        if !fit {
            self.came_back(slot, since);
        } else if self.goes_wrong() && self.random.u8(..4) == 0 {
            self.state.broken(slot, self.now);
            self.world.closing.push(slot);
        } else {
            self.renewed += 1;
            self.lease(slot);
            let since = self.now;
            let terms = Terms { since, ..terms };
            *self.world.record_mut(slot) = Some(Record { terms, place });
            return true;
        }
        self.obey();
        false
    }

    fn came_back(&mut self, slot: SlotId, since: Moment) {
        let placement = self.state.came_back(slot, since, self.now);
        self.put(slot, placement);
    }

    /// Gives whether there was anything on standby.
    fn collect(&mut self) -> bool {
        let all = std::mem::take(&mut self.world.standby);
        for StandsBy { slot, since, .. } in &all {
            self.came_back(*slot, *since);
        }
        !all.is_empty()
    }

    /// Before anybody waits.
    pub(super) fn recall(&mut self) -> bool {
        if !self.world.pass.is_open() {
            return false;
        }
        self.world.pass = self.world.pass.closed();
        self.collect()
    }

    /// Before it is asked who holds what.
    pub(super) fn take_stock(&mut self) {
        self.collect();
        for slot in self.world.leased.clone() {
            let Record { terms, place } = *self.world.record(slot);
            let known = self.state.leased_since(slot);
            if known.is_some_and(|known| terms.since >= known) {
                self.state.renewed(slot, place, terms.since);
            }
        }
    }

    /// After each event.
    pub(super) fn publish_pass(&mut self) {
        let (old, new) = (self.world.pass, self.state.pass());
        if old != new {
            self.world.pass = new;
            if old.is_open() {
                self.collect();
            }
        }
    }

    /// Somebody asks for the numbers and who holds what.
    pub(super) fn look(&mut self) {
        self.take_stock();
        self.verify_holders();
        let snapshot = self.state.snapshot();
        let (census, free) = (&self.state.census, self.state.lanes.free());
        assert_eq!(snapshot.idle, census.idle + free, "what stands by is idle");
        let in_use = census.checking + census.resetting + census.lanes - free;
        assert_eq!(
            snapshot.in_use,
            in_use + self.world.leased.len(),
            "who holds one uses it"
        );
    }

    /// Those who hold connections now, not those who did when the state machine last knew.
    pub(super) fn verify_holders(&self) {
        let holders = self.state.holders(self.now);
        assert!(holders.is_sorted_by(|one, next| one.held >= next.held));
        let known = holders.iter().map(|one| (one.held, one.place.line()));
        let mut known: Vec<_> = known.collect();
        known.sort_unstable();
        assert_eq!(known, self.world.holders(self.now), "the latest holders");
    }

    pub(super) fn verify_standby(&self) {
        let (state, world) = (&self.state, &self.world);
        if world.pass.is_open() {
            assert_eq!(
                world.pass,
                state.pass(),
                "the pass is open and should not be"
            );
        }
        for one in &world.standby {
            assert!(world.waiting.is_empty(), "{one:?}, while somebody waits");
            assert!(world.pass.is_open(), "{one:?}, and nobody may take it");
            assert_eq!(one.pass, world.pass, "{one:?}, given back before a recall");
            assert!(state.is_current(one.slot), "{one:?}, and is stale");
            assert!(!world.leased.contains(&one.slot), "{one:?}, and is held");
        }
    }
}

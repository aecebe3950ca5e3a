//! The invariants that are checked after each step.

use super::*;

impl Run {
    pub(super) fn verify(&mut self) {
        let (state, world, counts) = (&self.state, &self.world, &self.state.counts);
        let mut counted = PhaseCounts::default();
        for slot in &state.slots {
            counted.enter(slot.phase);
        }
        assert_eq!(counted, *counts, "the counts are of the slots");
        assert_eq!(
            counts.connecting,
            world.connecting.len(),
            "attempts under way"
        );
        let (held, ready) = (world.leased.len(), world.cache.len());
        assert_eq!(counts.leased, held + ready, "leases");
        assert_eq!(counts.checking, world.checking.len(), "checks");
        assert_eq!(counts.resetting, world.resetting.len(), "resets");
        assert_eq!(
            counts.closing + counts.closing_uncounted,
            world.closing.len(),
            "closings"
        );
        let mut lanes: Vec<u32> = world.seats.iter().map(|seat| seat.0.0).collect();
        lanes.sort_unstable();
        lanes.dedup();
        let free = state.lanes.free();
        assert_eq!(
            counts.lanes,
            lanes.len() + free + world.returning.len(),
            "lanes"
        );
        assert_eq!(counts.idle, state.idle.len(), "idle connections");
        assert_eq!(state.queue.len(), world.waiting.len(), "waiters");
        let totals = state.totals();
        assert_eq!(
            totals.create.count(),
            totals.opened,
            "the histogram counts what the total does"
        );
        assert!(
            counts.connecting <= state.policy.max_connecting,
            "too many connects at once"
        );
        let limit = self.bounds.limit().max(self.size_before);
        assert!(
            counts.size() <= limit,
            "{} connections, at most {limit}",
            counts.size()
        );
        self.size_before = counts.size();
        let sorted = state.idle.is_sorted_by_key(|slot| state.idle_since(*slot));
        assert!(sorted, "the idle are in the order of their return");
        for slot in &state.idle {
            assert!(state.is_current(*slot), "a stale connection is idle");
        }
        self.verify_cache();
        self.verify_progress();
    }

    /// No wake-up is lost: every waiter has something to wait for.
    fn verify_progress(&self) {
        let (state, counts) = (&self.state, &self.state.counts);
        let sharing = self
            .world
            .waiting
            .values()
            .filter(|(_, shares, _)| *shares)
            .count();
        assert_eq!(
            state.queue.exclusive(),
            state.queue.len() - sharing,
            "who would share"
        );
        if state.demand() > 0 {
            assert!(
                state.idle.is_empty(),
                "somebody waits while a connection is idle"
            );
            let full = counts.size() >= self.bounds.limit();
            assert!(
                full || state.needs_connection() || counts.connecting > 0,
                "nothing to wait for"
            );
        }
        if state.needs_connection() && counts.connecting == 0 {
            assert!(
                state.backoff.is_failing(),
                "a connection is missing and none is planned"
            );
            let next_attempt = state.next_attempt();
            // The run continues without upkeep for a while; `upkeep` then does what is overdue.
            assert!(
                next_attempt <= self.now || state.due(self.now) <= next_attempt,
                "it is overslept"
            );
        }
    }
}

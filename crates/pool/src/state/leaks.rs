use super::{Action, Holder, Phase, SlotId, State};
use crate::timestamp::Timestamp;

/// The leases that were reported as held for too long, each with the time at which it began, since
/// a later lease of the same slot is a different one.
#[derive(Debug, Default)]
pub(super) struct Leaks(Vec<(SlotId, Timestamp)>);

impl State {
    /// Reports the leases that have been held past the threshold, each once.
    pub(super) fn report_leaks(&mut self, now: Timestamp) {
        let Some(threshold) = self.policy.leak_threshold else {
            return;
        };
        let mut reported = std::mem::take(&mut self.leaks.0);
        reported.retain(|(slot, since)| self.leased_since(*slot) == Some(*since));
        for (slot, since) in self.leases() {
            if now.since(since) >= threshold && !reported.contains(&(slot, since)) {
                reported.push((slot, since));
                if let Phase::Leased { caller, .. } = self.slot(slot).phase {
                    let held = now.since(since);
                    self.actions
                        .push_back(Action::ReportLeak(Holder { caller, held }));
                    self.totals.leaks += 1;
                }
            }
        }
        self.leaks.0 = reported;
    }

    /// The time at which the next lease is reported, if none is returned before.
    pub(super) fn leak_due(&self) -> Option<Timestamp> {
        let threshold = self.policy.leak_threshold?;
        self.leases()
            .iter()
            .filter(|lease| !self.leaks.0.contains(lease))
            .map(|(_, since)| since.after(threshold))
            .min()
    }

    fn leases(&self) -> Vec<(SlotId, Timestamp)> {
        self.slots()
            .filter_map(|slot| Some((slot, self.leased_since(slot)?)))
            .collect()
    }
}

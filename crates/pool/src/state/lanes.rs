use std::time::Duration;

use super::{Action, Phase, SlotId, State};
use crate::timestamp::Timestamp;

/// Statements that take no longer than this by themselves are mostly the cost of their messages.
/// Another lane would split the same work into smaller writes, and make another server process wait
/// for its turn on a processor.
pub(super) const LIGHT: Duration = Duration::from_micros(25);
/// For other statements, this much work on a lane justifies another connection.
pub(super) const AHEAD: Duration = Duration::from_millis(1);
/// Maximum number of statements in progress on one lane.
const SEATS: usize = 1024;
/// No statement joins a lane that has not answered for this long.
pub(super) const OLD: Duration = Duration::from_millis(20);
/// Statements behind one that has not been answered for this long leave the lane.
pub(super) const STUCK: Duration = Duration::from_millis(100);
/// Time for which an empty lane is kept. The first lane is kept for it even while callers wait for
/// a connection of their own, so that a statement can pass the callers that hold leases and wait
/// for them.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// Time for which a further lane is kept while callers wait.
pub(super) const LINGER_BESIDE_OTHERS: Duration = Duration::from_millis(100);

/// The connections that many callers' statements share.
///
/// The engine answers in order, so the time of the latest answer, or of the first statement after a
/// pause, shows how long the statement at the head has been running.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    open: Vec<Lane>,
    pace: Pace,
    /// Whether all lanes are busy and no connection is idle.
    pub(super) wants_another: bool,
}

/// Time that a statement has recently taken by itself, averaged over about a hundred statements.
#[derive(Debug, Default)]
struct Pace(Duration);

impl Pace {
    const OVER: u32 = 128;

    fn note(&mut self, took: Duration) {
        self.0 = self.0 + took / Self::OVER - self.0 / Self::OVER;
    }
}

#[derive(Debug, Clone, Copy)]
struct Lane {
    slot: SlotId,
    /// Statements in progress whose callers wait for them.
    seats: usize,
    /// Statements in progress whose callers have gone away.
    abandoned: usize,
    /// The time of its latest answer, or of its first statement after a pause.
    progress: Timestamp,
    /// Whether it takes no more statements, and ends when the last seat is left.
    retired: bool,
    rescued: bool,
}

/// The way in which a seat was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The statement was answered.
    Answered,
    /// The statement may still be in progress.
    Abandoned,
    /// The connection is lost.
    Lost,
}

/// The facts known when a seat was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Departure {
    /// Time that the statement took by itself, without its wait for those before it.
    pub(crate) took: Duration,
    /// Whether the lane has ended, so that its connection must be returned.
    pub(crate) ended: bool,
}

impl Lanes {
    /// Whether there are any lanes.
    pub(super) fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// Number of lanes without a statement.
    pub(crate) fn free(&self) -> usize {
        self.open.iter().filter(|lane| lane.seats == 0).count()
    }

    /// Number of statements in progress in lanes.
    pub(crate) fn seated(&self) -> usize {
        self.open.iter().map(|lane| lane.seats).sum()
    }

    fn at(&self, slot: SlotId) -> Option<usize> {
        self.open.iter().position(|lane| lane.slot == slot)
    }
}

impl Lane {
    /// Whether a caller waits behind a statement that has not been answered.
    fn has_waiting(&self) -> bool {
        self.seats + self.abandoned >= 2 && self.seats > 0 && !self.rescued
    }

    fn stuck_at(&self) -> Timestamp {
        self.progress.after(STUCK)
    }
}

impl State {
    /// Takes a seat in a lane for one statement. `None`: acquire a connection, and offer it as a
    /// lane. If statements are heavy, idle connections share the work with the lanes.
    pub(crate) fn join(&mut self, now: Timestamp) -> Option<SlotId> {
        if self.closing || self.paused {
            return None;
        }
        let at = self.best_lane(now)?;
        if self.is_busy(&self.lanes.open[at]) {
            if !self.idle.is_empty() {
                return None;
            }
            self.want_another(now);
        }
        let lane = &mut self.lanes.open[at];
        if lane.seats == 0 {
            lane.progress = now;
        }
        lane.seats += 1;
        let slot = lane.slot;
        if lane.has_waiting() {
            let due = lane.stuck_at();
            self.call_by(due);
        }
        Some(slot)
    }

    /// Whether an idle connection would be leased for a statement beside the lanes.
    pub(crate) fn would_share_work(&self, now: Timestamp) -> bool {
        let best = self.best_lane(now);
        best.is_some_and(|at| self.is_busy(&self.lanes.open[at]))
    }

    /// Turns a lease whose caller has a statement for a lane into a lane, if another one is wanted,
    /// with that caller in its first seat and the callers that wait for a seat beside it.
    pub(crate) fn offer_lane(&mut self, slot: SlotId, now: Timestamp) -> bool {
        let open = self.lanes.open.len();
        let best = self.best_lane(now).map(|at| &self.lanes.open[at]);
        let wanted = open < self.most_lanes() && best.is_none_or(|lane| self.is_busy(lane));
        if !wanted || self.paused || !self.is_wanted(slot, now) || self.must_yield(open + 1) {
            return false;
        }
        self.enter(slot, Phase::Lane { since: now });
        self.lanes.open.push(Lane {
            slot,
            seats: 1,
            abandoned: 0,
            progress: now,
            retired: false,
            rescued: false,
        });
        self.seat_waiters(open);
        self.call_by(self.lanes_due());
        true
    }

    /// Leaves a seat that was taken at `joined`.
    pub(crate) fn left(
        &mut self,
        slot: SlotId,
        joined: Timestamp,
        end: End,
        now: Timestamp,
    ) -> Departure {
        let Some(at) = self.lanes.at(slot) else {
            debug_assert!(false, "a lane lasts until its last seat is left");
            return Departure {
                took: Duration::ZERO,
                ended: false,
            };
        };
        let lane = &mut self.lanes.open[at];
        let took = now.since(lane.progress.max(joined));
        lane.seats -= 1;
        match end {
            End::Answered => {
                lane.progress = now;
                self.lanes.pace.note(took);
            }
            End::Abandoned => lane.abandoned += 1,
            End::Lost => {}
        }
        lane.retired |= end != End::Answered;
        let stuck_at = lane.has_waiting().then(|| lane.stuck_at());
        let (empty, retired) = (lane.seats == 0, lane.retired);
        if let Some(due) = stuck_at.filter(|_| end == End::Abandoned) {
            self.call_by(due);
        }
        let ended = empty && retired;
        if ended {
            self.end_lane(at);
        } else if self.queue.len() > 0 {
            if !retired {
                self.seat_waiters(at);
            }
            self.retire_lanes(now);
        } else if empty {
            self.call_by(now.after(LINGER));
        }
        Departure { took, ended }
    }

    /// Retires the lanes that are no longer needed. Lanes without a statement end now.
    pub(super) fn retire_lanes(&mut self, now: Timestamp) {
        let mut at = 0;
        while at < self.lanes.open.len() {
            if self.is_lane_due(at, now) {
                self.lanes.open[at].retired = true;
                let Lane { slot, seats, .. } = self.lanes.open[at];
                if seats == 0 {
                    self.end_lane(at);
                    self.actions.push_back(Action::ReturnLane(slot));
                    continue;
                }
            }
            at += 1;
        }
    }

    /// Moves callers that wait behind a statement without an answer to other connections.
    pub(super) fn rescue_stuck(&mut self, now: Timestamp) {
        for lane in &mut self.lanes.open {
            if lane.has_waiting() && lane.stuck_at() <= now {
                lane.rescued = true;
                lane.retired = true;
                self.totals.rescued += lane.seats as u64;
                self.actions.push_back(Action::Rescue(lane.slot));
            }
        }
    }

    /// The time at which a lane is stuck or has been empty for long enough.
    pub(super) fn lanes_due(&self) -> Timestamp {
        let due = |at: usize| {
            let lane = &self.lanes.open[at];
            let ends = match lane.seats {
                0 => lane.progress.after(self.linger(at)),
                _ => Timestamp::NEVER,
            };
            let stuck = match lane.has_waiting() {
                true => lane.stuck_at(),
                false => Timestamp::NEVER,
            };
            let expires = match lane.retired {
                true => Timestamp::NEVER,
                false => self.slot(lane.slot).expires_at,
            };
            ends.min(stuck).min(expires)
        };
        let lanes = 0..self.lanes.open.len();
        lanes.map(due).min().unwrap_or(Timestamp::NEVER)
    }

    /// The first lane that is not busy, so that the lanes behind it become idle; otherwise the lane
    /// with the least work.
    fn best_lane(&self, now: Timestamp) -> Option<usize> {
        let lanes = &self.lanes.open;
        let joinable = |at: &usize| self.is_joinable(&lanes[*at], now);
        let rank = |at: &usize| match self.is_busy(&lanes[*at]) {
            true => lanes[*at].seats,
            false => 0,
        };
        (0..lanes.len()).filter(joinable).min_by_key(rank)
    }

    /// Whether the work on a lane is worth another connection.
    fn is_busy(&self, lane: &Lane) -> bool {
        let Pace(each) = self.lanes.pace;
        each > LIGHT && each.saturating_mul(lane.seats as u32) >= AHEAD
    }

    /// Requests another connection beside the lanes, if no connection is idle and there is room.
    fn want_another(&mut self, now: Timestamp) {
        if self.counts.size() < self.bounds.max as usize && !self.backoff.is_failing() {
            self.lanes.wants_another = true;
            self.plan(now);
        }
    }

    fn is_joinable(&self, lane: &Lane, now: Timestamp) -> bool {
        let quiet = now.since(lane.progress);
        let answers = match lane.seats {
            // It would have to be validated first, like a lease.
            0 => !self.policy.health_check.is_due(quiet),
            seats => seats < SEATS && quiet < OLD,
        };
        answers && !lane.retired && self.is_wanted(lane.slot, now)
    }

    fn is_lane_due(&self, at: usize, now: Timestamp) -> bool {
        let lane = &self.lanes.open[at];
        let lingers = now.since(lane.progress) < self.linger(at);
        let idle = lane.seats == 0 && !lingers;
        idle || self.paused
            || self.must_yield(self.lanes.open.len())
            || at >= self.most_lanes()
            || !self.is_wanted(lane.slot, now)
    }

    /// Whether this many lanes would leave nothing for callers that wait for a connection of their
    /// own.
    fn must_yield(&self, lanes: usize) -> bool {
        self.queue.exclusive() > 0 && lanes >= self.bounds.limit()
    }

    fn linger(&self, at: usize) -> Duration {
        match at > 0 && self.queue.exclusive() > 0 {
            true => LINGER_BESIDE_OTHERS,
            false => LINGER,
        }
    }

    fn most_lanes(&self) -> usize {
        (self.bounds.max as usize / 2).max(1)
    }

    /// Gives seats to callers that wait for one.
    fn seat_waiters(&mut self, at: usize) {
        let Lane { slot, seats, .. } = self.lanes.open[at];
        for _ in seats..SEATS {
            let Some(waiter) = self.queue.pop_sharing() else {
                break;
            };
            self.lanes.open[at].seats += 1;
            self.actions.push_back(Action::Seat {
                cell: waiter.cell,
                slot,
            });
        }
        self.note_left();
    }

    /// Ends a lane; its connection waits to be returned.
    fn end_lane(&mut self, at: usize) {
        let lane = self.lanes.open.remove(at);
        self.enter(
            lane.slot,
            Phase::Lane {
                since: lane.progress,
            },
        );
    }
}

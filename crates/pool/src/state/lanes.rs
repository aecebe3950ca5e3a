use std::time::Duration;

use super::{Action, Phase, SlotId, State};
use crate::timestamp::Timestamp;

/// Statements that take no longer than this by themselves are mostly the cost of their messages:
/// another lane would divide the same work into smaller writes, and have one more server process
/// wait for its turn on a processor.
pub(super) const LIGHT: Duration = Duration::from_micros(25);
/// Of others, so much work on a lane makes it worth while to use another connection.
pub(super) const AHEAD: Duration = Duration::from_millis(1);
/// The most statements under way on one lane.
const SEATS: usize = 1024;
/// Nothing joins a lane that has given no answer for so long.
pub(super) const OLD: Duration = Duration::from_millis(20);
/// Statements behind one that has not been answered for so long go elsewhere.
pub(super) const STUCK: Duration = Duration::from_millis(100);
/// An empty lane is kept for so long; the first one also while callers wait for a connection
/// of their own, so that a statement finds its way past those who hold and wait for leases.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// A lane beyond the first is kept for so long while callers wait.
pub(super) const LINGER_BESIDE_OTHERS: Duration = Duration::from_millis(100);

/// The connections that many callers' statements share.
///
/// The engine answers in order, so what was said last tells how the statement at the head
/// fares: how long ago the lane gave its latest answer, or began its first statement.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    open: Vec<Lane>,
    pace: Pace,
    /// They are busy, and no connection is idle.
    pub(super) wants_another: bool,
}

/// How long a statement has lately taken by itself, on the average over a hundred or so.
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
    /// Statements under way whose callers wait for them.
    seats: usize,
    /// Statements under way whose callers have gone.
    abandoned: usize,
    /// When it gave its latest answer, or began on a statement after a pause.
    progress: Timestamp,
    /// It takes no more, and ends when the last seat is left.
    retired: bool,
    rescued: bool,
}

/// How a seat was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The statement was answered.
    Answered,
    /// The statement may still be under way.
    Abandoned,
    /// The connection is lost.
    Lost,
}

/// What is known when a seat was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Departure {
    /// How long the statement took itself, without its wait for those before it.
    pub(crate) took: Duration,
    /// The lane has ended: its connection is to be given back.
    pub(crate) ended: bool,
}

impl Lanes {
    /// Whether there is any.
    pub(super) fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// How many have no statement under way.
    pub(crate) fn free(&self) -> usize {
        self.open.iter().filter(|lane| lane.seats == 0).count()
    }

    /// How many statements are under way in them.
    pub(crate) fn seated(&self) -> usize {
        self.open.iter().map(|lane| lane.seats).sum()
    }

    fn at(&self, slot: SlotId) -> Option<usize> {
        self.open.iter().position(|lane| lane.slot == slot)
    }
}

impl Lane {
    /// Whether somebody waits behind a statement that is not answered.
    fn has_waiting(&self) -> bool {
        self.seats + self.abandoned >= 2 && self.seats > 0 && !self.rescued
    }

    fn stuck_at(&self) -> Timestamp {
        self.progress.after(STUCK)
    }
}

impl State {
    /// A seat in a lane for one statement. `None`: acquire a connection, and offer it as a
    /// lane. Where the statements are heavy, idle connections share the work with the lanes.
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

    /// A lease whose caller has a statement for a lane becomes one, with that caller in its
    /// first seat, and those who wait for a seat beside it, where another lane is wanted.
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

    /// A seat that was taken at `joined` is left.
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

    /// Retires the lanes that are not wanted any more. Those without a statement end now.
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

    /// Has those moved elsewhere who wait behind a statement that is not answered.
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

    /// When a lane is stuck or has been empty for long enough.
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

    /// The first lane that is not busy, so that those behind it come to be idle, else the one
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

    /// Has one more connection opened beside the lanes, where none is idle and there is room.
    fn want_another(&mut self, now: Timestamp) {
        if self.counts.size() < self.bounds.max as usize && !self.backoff.is_failing() {
            self.lanes.wants_another = true;
            self.plan(now);
        }
    }

    fn is_joinable(&self, lane: &Lane, now: Timestamp) -> bool {
        let quiet = now.since(lane.progress);
        let answers = match lane.seats {
            // It would have to be validated first, as a lease is.
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

    /// Whether so many lanes would leave nothing to those who wait for a connection of their
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

    /// Gives seats to those who wait for one.
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

    /// It is a lane no more; its connection waits to be given back.
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

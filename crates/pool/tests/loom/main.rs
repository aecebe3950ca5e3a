//! What is said at the top of `src/standby.rs`, in all orders in which threads can do it and
//! with all that a weak memory may show them. The source is that of the pool; what threads
//! share in it is loom's.

#[path = "../../src/berths.rs"]
mod berths;
#[path = "../../src/member.rs"]
#[expect(dead_code, reason = "the pool uses all of it")]
mod member;
#[path = "../../src/moment.rs"]
#[allow(dead_code, reason = "the pool uses all of it")]
mod moment;
#[path = "../../src/pass.rs"]
mod pass;
#[path = "../../src/standby.rs"]
#[expect(dead_code, reason = "the pool uses all of it")]
mod standby;

mod record;
mod state;
mod sync;

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use berths::Berths;
use member::Member;
use moment::Moment;
use pass::{Pass, Terms};
use standby::{Found, Standby};
use state::SlotId;

type Connection = Box<Member<()>>;

const SLOT: SlotId = SlotId(0);
const OPEN: bool = true;

fn now() -> Moment {
    Moment::at(Duration::from_secs(1))
}

/// Without a berth that was ever used.
fn new() -> Arc<Standby<()>> {
    Arc::new(Standby::new(Pass::after(0, OPEN), None))
}

/// A connection that was leased before anything was recalled.
fn leased() -> Connection {
    let mut member = Member::new(SLOT, ());
    member.terms = Terms {
        pass: Pass::after(0, OPEN),
        since: Moment::START,
        expires_at: Moment::NEVER,
    };
    member
}

/// Where a connection stands by.
fn occupied() -> Arc<Standby<()>> {
    let standby = new();
    assert!(standby.park(leased(), now()).is_none());
    standby
}

/// What one who is about to wait does.
fn close_and_collect(standby: &Standby<()>) -> Option<Connection> {
    standby.set_pass(standby.pass().closed());
    standby.take(SLOT)
}

/// What a caller does.
fn find(standby: &Standby<()>) -> Option<Connection> {
    match standby.find(now()) {
        Found::Nothing => None,
        Found::Fit(member) | Found::Unfit(member) => Some(member),
    }
}

/// All orders that may matter. A bound for those in which more than two threads do much: few
/// mistakes need more changes from thread to thread at unfortunate moments.
fn in_all_orders(preemptions: impl Into<Option<usize>>, model: impl Fn() + Sync + Send + 'static) {
    let mut orders = loom::model::Builder::new();
    orders.preemption_bound = preemptions.into();
    orders.check(model);
}

/// Exactly one of these has the connection.
#[track_caller]
fn assert_one<const N: usize>(all: [Option<Connection>; N]) {
    assert_eq!(all.iter().flatten().count(), 1, "{all:?}");
}

#[test]
fn who_gives_back_and_who_is_about_to_wait_do_not_miss_each_other() {
    in_all_orders(None, || {
        // The slot was used before.
        let standby = occupied();
        let member = find(&standby).unwrap();
        let other = Arc::clone(&standby);
        let parked = thread::spawn(move || other.park(member, now()));
        let collected = close_and_collect(&standby);
        assert_one([parked.join().unwrap(), collected]);
        assert!(standby.take(SLOT).is_none(), "it stands by while one waits");
    });
}

#[test]
fn nor_do_they_where_the_berth_is_made_at_the_same_time() {
    in_all_orders(None, || {
        let standby = new();
        let other = Arc::clone(&standby);
        let parked = thread::spawn(move || other.park(leased(), now()));
        let collected = close_and_collect(&standby);
        assert_one([parked.join().unwrap(), collected]);
        assert!(standby.take(SLOT).is_none(), "it stands by while one waits");
    });
}

#[test]
fn one_of_two_callers_gets_what_stands_by() {
    in_all_orders(None, || {
        let standby = occupied();
        let other = Arc::clone(&standby);
        let theirs = thread::spawn(move || find(&other));
        let mine = find(&standby);
        assert_one([mine, theirs.join().unwrap()]);
    });
}

#[test]
fn what_is_given_back_is_found_by_who_comes_later() {
    in_all_orders(None, || {
        let standby = occupied();
        let other = Arc::clone(&standby);
        let uses = |standby: &Standby<()>| {
            if let Some(mut member) = find(standby) {
                member.terms.since = now();
                assert!(standby.park(member, now()).is_none());
            }
        };
        let theirs = thread::spawn(move || uses(&other));
        uses(&standby);
        theirs.join().unwrap();
        assert!(find(&standby).is_some(), "it is there and nobody sees it");
        assert!(find(&standby).is_none());
    });
}

#[test]
fn nothing_is_left_behind_where_a_third_one_takes_it() {
    in_all_orders(3, || {
        let standby = occupied();
        let member = find(&standby).unwrap();
        let (giver, caller) = (Arc::clone(&standby), Arc::clone(&standby));
        let parked = thread::spawn(move || giver.park(member, now()));
        let found = thread::spawn(move || find(&caller));
        let collected = close_and_collect(&standby);
        assert_one([parked.join().unwrap(), found.join().unwrap(), collected]);
        assert!(standby.take(SLOT).is_none(), "it stands by while one waits");
    });
}

#[test]
fn what_was_leased_before_a_recall_does_not_stand_by_after_it() {
    in_all_orders(3, || {
        let standby = occupied();
        let other = Arc::clone(&standby);
        // One who takes it under the old pass, and gives it back under whichever.
        let holder = thread::spawn(move || {
            let member = find(&other)?;
            other.park(member, now())
        });
        standby.set_pass(Pass::after(1, OPEN));
        let collected = standby.take(SLOT);
        assert_one([holder.join().unwrap(), collected]);
        assert!(standby.take(SLOT).is_none(), "it stands by, and is stale");
    });
}

#[test]
fn a_recall_while_one_gives_back_and_another_takes_makes_it_unfit() {
    in_all_orders(3, || {
        let standby = occupied();
        let member = find(&standby).unwrap();
        let (giver, caller) = (Arc::clone(&standby), Arc::clone(&standby));
        let parked = thread::spawn(move || giver.park(member, now()));
        let found = thread::spawn(move || {
            // Only after this is what is found surely found under the new pass.
            let is_after = caller.pass() == Pass::after(1, OPEN);
            match caller.find(now()) {
                Found::Nothing => None,
                Found::Fit(_) if is_after => panic!("a stale connection was found fit"),
                Found::Fit(member) | Found::Unfit(member) => Some(member),
            }
        });
        standby.set_pass(Pass::after(1, OPEN));
        let collected = standby.take(SLOT);
        assert_one([parked.join().unwrap(), found.join().unwrap(), collected]);
        assert!(standby.take(SLOT).is_none(), "it stands by, and is stale");
    });
}

#[test]
fn berths_stay_where_they_are_while_more_are_made() {
    in_all_orders(None, || {
        let berths = Arc::new(Berths::<u64>::new());
        let other = Arc::clone(&berths);
        let place = |berths: &Berths<u64>| std::ptr::from_ref(berths.at(3)).addr();
        let theirs = thread::spawn(move || {
            other.at(100);
            place(&other)
        });
        assert!(berths.get(3).is_none_or(|berth| *berth == 0));
        let third = place(&berths);
        assert_eq!(theirs.join().unwrap(), third, "two have made the same");
        assert_eq!(place(&berths), third);
        assert!(berths.get(100).is_some());
        assert_eq!(berths.iter().count(), 8 + 64);
    });
}

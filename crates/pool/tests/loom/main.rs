//! Checks the claims at the top of `src/fast/cache.rs` and `src/fast/mailbox.rs`, in all orders of
//! the threads and with everything that weak memory may show them. The source is the pool's; the
//! primitives that threads share are loom's.

mod fast {
    #[path = "../../../src/fast/cache.rs"]
    #[expect(dead_code, reason = "the pool uses all of it")]
    pub(crate) mod cache;
    #[path = "../../../src/fast/connection.rs"]
    #[expect(dead_code, reason = "the pool uses all of it")]
    pub(crate) mod connection;
    #[path = "../../../src/fast/epoch.rs"]
    #[expect(dead_code, reason = "the pool uses all of it")]
    pub(crate) mod epoch;
    #[path = "../../../src/fast/mailbox.rs"]
    #[expect(dead_code, reason = "the pool uses all of it")]
    pub(crate) mod mailbox;
    #[path = "../../../src/fast/table.rs"]
    pub(crate) mod table;

    pub(crate) mod record;
    pub(crate) mod sync;
}

mod state;
#[path = "../../src/timestamp.rs"]
#[allow(dead_code, reason = "the pool uses all of it")]
mod timestamp;

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use fast::cache::{IdleCache, Lookup};
use fast::connection::PoolConnection;
use fast::epoch::{Epoch, Stamp};
use fast::mailbox::{Mailbox, Parcel};
use fast::sync::FIRST;
use fast::table::ChunkedTable;
use state::SlotId;
use timestamp::Timestamp;

type Connection = Box<PoolConnection<()>>;

const SLOT: SlotId = SlotId(0);
const OPEN: bool = true;

fn now() -> Timestamp {
    Timestamp::at(Duration::from_secs(1))
}

/// An empty cache.
fn new() -> Arc<IdleCache<()>> {
    Arc::new(IdleCache::new(Epoch::new(0, OPEN), None))
}

/// A connection that was leased in the first epoch.
fn leased() -> Connection {
    leased_in(SLOT)
}

fn leased_in(slot: SlotId) -> Connection {
    let mut pooled = PoolConnection::new(slot, ());
    pooled.stamp = Stamp {
        epoch: Epoch::new(0, OPEN),
        since: Timestamp::START,
        expires_at: Timestamp::NEVER,
        generation: 0,
        check: false,
    };
    pooled
}

/// A cache with a connection.
fn filled() -> Arc<IdleCache<()>> {
    let cache = new();
    assert!(cache.put(leased(), now()).is_none());
    cache
}

/// The steps of a caller that is about to wait.
fn close_and_collect(cache: &IdleCache<()>) -> Option<Connection> {
    cache.set_epoch(cache.epoch().closed());
    cache.take(SLOT)
}

/// The steps of a caller that looks for a connection.
fn find(cache: &IdleCache<()>) -> Option<Connection> {
    match cache.take_any(now()) {
        Lookup::Miss => None,
        Lookup::Hit(pooled) | Lookup::Unfit(pooled) => Some(pooled),
    }
}

/// All orders that may matter. Limited for models in which more than two threads do much: few bugs
/// need more switches between threads at unfortunate points.
fn in_all_orders(preemptions: impl Into<Option<usize>>, model: impl Fn() + Sync + Send + 'static) {
    let mut orders = loom::model::Builder::new();
    orders.preemption_bound = preemptions.into();
    orders.check(model);
}

/// Asserts that exactly one of these has the connection.
#[track_caller]
fn assert_one<const N: usize>(all: [Option<Connection>; N]) {
    assert_eq!(all.iter().flatten().count(), 1, "{all:?}");
}

#[test]
fn a_returning_and_a_waiting_caller_do_not_miss_each_other() {
    in_all_orders(None, || {
        // The slot was used before.
        let cache = filled();
        let pooled = find(&cache).unwrap();
        let other = Arc::clone(&cache);
        let put = thread::spawn(move || other.put(pooled, now()));
        let collected = close_and_collect(&cache);
        assert_one([put.join().unwrap(), collected]);
        assert!(
            cache.take(SLOT).is_none(),
            "it is cached while a caller waits"
        );
    });
}

#[test]
fn they_do_not_miss_each_other_while_the_cache_slot_is_created() {
    in_all_orders(None, || {
        // Behind the slots that always exist.
        let late = SlotId(FIRST as u32);
        let cache = new();
        let other = Arc::clone(&cache);
        let put = thread::spawn(move || other.put(leased_in(late), now()));
        cache.set_epoch(cache.epoch().closed());
        let collected = cache.take(late);
        assert_one([put.join().unwrap(), collected]);
        assert!(
            cache.take(late).is_none(),
            "it is cached while a caller waits"
        );
    });
}

#[test]
fn one_of_two_callers_gets_the_cached_connection() {
    in_all_orders(None, || {
        let cache = filled();
        let other = Arc::clone(&cache);
        let theirs = thread::spawn(move || find(&other));
        let mine = find(&cache);
        assert_one([mine, theirs.join().unwrap()]);
    });
}

#[test]
fn a_returned_connection_is_found_by_a_later_caller() {
    in_all_orders(None, || {
        let cache = filled();
        let other = Arc::clone(&cache);
        let uses = |cache: &IdleCache<()>| {
            if let Some(mut pooled) = find(cache) {
                pooled.stamp.since = now();
                assert!(cache.put(pooled, now()).is_none());
            }
        };
        let theirs = thread::spawn(move || uses(&other));
        uses(&cache);
        theirs.join().unwrap();
        assert!(find(&cache).is_some(), "it is there and nobody sees it");
        assert!(find(&cache).is_none());
    });
}

#[test]
fn nothing_is_left_behind_if_a_third_caller_takes_it() {
    in_all_orders(3, || {
        let cache = filled();
        let pooled = find(&cache).unwrap();
        let (giver, caller) = (Arc::clone(&cache), Arc::clone(&cache));
        let put = thread::spawn(move || giver.put(pooled, now()));
        let found = thread::spawn(move || find(&caller));
        let collected = close_and_collect(&cache);
        assert_one([put.join().unwrap(), found.join().unwrap(), collected]);
        assert!(
            cache.take(SLOT).is_none(),
            "it is cached while a caller waits"
        );
    });
}

#[test]
fn a_connection_of_an_earlier_epoch_is_not_cached() {
    in_all_orders(3, || {
        let cache = filled();
        let other = Arc::clone(&cache);
        // Takes the connection in the old epoch, and returns it in either one.
        let holder = thread::spawn(move || {
            let pooled = find(&other)?;
            other.put(pooled, now())
        });
        cache.set_epoch(Epoch::new(1, OPEN));
        let collected = cache.take(SLOT);
        assert_one([holder.join().unwrap(), collected]);
        assert!(cache.take(SLOT).is_none(), "it is cached, and stale");
    });
}

#[test]
fn a_new_epoch_while_one_returns_and_another_takes_makes_it_unfit() {
    in_all_orders(3, || {
        let cache = filled();
        let pooled = find(&cache).unwrap();
        let (giver, caller) = (Arc::clone(&cache), Arc::clone(&cache));
        let put = thread::spawn(move || giver.put(pooled, now()));
        let found = thread::spawn(move || {
            // Only after this is a connection certainly found in the new epoch.
            let is_after = caller.epoch() == Epoch::new(1, OPEN);
            match caller.take_any(now()) {
                Lookup::Miss => None,
                Lookup::Hit(_) if is_after => panic!("a stale connection was found fit"),
                Lookup::Hit(pooled) | Lookup::Unfit(pooled) => Some(pooled),
            }
        });
        cache.set_epoch(Epoch::new(1, OPEN));
        let collected = cache.take(SLOT);
        assert_one([put.join().unwrap(), found.join().unwrap(), collected]);
        assert!(cache.take(SLOT).is_none(), "it is cached, and stale");
    });
}

#[test]
fn entries_stay_where_they_are_while_more_are_made() {
    in_all_orders(None, || {
        let table = Arc::new(ChunkedTable::<u64>::new());
        let other = Arc::clone(&table);
        let address = |table: &ChunkedTable<u64>| std::ptr::from_ref(table.at(3)).addr();
        let theirs = thread::spawn(move || {
            other.at(100);
            address(&other)
        });
        assert!(table.get(3).is_none_or(|entry| *entry == 0));
        let third = address(&table);
        assert_eq!(theirs.join().unwrap(), third, "two have made the same");
        assert_eq!(address(&table), third);
        assert!(table.get(100).is_some());
        assert_eq!(table.iter().count(), 2 + 2 + 64);
    });
}

/// The connection in a parcel, if there is one.
fn connection(parcel: Option<Parcel<(), ()>>) -> Option<Connection> {
    match parcel? {
        Parcel::Connection(connection) => Some(connection),
        Parcel::Answer(()) => None,
    }
}

fn mailbox() -> Arc<Mailbox<(), ()>> {
    Arc::new(Mailbox::default())
}

/// Asserts that the mailbox is like one that was never used.
#[track_caller]
fn assert_reusable(mailbox: &Mailbox<(), ()>) {
    assert!(mailbox.take().is_none(), "it is empty");
    assert!(
        mailbox.deliver(Parcel::Connection(leased())).is_ok(),
        "it is open"
    );
    assert!(connection(mailbox.take()).is_some());
}

#[test]
fn a_delivery_is_found_or_returned_if_the_waiter_goes_away() {
    in_all_orders(None, || {
        let mailbox = mailbox();
        let other = Arc::clone(&mailbox);
        let deliver = thread::spawn(move || other.deliver(Parcel::Connection(leased())).err());
        let found = mailbox.close();
        let back = deliver.join().unwrap();
        assert_one([connection(found), connection(back)]);
        assert_reusable(&mailbox);
    });
}

#[test]
fn so_is_an_answer() {
    in_all_orders(None, || {
        let mailbox = mailbox();
        let other = Arc::clone(&mailbox);
        let deliver = thread::spawn(move || other.deliver(Parcel::Answer(())).err());
        let found = mailbox.close();
        let back = deliver.join().unwrap();
        assert_eq!([found, back].iter().flatten().count(), 1);
        assert_reusable(&mailbox);
    });
}

#[test]
fn a_delivery_that_ends_late_loses_nothing_of_the_next_waiter() {
    in_all_orders(3, || {
        let mailbox = mailbox();
        let other = Arc::clone(&mailbox);
        let deliver = thread::spawn(move || other.deliver(Parcel::Connection(leased())).err());
        let fetched = connection(mailbox.take());
        if fetched.is_none() {
            deliver.join().unwrap();
            return;
        }
        // The mailbox belongs to another waiter now, while the first delivery may not have
        // returned.
        let other = Arc::clone(&mailbox);
        let next = thread::spawn(move || other.deliver(Parcel::Connection(leased())).err());
        let found = mailbox.close();
        let (late, back) = (deliver.join().unwrap(), next.join().unwrap());
        assert_one([connection(found), connection(late), connection(back)]);
        assert_reusable(&mailbox);
    });
}

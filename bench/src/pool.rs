//! The pool under load, beside its peers in the same run.
//!
//! Ours has its default configuration but for the number of connections, and so have the
//! peers, but for what the file of each says.

mod lists;
mod mixed;
mod no_op;
mod select;
mod transactions;

use std::fmt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::load::{Sample, Waits};
use crate::program;
use crate::race::{Rounds, Standings};
use crate::server::Server;
use crate::targets::Targets;

/// The benchmarks of the pool that ran.
#[derive(Default)]
pub(crate) struct PoolReport {
    races: Vec<Standings>,
    targets: Targets,
    heap: Option<String>,
}

const NAMES: [&str; 6] = [
    "pool-no-op",
    "pool-select",
    "pool-lists",
    "pool-mixed",
    "pool-transactions",
    "pool-heap",
];

impl PoolReport {
    /// Runs those that are chosen.
    pub(crate) async fn run(
        &mut self,
        server: &Server,
        quick: bool,
        chosen: impl Fn(&str) -> bool,
    ) {
        let rounds = match quick {
            true => Rounds {
                count: 3,
                length: Duration::from_millis(100),
            },
            false => Rounds {
                count: 5,
                length: Duration::from_secs(1),
            },
        };
        for name in NAMES.into_iter().filter(|name| chosen(name)) {
            match name {
                "pool-no-op" => no_op::run(rounds, self).await,
                "pool-select" => select::run(server, rounds, self).await,
                "pool-lists" => lists::run(server, rounds, self).await,
                "pool-mixed" => mixed::run(server, rounds, self).await,
                "pool-transactions" => transactions::run(server, rounds, self).await,
                _ => self.heap = Some(heap()),
            }
        }
    }

    /// Notes how the rate and a percentile compare with those of a peer.
    fn compare(
        &mut self,
        standings: &Standings,
        peer: &'static str,
        rate: f64,
        (percentile, of): (&str, fn(&Waits) -> Duration),
    ) {
        let title = standings.title();
        let seen = standings.ratio(OURS, peer, |sample| sample.rate);
        self.targets
            .at_least(format!("{title}: rate ÷ {peer}"), rate, seen);
        self.compare_waits(standings, peer, percentile, 1.0, of);
    }

    /// Notes how the rate compares with that of a peer. Nobody can be faster than the bytes go, so
    /// that what is wanted is at most 0.95 of the fastest raw socket's.
    fn compare_or_raw(
        &mut self,
        standings: &Standings,
        peer: &'static str,
        rate: f64,
        raw: &[&'static str],
    ) {
        let title = standings.title();
        let of_peer = |name: &str| standings.ratio(name, peer, |sample| sample.rate);
        let fastest = raw.iter().map(|raw| of_peer(raw)).fold(0.0, f64::max);
        let wanted = rate.min(0.95 * fastest);
        let what = format!("{title}: rate ÷ {peer}, or 0.95 of a raw socket");
        self.targets.at_least(what, wanted, of_peer(OURS));
    }

    fn compare_waits(
        &mut self,
        standings: &Standings,
        peer: &'static str,
        percentile: &str,
        wanted: f64,
        of: fn(&Waits) -> Duration,
    ) {
        let wait = |sample: &Sample| {
            let waits = sample.waits.as_ref().expect("a load of the harness's own");
            of(waits).as_secs_f64()
        };
        let what = format!("{}: {percentile} ÷ {peer}", standings.title());
        self.targets
            .at_most(what, wanted, standings.ratio(OURS, peer, wait));
    }
}

/// What the tables call us.
const OURS: &str = "underpin";

/// Counted in a process of its own: an allocator that counts would slow down all else.
fn heap() -> String {
    let output = Command::new(program::ours("underpin-bench-heap"))
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "underpin-bench-heap: {errors}");
    eprintln!("{said}");
    said.into_owned()
}

impl fmt::Display for PoolReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for standings in &self.races {
            writeln!(f, "{standings}")?;
        }
        if !self.races.is_empty() {
            writeln!(f, "{}", self.targets)?;
        }
        f.write_str(self.heap.as_deref().unwrap_or_default())
    }
}

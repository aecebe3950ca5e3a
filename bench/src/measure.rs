use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

/// Ours and a peer's times for the same work, in turns, so that both meet the same weather.
pub(crate) struct Pair {
    ours: Vec<Duration>,
    peer: Vec<Duration>,
}

/// Times both in turns, after one turn that does not count.
pub(crate) async fn in_turns<A, B>(
    rounds: usize,
    ours: impl FnMut() -> A,
    peer: impl FnMut() -> B,
) -> Pair
where
    A: Future,
    B: Future,
{
    in_turns_from(rounds, async || (), ours, peer).await
}

/// The same, with a `reset` before each that is not timed.
pub(crate) async fn in_turns_from<A, B>(
    rounds: usize,
    mut reset: impl AsyncFnMut(),
    mut ours: impl FnMut() -> A,
    mut peer: impl FnMut() -> B,
) -> Pair
where
    A: Future,
    B: Future,
{
    let mut pair = Pair {
        ours: Vec::new(),
        peer: Vec::new(),
    };
    for round in 0..=rounds {
        let (mut a, mut b) = (Duration::ZERO, Duration::ZERO);
        // Each goes first as often as the other.
        for turn in [round % 2, 1 - round % 2] {
            reset().await;
            if turn == 0 {
                a = time(ours()).await;
            } else {
                b = time(peer()).await;
            }
        }
        if round > 0 {
            pair.ours.push(a);
            pair.peer.push(b);
        }
    }
    pair
}

impl Pair {
    /// How many times ours the peer's time is: the median over the rounds, pair by pair.
    pub(crate) fn ratio(&self) -> f64 {
        let pairs = self.peer.iter().zip(&self.ours);
        let ratios = pairs.map(|(peer, ours)| peer.as_secs_f64() / ours.as_secs_f64());
        let mut ratios: Vec<f64> = ratios.collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }

    /// The peer's time.
    pub(crate) fn theirs(&self) -> Duration {
        median(&self.peer)
    }
}

async fn time(work: impl Future) -> Duration {
    let begun = Instant::now();
    work.await;
    begun.elapsed()
}

pub(crate) fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}

/// The table of all benchmarks that ran.
#[derive(Default)]
pub(crate) struct Report(Vec<Line>);

struct Line {
    what: String,
    peer: &'static str,
    ours: Duration,
    theirs: Duration,
    /// How many times the peer's speed ours is.
    ratio: f64,
    wanted: Option<f64>,
}

impl Report {
    /// Adds a line; times are given for one of `count` like pieces of work.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        peer: &'static str,
        count: u32,
        pair: &Pair,
        wanted: Option<f64>,
    ) {
        let line = Line {
            what: what.into(),
            peer,
            ours: median(&pair.ours) / count,
            theirs: pair.theirs() / count,
            ratio: pair.ratio(),
            wanted,
        };
        eprintln!("{line}");
        self.0.push(line);
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self
            .wanted
            .map_or_else(|| "-".into(), |wanted| format!("{wanted:.1}"));
        write!(
            f,
            "| {:<44} | {:>10} | {:<34} | {:>10} | {:>8.2} | {:>6} |",
            self.what,
            format!("{:.2?}", self.ours),
            self.peer,
            format!("{:.2?}", self.theirs),
            self.ratio,
            wanted
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "| {:<44} | {:>10} | {:<34} | {:>10} | {:>8} | {:>6} |",
            "what", "ours", "peer", "theirs", "speed ×", "wanted"
        )?;
        writeln!(
            f,
            "|{}|{}:|{}|{}:|{}:|{}:|",
            "-".repeat(46),
            "-".repeat(11),
            "-".repeat(36),
            "-".repeat(11),
            "-".repeat(9),
            "-".repeat(7)
        )?;
        for line in &self.0 {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

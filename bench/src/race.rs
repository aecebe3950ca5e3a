use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::load::{Load, Operation, Sample, Waits};

type Run = Box<dyn Fn(Load) -> Pin<Box<dyn Future<Output = Sample>>>>;

/// One of those that are put under the same load in turns.
pub(crate) struct Contender {
    name: &'static str,
    run: Run,
}

impl Contender {
    pub(crate) fn new(name: &'static str, operation: impl Operation) -> Self {
        Contender::by(name, move |load| load.run(operation.clone()))
    }

    /// One that runs the load in its own way.
    pub(crate) fn by<F>(name: &'static str, run: impl Fn(Load) -> F + 'static) -> Self
    where
        F: Future<Output = Sample> + 'static,
    {
        Contender {
            name,
            run: Box::new(move |load| Box::pin(run(load))),
        }
    }
}

/// How often, and for how long each time.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    pub(crate) length: Duration,
}

impl Rounds {
    /// All contenders in turns, after one round that does not count.
    pub(crate) async fn race(
        self,
        what: &str,
        tasks: usize,
        contenders: &[Contender],
    ) -> Standings {
        let load = Load {
            tasks,
            length: self.length,
        };
        let mut samples = vec![Vec::new(); contenders.len()];
        for round in 0..=self.count {
            for turn in 0..contenders.len() {
                // Nobody always follows the same one.
                let at = match round % 2 {
                    0 => (turn + round) % contenders.len(),
                    _ => (contenders.len() - 1 - turn + round) % contenders.len(),
                };
                let sample = (contenders[at].run)(load).await;
                if round > 0 {
                    samples[at].push(sample);
                }
            }
        }
        let names = contenders.iter().map(|contender| contender.name);
        let standings = Standings {
            what: what.to_owned(),
            tasks,
            lines: names.zip(samples).collect(),
        };
        eprintln!("{standings}");
        standings
    }
}

/// What the contenders came to, round by round.
pub(crate) struct Standings {
    what: String,
    tasks: usize,
    lines: Vec<(&'static str, Vec<Sample>)>,
}

impl Standings {
    pub(crate) fn title(&self) -> String {
        let tasks = self.tasks;
        let plural = if tasks == 1 { "" } else { "s" };
        format!("{}, {tasks} task{plural}", self.what)
    }

    /// The median over the rounds of something of ours divided by the same of a peer's.
    pub(crate) fn ratio(&self, ours: &str, peer: &str, of: impl Fn(&Sample) -> f64) -> f64 {
        let pairs = self.samples(ours).iter().zip(self.samples(peer));
        median(pairs.map(|(ours, peer)| of(ours) / of(peer)))
    }

    /// The median over the rounds of the time of one operation of one of them, net of that
    /// of another: of the harness.
    pub(crate) fn net_nanos(&self, name: &str, harness: &str) -> f64 {
        median(self.nets(name, harness))
    }

    /// The same of ours divided by that of a peer, round by round.
    pub(crate) fn net_ratio(&self, ours: &str, peer: &str, harness: &str) -> f64 {
        let pairs = self.nets(ours, harness).zip(self.nets(peer, harness));
        median(pairs.map(|(ours, peer)| ours / peer))
    }

    fn nets(&self, name: &str, harness: &str) -> impl Iterator<Item = f64> {
        let pairs = self.samples(name).iter().zip(self.samples(harness));
        pairs.map(|(one, empty)| 1e9 / one.rate - 1e9 / empty.rate)
    }

    fn samples(&self, name: &str) -> &[Sample] {
        let line = self.lines.iter().find(|(known, _)| *known == name);
        &line.expect("a contender of this race").1
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl fmt::Display for Standings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| {:<56} | {:>10} | {:>9} | {:>9} | {:>9} |",
            self.title(),
            "rate, k/s",
            "p50",
            "p99",
            "p99.9"
        )?;
        let bar = "-".repeat(10);
        writeln!(f, "|{}|-{bar}:|{bar}:|{bar}:|{bar}:|", "-".repeat(58))?;
        for (name, samples) in &self.lines {
            let rate = median(samples.iter().map(|sample| sample.rate)) / 1e3;
            write!(f, "| {name:<56} | {rate:>10.1} |")?;
            for of in [|w: Waits| w.p50, |w: Waits| w.p99, |w: Waits| w.p999] {
                let waits: Option<Vec<f64>> = samples
                    .iter()
                    .map(|sample| Some(of(sample.waits?).as_secs_f64()))
                    .collect();
                let shown = waits.map_or_else(
                    || "-".to_owned(),
                    |waits| format!("{:.2?}", Duration::from_secs_f64(median(waits.into_iter()))),
                );
                write!(f, " {shown:>9} |")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

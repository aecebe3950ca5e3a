use std::fmt;

/// What was aimed at, what was seen, and whether that is enough. Nothing where none is set.
#[derive(Default)]
pub(crate) struct Targets(Vec<Target>);

struct Target {
    what: String,
    bound: Bound,
    wanted: f64,
    seen: f64,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast,
    AtMost,
}

impl Targets {
    pub(crate) fn at_least(&mut self, what: impl Into<String>, wanted: f64, seen: f64) {
        self.add(what.into(), Bound::AtLeast, wanted, seen);
    }

    pub(crate) fn at_most(&mut self, what: impl Into<String>, wanted: f64, seen: f64) {
        self.add(what.into(), Bound::AtMost, wanted, seen);
    }

    fn add(&mut self, what: String, bound: Bound, wanted: f64, seen: f64) {
        self.0.push(Target {
            what,
            bound,
            wanted,
            seen,
        });
    }
}

impl Target {
    fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtLeast => self.seen >= self.wanted,
            Bound::AtMost => self.seen <= self.wanted,
        }
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "| {:<80} | {:>6} | {:>7} | {:<3} |",
            "target", "wanted", "seen", "met"
        )?;
        let wide = "-".repeat(82);
        writeln!(f, "|{wide}|-------:|--------:|-----|")?;
        for target in &self.0 {
            let sign = match target.bound {
                Bound::AtLeast => '≥',
                Bound::AtMost => '≤',
            };
            writeln!(
                f,
                "| {:<80} | {:>6} | {:>7.2} | {:<3} |",
                target.what,
                format!("{sign} {:.1}", target.wanted),
                target.seen,
                if target.is_met() { "yes" } else { "no" }
            )?;
        }
        Ok(())
    }
}

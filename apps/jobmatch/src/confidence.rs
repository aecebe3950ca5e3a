//! What the component scores say of a match: how sure it is, and why.

/// The component scores of one job for one user, in the order of the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Components(pub [Option<f64>; 5]);

const NAMES: [&str; 5] = ["skills", "experience", "location", "salary", "culture"];

impl Components {
    /// The confidence, from 0 to 1, rounded to four decimals:
    ///
    /// ```text
    /// mean / 100  ×  (1 − deviation / 100)  ×  known / 5
    /// ```
    ///
    /// over the component scores that are known, each held to 0 to 100; `deviation` is their
    /// standard deviation (of the population). High scores make it sure, scores that
    /// contradict each other and scores that are missing make it less so. Without any it is 0.
    pub fn confidence(&self) -> f64 {
        let known: Vec<f64> = self.known().map(|(_, score)| score).collect();
        if known.is_empty() {
            return 0.0;
        }
        let count = known.len() as f64;
        let mean = known.iter().sum::<f64>() / count;
        let variance = known
            .iter()
            .map(|score| (score - mean).powi(2))
            .sum::<f64>()
            / count;
        let confidence = mean / 100.0 * (1.0 - variance.sqrt() / 100.0) * count / 5.0;
        (confidence.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0
    }

    /// Why the job is recommended, with its strongest and its weakest component.
    pub fn reason(&self, total: f64) -> String {
        let mut known = self.known();
        let Some(first) = known.next() else {
            return format!("Scored {total} of 100; no component scores are known.");
        };
        let (mut strongest, mut weakest) = (first, first);
        for component in known {
            if component.1 > strongest.1 {
                strongest = component;
            }
            if component.1 < weakest.1 {
                weakest = component;
            }
        }
        if strongest.0 == weakest.0 {
            let (name, score) = strongest;
            return format!(
                "Scored {total} of 100; {name} at {score} is both its strongest and its weakest component."
            );
        }
        format!(
            "Scored {total} of 100; strongest in {} ({}), weakest in {} ({}).",
            strongest.0, strongest.1, weakest.0, weakest.1
        )
    }

    fn known(&self) -> impl Iterator<Item = (&'static str, f64)> {
        NAMES
            .into_iter()
            .zip(self.0)
            .filter_map(|(name, score)| Some((name, score?.clamp(0.0, 100.0))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_what_the_formula_says() {
        let of = |scores| Components(scores).confidence();
        assert_eq!(of([Some(100.0); 5]), 1.0);
        assert_eq!(of([Some(0.0); 5]), 0.0);
        assert_eq!(of([None; 5]), 0.0);
        // Mean 80, deviation 0, one of five known.
        assert_eq!(of([Some(80.0), None, None, None, None]), 0.16);
        // Mean 80, deviation 20: 0.8 × 0.8 × 2/5.
        assert_eq!(of([Some(100.0), Some(60.0), None, None, None]), 0.256);
        // Held to 0 to 100.
        assert_eq!(of([Some(900.0); 5]), 1.0);
    }

    #[test]
    fn the_reason_names_the_strongest_and_the_weakest() {
        let components = Components([Some(97.0), None, Some(60.5), Some(97.0), None]);
        assert_eq!(
            components.reason(91.5),
            "Scored 91.5 of 100; strongest in skills (97), weakest in location (60.5)."
        );
        assert_eq!(
            Components::default().reason(70.0),
            "Scored 70 of 100; no component scores are known."
        );
        let one = Components([None, Some(80.0), None, None, None]);
        assert!(one.reason(80.0).contains("experience at 80 is both"));
    }
}

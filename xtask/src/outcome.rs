/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Outcome {
    /// Reads the closing lines of nextest (`Summary […] 5 tests run: 3 passed, 1 failed, 1 timed
    /// out`) and of the test harness (`test result: ok. 3 passed; 0 failed; …`), and adds them up.
    pub(crate) fn of(lines: &[String]) -> Self {
        let closing = lines.iter().filter(|line| {
            // What nextest shows of a test's own output is indented.
            let words = line.trim_start();
            line.starts_with("test result:")
                || words.len() < line.len() && words.starts_with("Summary [")
        });
        let mut outcome = Outcome::default();
        for line in closing {
            outcome.passed += number_before(line, " passed");
            for word in [" failed", " timed out", " exec failed"] {
                outcome.failed += number_before(line, word);
            }
        }
        outcome
    }
}

impl std::ops::AddAssign for Outcome {
    fn add_assign(&mut self, other: Outcome) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The number that stands before these words in a line; 0 where they are not there.
fn number_before(line: &str, words: &str) -> usize {
    let Some((before, _)) = line.split_once(words) else {
        return 0;
    };
    let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    before[before.len() - digits..].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(line: &str) -> (usize, usize) {
        let outcome = Outcome::of(&[line.to_owned()]);
        (outcome.passed, outcome.failed)
    }

    #[test]
    fn every_kind_of_failure_counts() {
        let line = "     Summary [   8.1s] 9 tests run: 4 passed (1 slow), 2 failed, 2 timed out, \
                    1 exec failed, 3 skipped";
        assert_eq!(outcome(line), (4, 5));
        let line =
            "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(outcome(line), (12, 3));
        assert_eq!(outcome("    test result: ok. 1 passed; 0 failed"), (0, 0));
    }

    #[test]
    fn what_tests_print_is_not_counted() {
        assert_eq!(outcome("it said: 3 passed"), (0, 0));
        assert_eq!(outcome("Summary [   8.1s] 3 passed"), (0, 0));
    }
}

/// Chooses the lines of a test runner's output that a person wants to see: which tests ran, and
/// what the failed ones printed. The output of tests that passed is in the log alone.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    hidden: bool,
    /// Whether the final summary of nextest has begun, which repeats what failed tests printed.
    final_part: bool,
}

impl Summary {
    pub(crate) fn shows(&mut self, line: &str) -> bool {
        let words = line.trim_start();
        let indented = words.len() < line.len();
        if indented && words.starts_with("Summary [") {
            (self.hidden, self.final_part) = (false, true);
        } else if line.starts_with("failures:") || line.starts_with("test result:") {
            (self.hidden, self.final_part) = (false, false);
        }
        if !self.final_part {
            let output = ["  stdout ───", "  stderr ───"];
            if output.iter().any(|head| line.starts_with(head)) || line == "successes:" {
                self.hidden = true;
            } else if indented && (is_status(words) || is_binary(words)) {
                self.hidden = false;
            }
        }
        let noise = indented && (words.starts_with("SKIP [") || words.starts_with("Executable "));
        !noise && !self.hidden
    }
}

/// Whether this is nextest's line for one test, such as `PASS [   0.012s] crate name`.
fn is_status(words: &str) -> bool {
    let Some((word, rest)) = words.split_once(" [") else {
        return false;
    };
    let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || " -".contains(c);
    let Some((time, _)) = rest.split_once("s] ") else {
        return false;
    };
    let time = time.trim_start();
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(is_word)
        && !time.is_empty()
        && time.chars().all(|c| c.is_ascii_digit() || ">.".contains(c))
}

/// Whether this is cargo's line for a test program.
fn is_binary(words: &str) -> bool {
    words.starts_with("Running ") || words.starts_with("Doc-tests ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut summary = Summary::default();
        let lines = text.lines().filter(|line| summary.shows(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_output_of_tests_that_passed_is_hidden() {
        let text = "        PASS [   0.010s] a one\n  stdout ───\n    noise\n        \
                    FAIL [   1.000s] a two\n     Summary [   1.010s] 2 tests run\n  stdout ───\n    said";
        let expected = "        PASS [   0.010s] a one\n        FAIL [   1.000s] a two\n     \
                        Summary [   1.010s] 2 tests run\n  stdout ───\n    said";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn the_same_holds_of_the_test_harness() {
        let text = "     Running unittests src/lib.rs (target/debug/deps/a)\ntest a ... ok\n\
                    successes:\nnoise\ntest result: ok. 1 passed; 0 failed";
        let expected = "     Running unittests src/lib.rs (target/debug/deps/a)\ntest a ... ok\n\
                        test result: ok. 1 passed; 0 failed";
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn tests_left_out_by_a_filter_are_not_listed() {
        assert_eq!(shown("        SKIP [         ] a two\nkept"), "kept");
    }
}

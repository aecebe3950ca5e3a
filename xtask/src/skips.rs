use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// Reads the tests that reported that they cannot run here, each with its reason.
pub(crate) fn reported(path: &Path) -> io::Result<BTreeSet<String>> {
    let text = fs::read_to_string(path)?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The tests that are marked to be ignored, by the output of the runners. With a filter, nextest
/// lists what the filter leaves out in the same way, so that those lines tell nothing.
pub(crate) fn ignored(lines: &[String], filtered: bool) -> BTreeSet<String> {
    const MARKED: &str = "It is marked to be ignored.";
    let mut found = BTreeSet::new();
    for line in lines {
        let harness = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... ignored"));
        if let Some((name, reason)) = harness {
            let reason = reason.strip_prefix(", ").filter(|text| !text.is_empty());
            found.insert(format!("{name}: {}", reason.unwrap_or(MARKED)));
        }
        let nextest = line
            .trim_start()
            .strip_prefix("SKIP [")
            .filter(|_| !filtered);
        if let Some((_, name)) = nextest.and_then(|rest| rest.split_once(") ")) {
            found.insert(format!("{name}: {MARKED}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_tests_are_named() {
        let lines = [
            "test a::b ... ignored, needs a printer",
            "test c ... ignored",
            "        SKIP [         ] ( 1/20) crate d",
        ]
        .map(str::to_owned);
        let all: Vec<String> = ignored(&lines, false).into_iter().collect();
        let marked = "It is marked to be ignored.";
        let expected = [
            "a::b: needs a printer".to_owned(),
            format!("c: {marked}"),
            format!("crate d: {marked}"),
        ];
        assert_eq!(all, expected);
        assert_eq!(ignored(&lines, true).len(), 2);
    }
}

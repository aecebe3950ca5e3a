use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// A secret of this run that was printed: its number, and the line of the log. The secret itself is
/// not shown.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leak {
    pub(crate) secret: usize,
    pub(crate) line: usize,
}

/// Looks for each line of `secrets` in the log.
pub(crate) fn find(secrets: &Path, log: &Path) -> io::Result<Vec<Leak>> {
    let secrets = fs::read_to_string(secrets)?;
    let log = fs::read(log)?;
    Ok(find_in(&secrets, &String::from_utf8_lossy(&log)))
}

fn find_in(secrets: &str, log: &str) -> Vec<Leak> {
    let secrets: BTreeSet<&str> = secrets
        .lines()
        .filter(|secret| !secret.is_empty())
        .collect();
    // Most runs print none: one search for each in the whole text is quick.
    let printed = secrets
        .iter()
        .enumerate()
        .filter(|(_, secret)| log.contains(*secret));
    let mut found = Vec::new();
    for (number, secret) in printed {
        let lines = log.lines().enumerate();
        let lines = lines.filter(|(_, line)| line.contains(secret));
        found.extend(lines.map(|(line, _)| Leak {
            secret: number + 1,
            line: line + 1,
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_its_line() {
        let found = find_in("one\ntwo\n\ntwo\n", "a\nb one\nc\n");
        assert_eq!(found, [Leak { secret: 1, line: 2 }]);
        assert!(find_in("", "a\n").is_empty());
    }
}

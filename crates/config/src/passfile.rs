//! libpq's file of passwords, `.pgpass`.

use std::path::Path;

use underpin_core::{Address, Endpoint, Secret};

/// Where libpq looks for a socket, each for `localhost` in the file.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The password that the text has for this place and user, and its line: the first line that
/// fits, as libpq has it.
pub(crate) fn find(
    text: &str,
    endpoint: &Endpoint,
    database: &str,
    user: &str,
) -> Option<(Secret, usize)> {
    let (host, port) = match &endpoint.address {
        Address::Tcp { host, port, .. } => (host.clone(), port),
        Address::Unix { directory, port } => {
            let directory = directory.to_string_lossy();
            let usual = SOCKET_DIRECTORIES.contains(&&*directory);
            let host = if usual { "localhost" } else { &directory };
            (host.to_owned(), port)
        }
        _ => return None,
    };
    let wanted = [host.as_str(), &port.to_string(), database, user];
    let mut lines = text.lines().enumerate();
    lines.find_map(|(index, line)| Some((password(line, wanted)?, index + 1)))
}

fn password(line: &str, wanted: [&str; 4]) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    for wanted in wanted {
        let (field, after) = field(rest)?;
        if rest.strip_prefix("*:").is_none() && field != wanted {
            return None;
        }
        rest = after;
    }
    // A colon in the password need not be escaped.
    let mut password = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => password.extend(characters.next()),
            _ => password.push(character),
        }
    }
    Some(password.into())
}

/// The field that the line begins with, without its escapes, and what follows its colon.
fn field(line: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => field.extend(characters.next().map(|(_, escaped)| escaped)),
            ':' => return Some((field, &line[at + 1..])),
            _ => field.push(character),
        }
    }
    None
}

/// Whether others than the file's user may read or change it; libpq ignores such a file.
#[cfg(unix)]
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// Where permissions are not known, libpq asks for none.
#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_for_the_place_and_user_that_it_names() {
        let text = "# db1:5432:shop:app:comment\n\
                    db1:5432:shop:app:one\n\
                    db1:5433:shop:app:two\n\
                    db1:*:logs:app:three\n\
                    a\\:b:*:*:*:fo\\:u\\\\r:x\n\
                    localhost:5432:*:ada:five\n\
                    /run/pg:*:*:*:six\n\
                    short:5432:shop\n";
        let asked = |endpoint: Endpoint, database: &str, user: &str| {
            find(text, &endpoint, database, user).map(|(found, _)| found.expose().to_owned())
        };
        let tcp = |host: &str, port| Endpoint::tcp(host, port);
        let cases = [
            (tcp("db1", 5432), "shop", "app", Some("one")),
            (tcp("db1", 5433), "shop", "app", Some("two")),
            (tcp("db1", 9), "logs", "app", Some("three")),
            (tcp("db1", 9), "shop", "app", None),
            (tcp("db1", 5432), "shop", "bob", None),
            (tcp("db2", 5432), "shop", "app", None),
            (tcp("a:b", 1), "x", "y", Some("fo:u\\r:x")),
            (tcp("short", 5432), "shop", "app", None),
            (
                Endpoint::unix("/var/run/postgresql", 5432),
                "x",
                "ada",
                Some("five"),
            ),
            (Endpoint::unix("/tmp", 5432), "x", "ada", Some("five")),
            (Endpoint::unix("/run/pg", 1), "x", "y", Some("six")),
            (Endpoint::unix("/run/other", 5432), "x", "ada", None),
        ];
        for (endpoint, database, user, expected) in cases {
            let shown = format!("{endpoint} {database} {user}");
            assert_eq!(
                asked(endpoint, database, user).as_deref(),
                expected,
                "{shown}"
            );
        }
    }
}

use percent_encoding::percent_decode_str;

/// The URL with everything in it that is or may be a password shown as `***`: from the
/// first `:` after the `//` to the last `@`, the values of query keys that speak of a
/// password, and what stands where a port should and is none. What is not a URL is not
/// shown at all, since nobody can tell what in it is secret.
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = split_scheme(url) else {
        return "(not shown, since it may hold a password)".to_owned();
    };
    let place = rest.split('?').next().unwrap_or(rest);
    if place.contains(';') && place.contains('=') {
        // A connection string, whose parts have no order and no names that all drivers share.
        return format!("{scheme}***");
    }
    let mut hidden = vec![false; rest.len()];
    if let (Some(colon), Some(at)) = (rest.find(':'), rest.rfind('@'))
        && colon < at
    {
        hidden[colon + 1..at].fill(true);
    }
    hide_secret_parameters(rest, &mut hidden);
    if scheme.ends_with("//") && !rest.contains('@') {
        hide_what_is_no_port(rest, &mut hidden);
    }
    let mut shown = scheme.to_owned();
    let mut before = false;
    for (index, character) in rest.char_indices() {
        match (hidden[index], before) {
            (true, false) => shown.push_str("***"),
            (true, true) => {}
            // A line end in a URL must not become one in a log.
            (false, _) if character.is_control() => shown.extend(character.escape_default()),
            (false, _) => shown.push(character),
        }
        before = hidden[index];
    }
    shown
}

/// Everything up to and with `://` (or `sqlite:`, which needs no slashes), and the rest.
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let colon = url.find(':')?;
    let scheme = &url[..colon];
    let known = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let after = &url[colon + 1..];
    match () {
        () if !known => None,
        () if after.starts_with("//") => Some(url.split_at(colon + 3)),
        () if scheme.to_ascii_lowercase().starts_with("sqlite") => Some(url.split_at(colon + 1)),
        () => None,
    }
}

fn hide_secret_parameters(rest: &str, hidden: &mut [bool]) {
    let starts = rest.match_indices(['?', '&']).map(|(index, _)| index + 1);
    for start in starts {
        let end = rest[start..]
            .find('&')
            .map_or(rest.len(), |length| start + length);
        if let Some(length) = rest[start..end].find('=') {
            let key = percent_decode_str(&rest[start..start + length]).decode_utf8_lossy();
            let key = key.to_ascii_lowercase();
            if ["pass", "pwd", "secret", "token"]
                .iter()
                .any(|word| key.contains(word))
            {
                hidden[start + length + 1..end].fill(true);
            }
        }
    }
}

/// `postgres://app:hunter2` is a password whose host was forgotten.
fn hide_what_is_no_port(rest: &str, hidden: &mut [bool]) {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let is_port = |host: &str| {
        let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
        after
            .split_once(':')
            .is_none_or(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
    };
    if let Some(colon) = rest[..end].find(':')
        && !rest[..end].split(',').all(is_port)
    {
        hidden[colon + 1..].fill(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_may_be_secret() {
        let cases = [
            ("postgres://u:p@h/db", "postgres://u:***@h/db"),
            ("postgres://u:p@ss/w@h/db", "postgres://u:***@h/db"),
            ("postgres://u@h:5432/db", "postgres://u@h:5432/db"),
            ("postgres://u:hunter2", "postgres://u:***"),
            (
                "postgres://h1:5433,[::1]:5434/db",
                "postgres://h1:5433,[::1]:5434/db",
            ),
            (
                "postgres://h/db?password=a@b&x=1",
                "postgres://h/db?password=***&x=1",
            ),
            (
                "postgres://h/db?p%61ssword=a",
                "postgres://h/db?p%61ssword=***",
            ),
            (
                "postgres://h/db?sslpassword=a",
                "postgres://h/db?sslpassword=***",
            ),
            ("postgres://u:é€@h", "postgres://u:***@h"),
            ("sqlite:///a.db?mode=ro", "sqlite:///a.db?mode=ro"),
            ("sqlite::memory:", "sqlite::memory:"),
        ];
        for (url, expected) in cases {
            assert_eq!(masked(url), expected);
        }
        for url in [
            "u:hunter2@h",
            "host=h password=hunter2",
            "postgres:u:hunter2@h",
            "hunter2",
        ] {
            assert!(!masked(url).contains("hunter2"), "{url}");
        }
    }
}

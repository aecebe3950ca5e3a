/// The parts of a database to read. By default all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The namespaces; empty: all but the system's own. Ignored on SQLite.
    pub namespaces: Vec<String>,
    /// Names of tables, views and materialized views, where `*` stands for any characters.
    /// Empty: everything. Where it is not, nothing else is read but what belongs to them.
    pub tables: Vec<String>,
    /// Names, in the same form, of tables, views and materialized views to leave out.
    pub exclude: Vec<String>,
}

/// A name in which `*` stands for anything, as a pattern of LIKE with a backslash as its escape.
pub(crate) fn like_pattern(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        match c {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    pattern
}

/// Whether a name is of a pattern, in which `*` stands for any characters: what the patterns of
/// a [`Selection`] are.
pub fn name_matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, rest)) => name.strip_prefix(begin).is_some_and(|left| {
            let mut ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            ends.any(|at| name_matches(rest, &left[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("users", "users", true),
            ("users", "users2", false),
            ("user*", "user", true),
            ("*_2026", "orders_2026", true),
            ("a*b*c", "a_b_b_c", true),
            ("a*b*c", "a_b_", false),
            ("*", "", true),
            ("é*", "éa", true),
        ] {
            assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn only_a_star_stands_for_anything() {
        assert_eq!(like_pattern("tmp_*"), "tmp\\_%");
        assert_eq!(like_pattern("100%"), "100\\%");
    }
}

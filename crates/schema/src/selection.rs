/// What is to be read of a database. By default all of it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_stands_for_anything() {
        assert_eq!(like_pattern("tmp_*"), "tmp\\_%");
        assert_eq!(like_pattern("100%"), "100\\%");
    }
}

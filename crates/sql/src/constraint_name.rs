use std::collections::BTreeSet;

/// The longest name that PostgreSQL keeps.
const MAX_BYTES: usize = 63;

/// The name that PostgreSQL gives to a constraint without one: `table_column_label`, with a
/// number where that is taken. The columns are joined; there may be none. Parts that are too
/// long together are cut, the longer one first.
pub fn constraint_name(
    table: &str,
    columns: &[String],
    label: &str,
    taken: &BTreeSet<String>,
) -> String {
    let columns = columns.join("_");
    let mut name = made(table, &columns, label);
    let mut number = 0;
    while taken.contains(&name) {
        number += 1;
        name = made(table, &columns, &format!("{label}{number}"));
    }
    name
}

fn made(table: &str, columns: &str, label: &str) -> String {
    let separators = if columns.is_empty() { 1 } else { 2 };
    let room = MAX_BYTES.saturating_sub(label.len() + separators);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room {
        match first > second {
            true => first -= 1,
            false => second -= 1,
        }
    }
    let (table, columns) = (beginning(table, first), beginning(columns, second));
    match columns {
        "" => format!("{table}_{label}"),
        columns => format!("{table}_{columns}_{label}"),
    }
}

/// So many bytes of a text, or fewer where a character would be cut in two.
fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str, columns: &[&str], taken: &[&str]) -> String {
        let columns: Vec<String> = columns.iter().map(|one| (*one).to_owned()).collect();
        let taken = taken.iter().map(|one| (*one).to_owned()).collect();
        constraint_name(table, &columns, "key", &taken)
    }

    #[test]
    fn a_name_tells_the_table_and_the_columns() {
        assert_eq!(name("users", &["email"], &[]), "users_email_key");
        assert_eq!(name("users", &["a", "b"], &[]), "users_a_b_key");
        assert_eq!(name("users", &[], &[]), "users_key");
        assert_eq!(name("u", &["a"], &["u_a_key", "u_a_key1"]), "u_a_key2");
    }

    #[test]
    fn a_long_name_is_cut_as_postgresql_cuts_it() {
        let (long, other) = ("t".repeat(60), "c".repeat(40));
        let cut = name(&long, &[&other], &[]);
        assert_eq!(cut, format!("{}_{}_key", "t".repeat(29), "c".repeat(29)));
        assert_eq!(name(&"ö".repeat(40), &[], &[]).len(), 62);
    }
}

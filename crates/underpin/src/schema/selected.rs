use underpin_schema::{ObjectName, Schema, Selection};

/// What [`introspect`](super::introspect()) would have read of the schema, but for what is
/// unsupported, which stays.
pub(super) fn selected(mut schema: Schema, selection: &Selection) -> Schema {
    let inside = |namespace: &str| {
        let all = selection.namespaces.is_empty();
        all || selection.namespaces.iter().any(|name| name == namespace)
    };
    let relation = |name: &ObjectName| {
        let like = |patterns: &[String]| patterns.iter().any(|one| matches(one, &name.name));
        let picked = selection.tables.is_empty() || like(&selection.tables);
        inside(&name.namespace) && picked && !like(&selection.exclude)
    };
    let whole = selection.tables.is_empty();
    let object = |namespace: &str| whole && inside(namespace);
    schema.namespaces.retain(|name, _| object(name));
    schema.extensions.retain(|_, of| object(&of.namespace));
    schema.enums.retain(|name, _| object(&name.namespace));
    schema.domains.retain(|name, _| object(&name.namespace));
    schema.functions.retain(|name, _| object(&name.namespace));
    schema.sequences.retain(|name, of| match &of.owned_by {
        Some(owner) => relation(&owner.table),
        None => object(&name.namespace),
    });
    schema.tables.retain(|name, _| relation(name));
    schema.views.retain(|name, _| relation(name));
    schema.materialized_views.retain(|name, _| relation(name));
    schema
}

/// Whether the name is of the pattern, in which `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, rest)) => name.strip_prefix(begin).is_some_and(|left| {
            let mut ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            ends.any(|at| matches(rest, &left[at..]))
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
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}

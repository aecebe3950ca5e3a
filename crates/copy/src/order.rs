//! The order of tables: each after those that it refers to.

use std::collections::{BTreeMap, BTreeSet};

use underpin_schema::{ObjectName, Table};

/// Tables that are copied together, since they refer to one another; mostly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The tables, by name.
    pub tables: Vec<ObjectName>,
    /// Whether rows of these tables refer to rows of these tables: no order satisfies the foreign
    /// keys row by row.
    pub circular: bool,
    /// The groups that come before, by their place in the order.
    pub after: BTreeSet<usize>,
}

/// The tables in groups, each after those that it refers to. Where there is a choice, by name.
pub fn groups(tables: &BTreeMap<ObjectName, Table>) -> Vec<Group> {
    let names: Vec<&ObjectName> = tables.keys().collect();
    let place: BTreeMap<&ObjectName, usize> = names.iter().copied().zip(0..).collect();
    let refers: Vec<BTreeSet<usize>> = tables
        .values()
        .map(|table| {
            let keys = table.foreign_keys.values();
            keys.filter_map(|key| place.get(&key.references).copied())
                .collect()
        })
        .collect();
    let circles = circles(&refers);
    let mut group_of = vec![0; names.len()];
    for (number, circle) in circles.iter().enumerate() {
        for table in circle {
            group_of[*table] = number;
        }
    }
    let group = |(number, circle): (usize, &Vec<usize>)| {
        let referred: BTreeSet<usize> = circle.iter().flat_map(|at| refers[*at].clone()).collect();
        let mut after: BTreeSet<usize> = referred.iter().map(|at| group_of[*at]).collect();
        let circular = after.remove(&number);
        Group {
            tables: circle.iter().map(|at| names[*at].clone()).collect(),
            circular,
            after,
        }
    };
    circles.iter().enumerate().map(group).collect()
}

/// The strongly connected parts of a graph, each after those that it leads to (Tarjan), without
/// recursion.
fn circles(leads: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let mut index = vec![NEW; leads.len()];
    let mut low = vec![0; leads.len()];
    let mut on_stack = vec![false; leads.len()];
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..leads.len() {
        if index[root] != NEW {
            continue;
        }
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut enter = Some(root);
        loop {
            if let Some(node) = enter.take() {
                (index[node], low[node]) = (count, count);
                count += 1;
                stack.push(node);
                on_stack[node] = true;
                // Popped from the end, so that the first by name comes first.
                path.push((node, leads[node].iter().rev().copied().collect()));
            }
            let Some((node, left)) = path.last_mut() else {
                break;
            };
            let node = *node;
            match left.pop() {
                Some(next) if index[next] == NEW => enter = Some(next),
                Some(next) if on_stack[next] => low[node] = low[node].min(index[next]),
                Some(_) => {}
                None => {
                    path.pop();
                    if let Some((before, _)) = path.last() {
                        low[*before] = low[*before].min(low[node]);
                    }
                    if low[node] == index[node] {
                        let mut circle = Vec::new();
                        while let Some(member) = stack.pop() {
                            on_stack[member] = false;
                            circle.push(member);
                            if member == node {
                                break;
                            }
                        }
                        circle.sort_unstable();
                        found.push(circle);
                    }
                }
            }
        }
    }
    found
}

/// The tables that refer to these, directly or through others, and these themselves: what is
/// emptied with them.
pub fn with_dependents(
    tables: &BTreeMap<ObjectName, Table>,
    of: &BTreeSet<ObjectName>,
) -> BTreeSet<ObjectName> {
    let mut all = of.clone();
    loop {
        let before = all.len();
        for (name, table) in tables {
            let mut keys = table.foreign_keys.values();
            if keys.any(|key| all.contains(&key.references)) {
                all.insert(name.clone());
            }
        }
        if all.len() == before {
            return all;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underpin_schema::ForeignKey;

    use super::*;

    fn name(table: &str) -> ObjectName {
        ObjectName::new("public", table)
    }

    fn tables(refers: &[(&str, &[&str])]) -> BTreeMap<ObjectName, Table> {
        let table = |to: &[&str]| {
            let key = |to: &&str| ForeignKey {
                references: name(to),
                ..ForeignKey::default()
            };
            Table {
                foreign_keys: to.iter().map(|to| ((*to).to_owned(), key(to))).collect(),
                ..Table::default()
            }
        };
        refers
            .iter()
            .map(|(of, to)| (name(of), table(to)))
            .collect()
    }

    fn shown(groups: &[Group]) -> Vec<String> {
        let names = |group: &Group| {
            let names: Vec<&str> = group.tables.iter().map(|name| name.name.as_str()).collect();
            format!(
                "{}{}",
                names.join("+"),
                if group.circular { "!" } else { "" }
            )
        };
        groups.iter().map(names).collect()
    }

    #[test]
    fn a_table_comes_after_those_it_refers_to() {
        let shop = tables(&[
            ("a_items", &["orders", "products"]),
            ("orders", &["users"]),
            ("products", &[]),
            ("users", &[]),
            ("zones", &["elsewhere"]),
        ]);
        let groups = groups(&shop);
        assert_eq!(
            shown(&groups),
            ["users", "orders", "products", "a_items", "zones"]
        );
        assert_eq!(groups[3].after, BTreeSet::from([1, 2]));
    }

    #[test]
    fn circles_are_copied_together() {
        let circles = tables(&[
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a", "d"]),
            ("d", &["d"]),
            ("e", &["a"]),
        ]);
        assert_eq!(shown(&groups(&circles)), ["d!", "a+b+c!", "e"]);
    }

    #[test]
    fn what_refers_to_a_table_goes_with_it() {
        let shop = tables(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]);
        let all = with_dependents(&shop, &BTreeSet::from([name("a")]));
        assert_eq!(all, BTreeSet::from([name("a"), name("b"), name("c")]));
        let only = with_dependents(&shop, &BTreeSet::from([name("c")]));
        assert_eq!(only, BTreeSet::from([name("c")]));
    }

    proptest! {
        #[test]
        fn every_table_is_in_one_group_after_what_it_refers_to(
            edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..40),
        ) {
            let named: Vec<String> = (0..12).map(|n| format!("t{n:02}")).collect();
            let mut refers: Vec<Vec<&str>> = vec![Vec::new(); 12];
            for (from, to) in &edges {
                refers[*from].push(&named[*to]);
            }
            let given: Vec<(&str, &[&str])> =
                named.iter().map(String::as_str).zip(refers.iter().map(Vec::as_slice)).collect();
            let tables = tables(&given);
            let groups = groups(&tables);
            let place: BTreeMap<&ObjectName, usize> = groups
                .iter()
                .enumerate()
                .flat_map(|(at, group)| group.tables.iter().map(move |name| (name, at)))
                .collect();
            prop_assert_eq!(place.len(), 12);
            prop_assert_eq!(groups.iter().map(|group| group.tables.len()).sum::<usize>(), 12);
            for (of, table) in &tables {
                for key in table.foreign_keys.values() {
                    let (of, to) = (place[of], place[&key.references]);
                    prop_assert!(to <= of);
                    prop_assert!(to != of || groups[of].circular);
                    prop_assert!(to == of || groups[of].after.contains(&to));
                }
            }
        }
    }
}

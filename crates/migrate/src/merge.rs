use std::fmt;

use underpin_core::{Class, Error, Result};

use crate::graph::Graph;
use crate::revision::{Origin, Revision, RevisionId, Script};
use crate::target::Target;
use crate::touched::{Object, touched};

/// What a revision that joins several heads stands on, and what a person should look at
/// before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merge {
    /// The heads, in the order of the graph.
    pub parents: Vec<RevisionId>,
    /// Objects that more than one of them touches since what they have in common.
    pub overlaps: Vec<Overlap>,
    /// Revisions on the way to them that could not be looked into: their way up is code.
    pub opaque: Vec<RevisionId>,
}

/// An object that two heads touch, each where the other does not know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// The object.
    pub object: Object,
    /// A revision on the way to the one head, and one on the way to the other.
    pub by: [Touch; 2],
}

/// A statement that touches an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Touch {
    /// The revision.
    pub id: RevisionId,
    /// Where it was read.
    pub origin: Origin,
    /// The line of the statement.
    pub line: usize,
}

/// What merges the heads that the targets name; all heads where none is named.
///
/// The overlaps are found by the words of the statements alone. Two branches may touch the
/// same table and get along, and may disagree about rows without touching the same table:
/// it says where to look.
///
/// # Errors
/// [`Class::Config`] where the targets name fewer than two heads, or something else.
pub fn merge(graph: &Graph, targets: &[Target]) -> Result<Merge> {
    let places = heads(graph, targets)?;
    let revisions = graph.topological();
    let mut merge = Merge {
        parents: places.iter().map(|&p| revisions[p].id.clone()).collect(),
        overlaps: Vec::new(),
        opaque: Vec::new(),
    };
    let below: Vec<Vec<bool>> = places
        .iter()
        .map(|&p| graph.line().with_below([p]))
        .collect();
    for (index, one) in below.iter().enumerate() {
        for other in &below[index + 1..] {
            let [one, other] = [own(graph, one, other), own(graph, other, one)];
            for revision in one.iter().chain(&other) {
                if revision.up == Script::Code && !merge.opaque.contains(&revision.id) {
                    merge.opaque.push(revision.id.clone());
                }
            }
            overlaps(&touches(&one), &touches(&other), &mut merge.overlaps);
        }
    }
    Ok(merge)
}

fn heads(graph: &Graph, targets: &[Target]) -> Result<Vec<usize>> {
    let all = [Target::Heads];
    let targets = if targets.is_empty() { &all } else { targets };
    let mut places = Vec::new();
    for target in targets {
        let ends = graph.end_places(target)?.ok_or_else(|| {
            refused(format!(
                "`{target}` does not name a revision that can be merged."
            ))
            .with_hint("Name heads by their ids, their branches as in `shop@head`, or `heads`.")
        })?;
        places.extend(ends);
    }
    places.sort_unstable();
    places.dedup();
    let revision = |place: usize| &graph.topological()[place];
    if let Some(&inner) = places.iter().find(|&&p| !graph.line().above(p).is_empty()) {
        let id = &revision(inner).id;
        return Err(refused(format!(
            "The revision `{id}` is not a head: other revisions depend on it."
        ))
        .with_hint("`heads` lists the heads; `new --parent … --splice` stands on any revision."));
    }
    match places[..] {
        [] => Err(refused(
            "There are no revisions, so there is nothing to merge.".to_owned(),
        )),
        [one] => Err(refused(format!(
            "There is nothing to merge with the head `{}`.",
            revision(one).id
        ))
        .with_hint("A merge needs two heads or more; `heads` lists them.")),
        _ => Ok(places),
    }
}

fn refused(message: String) -> Error {
    Error::new(Class::Config, message)
}

/// What leads to the one and not to the other.
fn own<'g>(graph: &'g Graph, one: &[bool], other: &[bool]) -> Vec<&'g Revision> {
    let revisions = graph.topological().iter();
    let marked = revisions.zip(one.iter().zip(other));
    marked
        .filter(|(_, (one, other))| **one && !**other)
        .map(|(revision, _)| revision)
        .collect()
}

/// Each object that the ways up of these touch, where it is first touched.
fn touches(revisions: &[&Revision]) -> Vec<(Object, Touch)> {
    let mut found: Vec<(Object, Touch)> = Vec::new();
    for revision in revisions {
        let Script::Sql(sections) = &revision.up else {
            continue;
        };
        for section in sections {
            for statement in &section.statements {
                for object in touched(&statement.sql, section.engine) {
                    if !found.iter().any(|(known, _)| *known == object) {
                        let touch = Touch {
                            id: revision.id.clone(),
                            origin: revision.origin.clone(),
                            line: statement.line,
                        };
                        found.push((object, touch));
                    }
                }
            }
        }
    }
    found
}

fn overlaps(one: &[(Object, Touch)], other: &[(Object, Touch)], found: &mut Vec<Overlap>) {
    for (object, here) in one {
        for (same, there) in other {
            if object.may_be(same) {
                let named = if object.schema.is_some() {
                    object
                } else {
                    same
                };
                let overlap = Overlap {
                    object: named.clone(),
                    by: [here.clone(), there.clone()],
                };
                if !found.contains(&overlap) {
                    found.push(overlap);
                }
            }
        }
    }
}

/// In a full sentence.
impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = &self.by;
        write!(
            f,
            "Both sides change the {}: `{}` ({}, line {}) and `{}` ({}, line {}).",
            self.object, one.id, one.origin, one.line, other.id, other.origin, other.line
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision_file::parse;

    fn graph(files: &[(&str, &str, &str)]) -> Graph {
        let read = |(id, parents, up): &(&str, &str, &str)| {
            let text =
                format!("-- revision: {id}\n-- parents: {parents}\n-- message: m\n-- up\n{up}\n");
            parse(&format!("{id}.sql"), text.as_bytes()).unwrap()
        };
        Graph::new(files.iter().map(read).collect()).unwrap()
    }

    fn said(graph: &Graph) -> Vec<String> {
        let merge = merge(graph, &[]).unwrap();
        merge.overlaps.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn two_heads_that_touch_one_object_are_named_with_it() {
        let graph = graph(&[
            (
                "a",
                "none",
                "CREATE TABLE users (id int);\nCREATE TABLE jobs (id int);",
            ),
            ("b", "a", "CREATE TABLE mails (id int);"),
            ("b2", "b", "-- why\nALTER TABLE users ADD COLUMN a int;"),
            ("c", "a", "CREATE INDEX users_id ON app.Users (id);"),
        ]);
        assert_eq!(
            said(&graph),
            [
                "Both sides change the table `app.users`: `b2` (b2.sql, line 6) and `c` (c.sql, \
                 line 5)."
            ]
        );
    }

    #[test]
    fn what_came_before_the_parting_is_no_matter() {
        let graph = graph(&[
            ("a", "none", "CREATE TABLE users (id int);"),
            ("b", "a", "ALTER TABLE users ADD COLUMN a int;"),
            (
                "c",
                "a",
                "CREATE TABLE mails (user_id int REFERENCES users (id));",
            ),
        ]);
        assert_eq!(said(&graph), Vec::<String>::new());
    }

    #[test]
    fn every_pair_of_heads_is_looked_at() {
        let graph = graph(&[
            ("a", "none", "CREATE TYPE mood AS ENUM ('sad');"),
            ("b", "none", "CREATE TABLE t (a int);"),
            (
                "c",
                "none",
                "ALTER TYPE mood ADD VALUE 'ok';\nDROP TABLE t;",
            ),
        ]);
        let said = said(&graph);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("the type `mood`: `a` (a.sql, line 5) and `c`"));
        assert!(said[1].contains("the table `t`: `b` (b.sql, line 5) and `c` (c.sql, line 6)"));
    }

    #[test]
    fn code_cannot_be_looked_into() {
        let mut graph = graph(&[("a", "none", ""), ("b", "none", "")]);
        let mut revisions = graph.topological().to_vec();
        revisions[0].up = Script::Code;
        graph = Graph::new(revisions).unwrap();
        assert_eq!(merge(&graph, &[]).unwrap().opaque[0].as_str(), "a");
    }

    #[test]
    fn fewer_than_two_heads_are_no_merge() {
        let graph = graph(&[("a", "none", ""), ("b", "a", ""), ("c", "a", "")]);
        let target = |text: &str| text.parse::<Target>().unwrap();
        let refused = |targets: &[Target]| merge(&graph, targets).unwrap_err().to_string();
        assert!(
            refused(&[target("b")]).starts_with("There is nothing to merge with the head `b`.")
        );
        assert!(refused(&[target("a"), target("b")]).starts_with("The revision `a` is not a head"));
        assert!(refused(&[target("-1")]).starts_with(
            "`-1` does not name a revision that can be \
                              merged."
        ));
        let both = merge(&graph, &[target("c"), target("b@head")]).unwrap();
        let parents: Vec<&str> = both.parents.iter().map(|id| id.as_str()).collect();
        assert_eq!(parents, ["b", "c"]);
    }
}

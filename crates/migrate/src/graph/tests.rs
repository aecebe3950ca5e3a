use std::error::Error as _;

use proptest::prelude::*;
use underpin_core::{Class, Error};

use super::*;
use crate::plan::samples::{graph, id, revision, written};
use crate::revision::Origin;

fn refused(revisions: &[&str]) -> Error {
    let error = Graph::new(revisions.iter().map(|text| written(text)).collect()).unwrap_err();
    assert_eq!(error.class(), Class::Config);
    error
}

fn cause(error: &Error) -> &GraphError {
    error.source().unwrap().downcast_ref().unwrap()
}

fn ids(revisions: &[&Revision]) -> String {
    let ids: Vec<&str> = revisions.iter().map(|r| r.id.as_str()).collect();
    ids.join(" ")
}

fn all(graph: &Graph) -> String {
    ids(&graph.topological().iter().collect::<Vec<_>>())
}

#[test]
fn no_revisions_are_a_graph() {
    let graph = Graph::new(Vec::new()).unwrap();
    assert!(graph.is_empty());
    assert_eq!(graph.head().unwrap(), None);
    assert!(graph.heads().is_empty() && graph.bases().is_empty());
    let error = graph.resolve("a").unwrap_err();
    assert_eq!(error.hint(), Some("`migrate history` lists the revisions."));
}

#[test]
fn parents_come_before_children_and_else_the_lowest_id() {
    let graph = graph(&["d:a", "m:d c", "c:a", "a", "b", "z:m", "aa:z"]);
    assert_eq!(all(&graph), "a b c d m z aa");
    assert_eq!(ids(&graph.heads()), "b aa");
    assert_eq!(ids(&graph.bases()), "a b");
    assert_eq!(ids(&graph.children(&id("a"))), "c d");
    assert_eq!(ids(&graph.ancestors(&id("m"))), "a c d");
    assert_eq!(ids(&graph.descendants(&id("c"))), "m z aa");
    assert_eq!(graph.len(), 7);
    assert!(graph.get(&id("x")).is_none());
    assert!(graph.ancestors(&id("x")).is_empty() && graph.children(&id("x")).is_empty());
}

#[test]
fn a_parent_named_twice_is_one() {
    let graph = graph(&["a", "b:a a"]);
    assert_eq!(ids(&graph.children(&id("a"))), "b");
}

#[test]
fn a_cycle_is_shown() {
    let error = refused(&["a", "b:a d", "c:b", "d:c", "e:d"]);
    assert_eq!(
        error.message(),
        "The revisions depend on each other in a cycle: `b` (b.sql), which has the parent `d` \
         (d.sql), which has the parent `c` (c.sql), which has the parent `b`."
    );
    let GraphError::CycleDetected { cycle } = cause(&error) else {
        panic!("{error:?}");
    };
    assert_eq!(cycle.len(), 3);
    assert!(matches!(
        cause(&refused(&["a:a"])),
        GraphError::CycleDetected { cycle } if cycle.len() == 1
    ));
}

#[test]
fn a_cycle_through_a_dependency_is_shown() {
    let error = refused(&["a: >c", "b:a", "c:b"]);
    assert_eq!(
        error.to_string(),
        "The revisions depend on each other in a cycle: `a` (a.sql), which depends on `c` \
         (c.sql), which has the parent `b` (b.sql), which has the parent `a`. Correct the \
         parents or the dependencies of one of them; the oldest must not depend on any of the others."
    );
    assert!(matches!(
        cause(&refused(&["a: >a"])),
        GraphError::CycleDetected { cycle } if cycle[0].by == Edge::Dependency
    ));
}

#[test]
fn a_missing_dependency_is_named() {
    assert_eq!(
        refused(&["a: >b"]).to_string(),
        "The revision `a` (a.sql) depends on `b`, but no revision has this id. Restore its file, \
         or remove it from the dependencies."
    );
}

#[test]
fn a_dependency_is_no_parent() {
    let graph = graph(&["z", "a: >z", "b:a"]);
    assert_eq!(all(&graph), "z a b");
    assert_eq!(ids(&graph.heads()), "z b");
    assert_eq!(ids(&graph.bases()), "z a");
    assert_eq!(ids(&graph.ancestors(&id("b"))), "a");
    assert!(graph.children(&id("z")).is_empty());
}

#[test]
fn a_label_names_one_branch() {
    for (revisions, said) in [
        (
            ["a:#shop", "b:#shop"],
            "The revision `b` (b.sql) has the branch label `shop`, which already names `a` (a.sql).",
        ),
        (
            ["a", "b:#a"],
            "The revision `b` (b.sql) has the branch label `a`, which already names `a` (a.sql).",
        ),
        (
            ["a", "b:#head"],
            "The revision `b` (b.sql) has the branch label `head`, which already means a target.",
        ),
    ] {
        let error = refused(&revisions);
        assert_eq!(error.message(), said);
        assert!(matches!(cause(&error), GraphError::BranchTaken { .. }));
    }
}

/// As Alembic has it: the revision, what descends from it, and what leads to it from the
/// last parting.
#[test]
fn a_label_reaches_from_the_parting_to_the_heads() {
    let graph = graph(&["a", "b:a", "c:a", "d:c #shop", "e:d", "m:e b", "f:e"]);
    let on = |name: &str| {
        let labels = graph.branch_labels(&id(name));
        labels.iter().any(|label| label.as_str() == "shop")
    };
    let named: String = "abcdefm".chars().filter(|c| on(&c.to_string())).collect();
    assert_eq!(named, "cdefm");
    assert_eq!(graph.resolve("shop").unwrap().id, id("d"));
}

#[test]
fn branches_begin_where_the_graph_parts_and_at_labels() {
    let graph = graph(&["a", "b:a", "c:a", "d:c #shop", "m:b d", "x", "y:x"]);
    let shown: Vec<String> = graph
        .branches()
        .iter()
        .map(|branch| {
            format!(
                "{:?} {:?} {:?} {:?}",
                branch.labels, branch.from, branch.first, branch.heads
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "[] [] a [m]",
            "[] [a] b [m]",
            "[] [a] c [m]",
            "[shop] [c] d [m]",
            "[] [] x [y]",
        ]
    );
}

#[test]
fn a_missing_parent_is_named_with_the_nearest() {
    let error = refused(&["3f9c2a1b7d40", "91b2:3f9c2a1b7d41"]);
    assert_eq!(
        error.to_string(),
        "The revision `91b2` (91b2.sql) has the parent `3f9c2a1b7d41`, but no revision has this \
         id. The nearest known id is `3f9c2a1b7d40` (make 3f9c2a1b7d40); if the file of the \
         parent is missing, restore it."
    );
    assert!(matches!(cause(&error), GraphError::MissingParent { .. }));
    assert!(
        refused(&["a:b"])
            .hint()
            .unwrap()
            .contains("Restore its file")
    );
}

#[test]
fn two_files_with_one_id_are_both_named() {
    let mut other = revision("a", &[]);
    other.origin = Origin::File("copy of a.sql".to_owned());
    for pair in [
        vec![revision("a", &[]), other.clone()],
        vec![other, revision("a", &[])],
    ] {
        let error = Graph::new(pair).unwrap_err();
        assert_eq!(
            error.message(),
            "Two revisions have the id `a`: one in a.sql, the other in copy of a.sql."
        );
        assert!(matches!(cause(&error), GraphError::DuplicateId { .. }));
    }
}

#[test]
fn no_revision_is_called_as_a_target() {
    for name in ["head", "heads", "base"] {
        assert!(matches!(
            cause(&refused(&[name])),
            GraphError::ReservedId { .. }
        ));
    }
}

#[test]
fn several_heads_are_an_error_only_where_one_is_asked_for() {
    let graph = graph(&["a", "b:a", "c:a"]);
    let error = graph.head().unwrap_err();
    assert_eq!(
        error.message(),
        "There are 2 heads, and `head` could mean any of them: `b` (make b), `c` (make c)."
    );
    assert!(matches!(cause(&error), GraphError::MultipleHeads { .. }));
}

#[test]
fn a_unique_beginning_is_enough() {
    let graph = graph(&["3f9c", "3f", "91b2:3f", "91c3:3f"]);
    assert_eq!(graph.resolve("3f").unwrap().id, id("3f"));
    assert_eq!(graph.resolve("3f9").unwrap().id, id("3f9c"));
    assert_eq!(graph.resolve("91c").unwrap().id, id("91c3"));
    let error = graph.resolve("9").unwrap_err();
    assert_eq!(
        error.message(),
        "The ids of 2 revisions begin with `9`: `91b2` (make 91b2), `91c3` (make 91c3)."
    );
    assert!(matches!(
        cause(&error),
        GraphError::AmbiguousRevision { .. }
    ));
    let error = graph.resolve("91d3").unwrap_err();
    assert_eq!(
        error.to_string(),
        "No revision has an id that is or begins with `91d3`. The nearest known one is `91c3` \
         (make 91c3)."
    );
    assert!(graph.resolve("").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any set of revisions, sound or not, is a graph or is refused; and the same in any order.
    #[test]
    fn the_order_of_the_files_does_not_matter(
        edges in prop::collection::vec(prop::collection::vec(0..9_usize, 0..3), 0..9),
        turn in 0..9_usize,
    ) {
        let mut revisions: Vec<Revision> = edges.iter().enumerate().map(|(place, parents)| {
            let parents: Vec<String> = parents.iter().map(|p| format!("r{p}")).collect();
            let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
            revision(&format!("r{place}"), &parents)
        }).collect();
        let first = super::build::build(revisions.clone());
        let turn = turn.min(revisions.len());
        revisions.rotate_left(turn);
        revisions.reverse();
        let second = super::build::build(revisions);
        match (&first, &second) {
            (Ok(first), Ok(second)) => {
                prop_assert_eq!(first.topological(), second.topological());
                for (place, revision) in first.topological().iter().enumerate() {
                    for parent in &revision.parents {
                        prop_assert!(first.place(parent).unwrap() < place);
                    }
                }
            }
            (Err(first), Err(second)) => prop_assert_eq!(first, second),
            _ => prop_assert!(false, "{first:?} {second:?}"),
        }
    }

    #[test]
    fn any_text_is_resolved_or_refused(text in ".{0,6}|[0-9a-f]{1,4}") {
        let graph = graph(&["3f9c", "91b2:3f9c", "ab:91b2"]);
        if let Ok(revision) = graph.resolve(&text) {
            prop_assert!(revision.id.as_str().starts_with(&text));
        }
    }
}

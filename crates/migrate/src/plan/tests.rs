use std::error::Error as _;
use std::num::NonZeroUsize;

use underpin_core::{Class, Error};

use super::samples::{applied, checksum, graph, history, id, revision, script, stopped};
use super::*;
use crate::checksum::statement_hash;
use crate::history::Applied;
use crate::outline::{Mark, current, outline};
use crate::repair::repair;
use crate::revision::{Revision, Script, Statement};
use crate::stamp::{StampChange, stamp};
use crate::validate::validate;

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

fn up(graph: &Graph, history: &History, to: &str) -> Result<Plan> {
    let one = Mode::OneTransaction;
    plan_up(graph, history, &target(to), Engine::POSTGRES, one)
}

fn down(graph: &Graph, history: &History, to: &str) -> Result<Plan> {
    let one = Mode::OneTransaction;
    plan_down(graph, history, &target(to), Engine::POSTGRES, one)
}

fn names(plan: Result<Plan>) -> String {
    let plan = plan.unwrap();
    let names: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    names.join(" ")
}

fn cause(error: &Error) -> &PlanError {
    assert_eq!(error.class(), Class::Config);
    error.source().unwrap().downcast_ref().unwrap()
}

fn graph_of(revisions: Vec<Revision>) -> Graph {
    Graph::new(revisions).unwrap()
}

fn groups(plan: &Plan) -> Vec<(Range<usize>, bool)> {
    let groups = plan.groups.iter();
    groups.map(|g| (g.steps.clone(), g.transactional)).collect()
}

#[test]
fn targets_of_up() {
    let graph = graph(&["a", "b:a", "c:b", "x"]);
    let none = History::default();
    assert_eq!(names(up(&graph, &none, "heads")), "a b c x");
    assert_eq!(names(up(&graph, &none, "b")), "a b");
    assert_eq!(names(up(&graph, &none, "c@+2")), "a b");
    assert_eq!(names(up(&graph, &history("a b"), "+9")), "c x");
    assert_eq!(names(up(&graph, &history("a b"), "a")), "");
    assert!(up(&graph, &history("a b c x"), "heads").unwrap().is_empty());
    assert_eq!(
        up(&graph, &none, "head").unwrap_err().message(),
        "There are 2 heads, and `head` could mean any of them: `c` (make c), `x` (make x)."
    );
    let error = up(&graph, &none, "base").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`up` does not go to `base`. `down base` goes there."
    );
    assert!(up(&graph, &none, "-1").is_err());
}

#[test]
fn targets_of_down() {
    let graph = graph(&["a", "b:a", "c:b", "d:b", "x"]);
    let all = history("a b x c d");
    assert_eq!(names(down(&graph, &all, "base")), "d c x b a");
    assert_eq!(names(down(&graph, &history("a b c"), "-2")), "c b");
    assert_eq!(names(down(&graph, &all, "a")), "d c b", "x is elsewhere");
    assert_eq!(names(down(&graph, &all, "d")), "");
    assert_eq!(names(down(&graph, &History::default(), "base")), "");
    let error = down(&graph, &history("a b"), "x").unwrap_err();
    assert_eq!(
        error.message(),
        "The revision `x` (make x) is not applied, so there is no way down to it."
    );
    let error = down(&graph, &history("a b"), "-3").unwrap_err();
    assert_eq!(
        error.message(),
        "3 revisions should be reverted, but 2 are applied."
    );
    for to in ["head", "heads", "+1"] {
        let error = down(&graph, &all, to).unwrap_err();
        assert_eq!(error.hint(), Some(&*format!("`up {to}` goes there.")));
    }
}

#[test]
fn a_revision_from_another_branch_is_applied_late() {
    let graph = graph(&["a", "b:a", "c:a", "m:b c"]);
    assert_eq!(names(up(&graph, &history("a c"), "head")), "b m");
    let late = history("a b m");
    assert_eq!(names(up(&graph, &late, "head")), "c");
    let findings = validate(&graph, &late, Engine::POSTGRES);
    assert_eq!(
        findings[0].to_string(),
        "The revision `c` (c.sql) is pending, although `m`, which depends on it, is applied."
    );
    assert!(!findings[0].blocks());
}

#[test]
fn down_strands_nothing() {
    let graph = graph(&["a", "b:a", "c:b"]);
    let late = history("a c b");
    assert_eq!(
        names(down(&graph, &late, "-1")),
        "c",
        "although b was the last"
    );
    assert_eq!(names(down(&graph, &late, "-3")), "c b a");
}

#[test]
fn steps_that_could_go_to_several_heads_name_them() {
    let graph = graph(&["a", "b:a", "c:a", "d:c"]);
    let none = History::default();
    assert_eq!(names(up(&graph, &none, "+1")), "a", "only a can come first");
    let error = up(&graph, &none, "+2").unwrap_err();
    assert_eq!(
        error.to_string(),
        "There are 2 heads, and `+2` could mean any of them: `b` (make b), `d` (make d). Name \
         the branch, as in `b@+2`, or the revision to go to."
    );
    assert_eq!(names(up(&graph, &none, "+4")), "a b c d", "all there are");
    assert_eq!(names(up(&graph, &none, "d@+2")), "a c");
    assert_eq!(names(up(&graph, &history("a b"), "+1")), "c");

    let both = history("a b c");
    let error = down(&graph, &both, "-1").unwrap_err();
    let said = "There are 2 heads, and `-1` could mean any of them: `b` (make b), `c` (make c).";
    assert_eq!(error.message(), said);
    assert_eq!(names(down(&graph, &both, "c@-1")), "c");
    assert_eq!(names(down(&graph, &both, "c@-2")), "c b a", "b stands on a");
    let error = down(&graph, &both, "c@-3").unwrap_err();
    assert_eq!(
        error.to_string(),
        "3 revisions should be reverted, but 2 are applied on the branch `c`. `down c@base` reverts \
         all of it."
    );
}

#[test]
fn a_diamond_has_one_head_and_no_doubt() {
    let graph = graph(&["a", "b:a", "c:a", "m:b c"]);
    assert_eq!(names(up(&graph, &history("a"), "+1")), "b");
    assert_eq!(names(down(&graph, &history("a b c m"), "-2")), "m c");
}

fn shop() -> Graph {
    graph(&["a", "b:a", "c:a #shop", "d:c", "e:d", "x: #mail", "y:x >d"])
}

#[test]
fn targets_on_a_branch() {
    let graph = shop();
    let none = History::default();
    assert_eq!(names(up(&graph, &none, "shop@head")), "a c d e");
    assert_eq!(names(up(&graph, &none, "shop@+2")), "a c");
    assert_eq!(names(up(&graph, &none, "shop")), "a c", "its own revision");
    assert_eq!(names(up(&graph, &none, "shop@d")), "a c d");
    assert_eq!(names(up(&graph, &none, "shop+1")), "a c d");
    assert_eq!(names(up(&graph, &none, "shop@head-1")), "a c d");
    assert_eq!(names(up(&graph, &none, "shop@base+2")), "a c");
    assert_eq!(names(up(&graph, &none, "mail@heads")), "a c d x y");

    let all = history("a b c d e x y");
    assert_eq!(names(down(&graph, &all, "shop@-1")), "e");
    assert_eq!(
        names(down(&graph, &all, "shop@a")),
        "y e d c",
        "b and x stay"
    );
    assert_eq!(names(down(&graph, &all, "mail@base")), "y x");
    assert_eq!(names(down(&graph, &all, "shop@base")), "y e d c b a");
    assert_eq!(
        names(down(&graph, &all, "a")),
        "y e d c b",
        "y depends on d"
    );
}

#[test]
fn a_target_that_is_not_on_its_branch_is_refused() {
    let graph = shop();
    let none = History::default();
    for (target, said) in [
        (
            "shop@x",
            "The revision `x` (make x) is not on the branch `shop`.",
        ),
        (
            "stop@head",
            "No branch has the label `stop`, and no revision has an id that begins with it.",
        ),
        (
            "a@head",
            "There are 2 heads, and `a@head` could mean any of them: `b` (make b), `e` (make e).",
        ),
        (
            "d+2",
            "There is no revision at `d+2`: 1 steps that way the graph ends.",
        ),
        (
            "a+1",
            "On the way to `a+1` there are 2 possible paths: `b` (make b), `c` (make c).",
        ),
    ] {
        assert_eq!(up(&graph, &none, target).unwrap_err().message(), said);
    }
    let unknown = up(&graph, &none, "stop@head").unwrap_err();
    assert_eq!(
        unknown.hint(),
        Some("There are the branches `mail`, `shop`.")
    );
    let error = up(&graph, &none, "shop@-1").unwrap_err();
    assert_eq!(error.hint(), Some("`down shop@-1` goes there."));
    let error = down(&graph, &history("a"), "shop@d").unwrap_err();
    assert!(error.message().contains("`d` (make d) is not applied"));
}

#[test]
fn what_a_revision_depends_on_is_applied_before_it_and_undone_after() {
    let graph = shop();
    let order: Vec<&str> = graph.topological().iter().map(|r| r.id.as_str()).collect();
    assert_eq!(order, ["a", "b", "c", "d", "e", "x", "y"]);
    assert_eq!(names(up(&graph, &History::default(), "y")), "a c d x y");
    assert_eq!(names(down(&graph, &history("x a c d y"), "c")), "y d");
    assert_eq!(current(&graph, &history("x a c d y")), [id("d"), id("y")]);
    let findings = validate(&graph, &history("a x y"), Engine::POSTGRES);
    assert!(
        matches!(&findings[0], Finding::OutOfOrder { id, .. } if id.as_str() == "c"),
        "{findings:?}"
    );
}

#[test]
fn several_heads_are_found_unless_labels_keep_them_apart() {
    let found = |revisions: &[&str]| {
        let findings = validate(&graph(revisions), &History::default(), Engine::POSTGRES);
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let two = ["There are 2 heads: `b` (make b), `c` (make c)."];
    assert_eq!(found(&["a", "b:a", "c:a"]), two);
    assert_eq!(found(&["a:#shop", "b:a", "c:a"]), two, "it leads to both");
    assert!(found(&["a", "b:a", "c:a #shop"]).is_empty());
    assert_eq!(found(&["a", "b:a", "c:a", "x:#mail"]), two);
}

#[test]
fn stamp_on_a_branch_leaves_the_others() {
    let graph = shop();
    let changes = stamp(&graph, &history("a b x"), &target("shop@d")).unwrap();
    let added: Vec<&str> = changes
        .iter()
        .map(|change| match change {
            StampChange::Add { id, .. } => id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(added, ["c", "d"]);
    let back = stamp(&graph, &history("a b c d x y"), &target("shop@c")).unwrap();
    let removed = |name| StampChange::Remove { id: id(name) };
    assert_eq!(back, [removed("y"), removed("d")], "y depends on d");
}

#[test]
fn a_changed_revision_is_refused_until_repair_accepts_it() {
    let graph = graph(&["a", "b:a"]);
    let changed = History::new([Applied {
        checksum: checksum("a", 7),
        ..applied("a")
    }]);
    for plan in [up(&graph, &changed, "head"), down(&graph, &changed, "base")] {
        let error = plan.unwrap_err();
        let (old, new) = (checksum("a", 7), checksum("a", 0));
        assert_eq!(
            error.message(),
            format!(
                "The revision `a` (a.sql) has changed since it was applied: its checksum was \
                 {old}, and is now {new}."
            )
        );
        assert!(error.hint().unwrap().contains("`repair`"));
    }
    let accepted = repair(&graph, &changed, Engine::SQLITE).unwrap();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].now, checksum("a", 0));
}

#[test]
fn an_applied_revision_without_a_file_is_refused() {
    let graph = graph(&["a"]);
    let ahead = history("a later");
    for plan in [up(&graph, &ahead, "head"), down(&graph, &ahead, "-1")] {
        assert_eq!(
            plan.unwrap_err().message(),
            "The database has the revision `later` (make later), but there is no file for it."
        );
    }
    assert_eq!(current(&graph, &ahead), [id("a"), id("later")]);
    let removed = StampChange::Remove { id: id("later") };
    assert_eq!(stamp(&graph, &ahead, &target("head")).unwrap(), [removed]);
}

fn half_way() -> Graph {
    let mut b = revision("b", &["a"]);
    b.up = script(&[(true, 2), (false, 3)]);
    b.down = script(&[(false, 2)]);
    graph_of(vec![revision("a", &[]), b, revision("c", &["a"])])
}

#[test]
fn up_goes_on_with_what_stopped_half_way_up() {
    let graph = half_way();
    let entries = [applied("a"), stopped("b", Direction::Up, 3)];
    let history = History::new(entries);
    let plan = up(&graph, &history, "heads").unwrap();
    assert_eq!((plan.steps[0].skip, plan.steps[0].statements), (3, 5));
    assert_eq!(plan.steps[0].sections(&graph).len(), 2);
    assert_eq!(groups(&plan), [(0..1, false), (1..2, true)]);
    assert_eq!(names(up(&graph, &history, "+1")), "b");

    let sentence = "The revision `b` (b.sql) stopped halfway up: 3 of its 5 statements for \
                    this engine ran, and their changes remain; statement 4, on line 2, did not.";
    for plan in [up(&graph, &history, "c"), down(&graph, &history, "base")] {
        let error = plan.unwrap_err();
        assert_eq!(error.message(), sentence);
        assert_eq!(
            error.hint().unwrap(),
            "Remove the cause of the failure of statement 4 and run `up` again, which continues with \
             it. Or run the remaining statements, or undo those that ran, by hand, and correct the \
             history with `stamp`."
        );
    }
    assert_eq!(current(&graph, &history), [id("a")]);
    assert_eq!(outline(&graph, &history)[1].mark, Mark::Partial);
    let finish = StampChange::Finish {
        id: id("b"),
        checksum: checksum("b", 0),
    };
    assert_eq!(stamp(&graph, &history, &target("b")).unwrap(), [finish]);
}

#[test]
fn down_goes_on_with_what_stopped_half_way_down() {
    let graph = half_way();
    let entries = [applied("a"), stopped("b", Direction::Down, 1), applied("c")];
    let history = History::new(entries);
    let plan = down(&graph, &history, "base").unwrap();
    assert_eq!(plan.steps[0].skip, 1);
    assert_eq!(groups(&plan), [(0..1, false), (1..3, true)]);
    assert_eq!(names(down(&graph, &history, "-1")), "b");
    for plan in [down(&graph, &history, "b"), up(&graph, &history, "heads")] {
        let error = plan.unwrap_err();
        assert!(
            error
                .message()
                .contains("`b` (b.sql) stopped halfway down: 1 of its 2")
        );
        assert!(error.hint().unwrap().contains("run `down` again"));
    }
}

#[test]
fn a_half_way_revision_that_changed_is_refused() {
    let graph = half_way();
    let history = History::new([
        applied("a"),
        Applied {
            checksum: checksum("b", 9),
            ..stopped("b", Direction::Up, 3)
        },
    ]);
    let error = up(&graph, &history, "heads").unwrap_err();
    let PlanError::History { findings } = cause(&error) else {
        panic!("{error}");
    };
    assert_eq!(findings.len(), 2);
    assert!(
        error
            .message()
            .ends_with("It is no longer the revision that ran.")
    );
    let hint = error.hint().unwrap();
    assert!(
        hint.starts_with("Accept the current `b` with `repair`"),
        "{hint}"
    );
    // Which statements ran is not known.
    let refused = repair(&graph, &history, Engine::SQLITE).unwrap_err();
    assert!(refused.message().contains("was not recorded"), "{refused}");
    let ran = |count| {
        let hash = statement_hash(&Statement::new("select  1 -- once", 9), Engine::SQLITE);
        let mut entry = history.entries()[1].clone();
        entry.statements_ran = vec![hash; count];
        History::new([applied("a"), entry])
    };
    let hash = statement_hash(&Statement::new("SELECT 1", 1), Engine::SQLITE);
    assert_ne!(
        ran(1).entries()[1].statements_ran,
        std::slice::from_ref(&hash),
        "the case counts"
    );
    let mut same = history.entries()[1].clone();
    same.statements_ran = vec![hash; 3];
    let same = History::new([applied("a"), same]);
    assert_eq!(repair(&graph, &same, Engine::SQLITE).unwrap().len(), 1);
    let refused = repair(&graph, &ran(3), Engine::SQLITE).unwrap_err();
    assert_eq!(
        refused.message(),
        "b.sql, line 1: The revision `b` stopped halfway up: its first 3 statements ran, and \
         statement 1 is not the one that ran."
    );
}

#[test]
fn more_done_than_there_is_goes_nowhere() {
    let entries = [applied("a"), stopped("b", Direction::Up, 6)];
    assert!(up(&half_way(), &History::new(entries), "heads").is_err());
    let entries = [applied("a"), stopped("b", Direction::Up, 5)];
    let plan = up(&half_way(), &History::new(entries), "b").unwrap();
    assert_eq!(plan.steps[0].skip, 5);
}

#[test]
fn there_is_no_way_through_an_irreversible_revision() {
    let mut b = revision("b", &["a"]);
    b.down = Script::Irreversible {
        reason: "The old values are gone.".to_owned(),
    };
    let graph = graph_of(vec![revision("a", &[]), b, revision("c", &["b"])]);
    let all = history("a b c");
    assert_eq!(names(down(&graph, &all, "b")), "c");
    let error = down(&graph, &all, "a").unwrap_err();
    assert_eq!(
        error.message(),
        "There is no way down through the revision `b` (b.sql): The old values are gone."
    );
    assert!(matches!(cause(&error), PlanError::Irreversible { .. }));
}

#[test]
fn what_stands_outside_a_transaction_splits_the_groups() {
    let mut c = revision("c", &["b"]);
    c.up = script(&[(true, 1), (false, 1)]);
    let graph = graph_of(vec![
        revision("a", &[]),
        revision("b", &["a"]),
        c,
        revision("d", &["c"]),
        revision("e", &["d"]),
    ]);
    let none = History::default();
    let plan = up(&graph, &none, "head").unwrap();
    assert_eq!(groups(&plan), [(0..2, true), (2..3, false), (3..5, true)]);
    let engine = plan.steps[0].engine;
    let each = plan_up(&graph, &none, &Target::Head, engine, Mode::PerRevision).unwrap();
    assert_eq!(each.groups.len(), 5);
    assert_eq!(each.steps, plan.steps);
    let back = down(&graph, &history("a b c d e"), "base").unwrap();
    assert_eq!(groups(&back), [(0..5, true)]);
}

#[test]
fn an_engine_runs_its_own_sections_and_those_for_all_in_the_order_of_the_file() {
    let mut a = revision("a", &[]);
    let Script::Sql(mut sections) = script(&[(true, 1), (false, 2), (true, 4)]) else {
        unreachable!()
    };
    sections[1].engine = Some(Engine::POSTGRES);
    a.up = Script::Sql(sections.clone());
    a.down = Script::Sql(sections.split_off(1)[..1].to_vec());
    let graph = graph_of(vec![a]);
    let plan = |engine| {
        let none = History::default();
        let mut plan = plan_up(&graph, &none, &Target::Head, engine, Mode::default()).unwrap();
        plan.steps.remove(0)
    };
    let postgres = plan(Engine::POSTGRES);
    assert_eq!(postgres.work, Work::Sql(vec![0, 1, 2]));
    assert_eq!((postgres.statements, postgres.transactional), (7, false));
    let sqlite = plan(Engine::SQLITE);
    assert_eq!(sqlite.work, Work::Sql(vec![0, 2]));
    assert_eq!((sqlite.statements, sqlite.transactional), (5, true));
    assert_eq!(sqlite.sections(&graph).len(), 2);
    let one = Mode::PerRevision;
    let back = plan_down(&graph, &history("a"), &Target::Base, Engine::SQLITE, one).unwrap();
    assert_eq!(back.steps[0].work, Work::Sql(Vec::new()));
}

#[test]
fn stamp_says_what_it_would_change() {
    let graph = graph(&["a", "b:a", "c:a"]);
    let changes = stamp(&graph, &history("a c"), &target("b")).unwrap();
    let added = StampChange::Add {
        id: id("b"),
        checksum: checksum("b", 0),
        message: "make b".to_owned(),
    };
    assert_eq!(changes, [StampChange::Remove { id: id("c") }, added]);
    assert!(stamp(&graph, &History::default(), &target("head")).is_err());
    let error = stamp(&graph, &History::default(), &target("+1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`stamp` does not go to `+1`. Name a revision, `head`, `heads` or `base`."
    );
}

#[test]
fn stamp_of_an_empty_directory_does_not_forget_everything() {
    let error = stamp(&Graph::default(), &history("a"), &Target::Head).unwrap_err();
    assert_eq!(
        error.message(),
        "There are no revisions, so there is no head."
    );
    let base = stamp(&Graph::default(), &history("a"), &Target::Base).unwrap();
    assert_eq!(base.len(), 1);
}

#[test]
fn the_outline_marks_what_is_where() {
    let graph = graph(&["a", "b:a", "c:b"]);
    let shown = outline(&graph, &history("a b gone"));
    let marks: Vec<(Mark, bool, bool)> =
        shown.iter().map(|e| (e.mark, e.current, e.head)).collect();
    assert_eq!(
        marks,
        [
            (Mark::Applied, false, false),
            (Mark::Applied, true, false),
            (Mark::Pending, false, true),
            (Mark::Unknown, true, false),
        ]
    );
    assert_eq!(shown[1].children, [id("c")]);
    assert_eq!(shown[3].message, "make gone");
}

#[test]
fn a_long_line_of_revisions_is_planned_whole() {
    let names: Vec<String> = (0..2_000).map(|n| format!("r{n:04}")).collect();
    let mut revisions = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let parents: Vec<&str> = names[..place]
            .last()
            .map(String::as_str)
            .into_iter()
            .collect();
        revisions.push(revision(name, &parents));
    }
    let graph = graph_of(revisions);
    let plan = up(&graph, &History::default(), "head").unwrap();
    assert_eq!((plan.len(), plan.groups.len()), (2_000, 1));
    let all = history(&names.join(" "));
    assert!(up(&graph, &all, "head").unwrap().is_empty());
    let five = Target::Back(NonZeroUsize::new(5).unwrap());
    let back = plan_down(&graph, &all, &five, Engine::POSTGRES, Mode::PerRevision);
    assert_eq!(back.unwrap().steps[0].id, id("r1999"));
}

/// A graph with the repeatable revisions `v`, which depends on `f`, and `f`.
fn with_repeatables(specs: &[&str]) -> Graph {
    let mut revisions: Vec<Revision> = graph(specs).topological().to_vec();
    for (name, depends_on) in [("v", "f"), ("z", "")] {
        let mut one = revision(name, &[]);
        one.repeatable = true;
        one.depends_on = depends_on.split_whitespace().map(id).collect();
        revisions.push(one);
    }
    let mut f = revision("f", &[]);
    f.repeatable = true;
    f.down = Script::Irreversible {
        reason: "No.".to_owned(),
    };
    revisions.push(f);
    graph_of(revisions)
}

#[test]
fn repeatable_revisions_run_after_all_others_and_again_when_they_change() {
    let graph = with_repeatables(&["a", "b:a"]);
    assert_eq!(names(up(&graph, &history(""), "head")), "a b f v z");
    assert_eq!(names(up(&graph, &history(""), "a")), "a");
    assert_eq!(names(up(&graph, &history("a b f v z"), "head")), "");
    assert_eq!(names(up(&graph, &history("a b f z"), "head")), "v");
    let changed = Applied {
        checksum: checksum("v", 1),
        ..applied("v")
    };
    let history = History::new(
        ["a", "b", "f", "z"]
            .map(applied)
            .into_iter()
            .chain([changed]),
    );
    assert_eq!(names(up(&graph, &history, "head")), "v");
    assert_eq!(validate(&graph, &history, Engine::POSTGRES), []);
    assert_eq!(repair(&graph, &history, Engine::POSTGRES).unwrap(), []);
    let listed = outline(&graph, &history);
    let due: Vec<&str> = listed
        .iter()
        .filter(|entry| entry.mark == Mark::Pending)
        .map(|entry| entry.id.as_str())
        .collect();
    assert_eq!(due, ["v"]);
    assert_eq!(current(&graph, &history), [id("b")]);
}

#[test]
fn the_way_down_begins_with_the_repeatable_revisions_that_have_one() {
    let graph = with_repeatables(&["a", "b:a"]);
    assert_eq!(names(down(&graph, &history("a b f v z"), "-1")), "z v b");
    assert_eq!(names(down(&graph, &history("a b f"), "base")), "b a");
    assert_eq!(names(down(&graph, &history("a f v"), "a")), "");
}

#[test]
fn stamping_all_records_the_repeatable_revisions_too() {
    let graph = with_repeatables(&["a", "b:a"]);
    let ids = |changes: Vec<StampChange>| -> Vec<String> {
        let id = |change: &StampChange| match change {
            StampChange::Add { id, .. } | StampChange::Finish { id, .. } => format!("+{id}"),
            StampChange::Remove { id } => format!("-{id}"),
        };
        changes.iter().map(id).collect()
    };
    let to = |history: &History, to: &str| ids(stamp(&graph, history, &target(to)).unwrap());
    assert_eq!(to(&history("a"), "head"), ["+b", "+f", "+v", "+z"]);
    assert_eq!(to(&history("a b f v z"), "a"), ["-z", "-v", "-f", "-b"]);
    assert_eq!(to(&history("a b f v z"), "head"), [""; 0]);
}

use std::collections::BTreeSet;
use std::error::Error as _;
use std::num::NonZeroUsize;

use proptest::prelude::*;
use underpin_core::{Engine, Error};

use super::reference::{Past, Refusal, World};
use super::samples::{applied, checksum, id, revision, script, stopped};
use super::*;
use crate::graph::GraphError;
use crate::history::Applied;
use crate::outline::{current, outline};
use crate::repair::repair;
use crate::revision::{BranchLabel, Revision, Script};
use crate::stamp::{StampChange, stamp};
use crate::validate::validate;

const NAMES: [&str; 9] = ["a", "ab", "b1", "b2", "c", "ca3", "d0", "e", "f"];

const LABELS: [&str; 3] = ["shop", "mail", "d"];

/// Each revision has its parents among those before it, by bits, what it depends on, by
/// fewer bits, and a number that chooses its scripts and its label; the names are in any
/// order.
type Shape = (Vec<(u16, u16, u8)>, Vec<&'static str>);

fn shape() -> impl Strategy<Value = Shape> {
    let bits = (any::<u16>(), any::<u16>(), any::<u16>(), any::<u16>());
    let sparse = (bits, any::<u8>()).prop_map(|((a, b, c, d), k)| (a & b, a & !b & c & d, k));
    (
        prop::collection::vec(sparse, 0..=NAMES.len()),
        Just(NAMES.to_vec()).prop_shuffle(),
    )
}

fn revisions((nodes, names): &Shape) -> Vec<Revision> {
    let mut labels = LABELS.iter();
    let mut make = |(place, (parents, depends_on, kind)): (usize, &(u16, u16, u8))| {
        let chosen = |bits: &u16| -> Vec<&str> {
            let before = names.iter().take(place).enumerate();
            let before = before.filter(|(bit, _)| bits & (1 << bit) != 0);
            before.map(|(_, name)| *name).collect()
        };
        let mut made = revision(names[place], &chosen(parents));
        made.depends_on = chosen(depends_on).into_iter().map(id).collect();
        if kind / 8 % 4 == 0 {
            let label = labels.next().map(|label| BranchLabel::new(*label).unwrap());
            made.branch_labels = label.into_iter().collect();
        }
        match kind % 8 {
            0 => made.up = script(&[(true, 1), (false, 2)]),
            1 => made.down = script(&[(false, 3)]),
            2 => (made.up, made.down) = (Script::Code, Script::Code),
            3 => made.up = script(&[]),
            _ => {}
        }
        made
    };
    nodes.iter().enumerate().map(&mut make).collect()
}

fn target() -> impl Strategy<Value = Target> {
    let branch = prop::sample::select(vec!["shop", "mail", "d", "a", "b", "c", "ca3", "x"]);
    (prop::option::weighted(0.4, branch), goal()).prop_map(|(branch, goal)| match branch {
        Some(branch) => goal.on(branch),
        None => goal,
    })
}

fn goal() -> impl Strategy<Value = Target> {
    let count = (1..5_usize).prop_map(|n| NonZeroUsize::new(n).unwrap());
    let name = prop::sample::select(vec!["a", "ab", "b", "b1", "c", "ca", "d", "e", "shop", "x"]);
    let from = prop::sample::select(vec!["a", "ab", "b1", "c", "d0", "mail", "base", "x"]);
    let upper = prop::sample::select(vec!["a", "ab", "b1", "c", "d0", "mail", "head", "x"]);
    let steps = (1..3_usize).prop_map(|n| NonZeroUsize::new(n).unwrap());
    let above = (from, steps.clone()).prop_map(|(from, steps)| Target::Above {
        from: from.to_owned(),
        steps,
    });
    let below = (upper, steps).prop_map(|(from, steps)| Target::Below {
        from: from.to_owned(),
        steps,
    });
    prop_oneof![
        1 => Just(Target::Head),
        2 => Just(Target::Heads),
        2 => Just(Target::Base),
        3 => count.clone().prop_map(Target::Forward),
        3 => count.prop_map(Target::Back),
        4 => name.prop_map(|name| Target::Revision(name.to_owned())),
        1 => above,
        1 => below,
    ]
}

/// A history before it is known of which revisions: for each entry a number that chooses
/// one, and one that chooses what is wrong with it; and a number that chooses what may be.
type Numbers = (Vec<(usize, u8)>, u8);

fn past() -> impl Strategy<Value = Numbers> {
    let entry = (any::<usize>(), any::<u8>());
    (prop::collection::vec(entry, 0..10), any::<u8>())
}

/// Entries of the revisions in any order, some of them twice. Many histories are sound, in
/// many a revision or two are half-way, and in few there is anything wrong.
fn entries(revisions: &[Revision], (numbers, flaws): &Numbers) -> Vec<Applied> {
    let make = |&(number, flaw): &(usize, u8)| {
        let name = match revisions {
            [] => "gone",
            _ => revisions[number % revisions.len()].id.as_str(),
        };
        let flaw = if flaw % 4 == 0 { flaws % 12 } else { 0 };
        match flaw {
            1 | 2 => stopped(name, Direction::Up, 0),
            3 | 4 => stopped(name, Direction::Down, 0),
            5 => applied("gone"),
            6 => Applied {
                checksum: checksum(name, 1),
                ..applied(name)
            },
            _ => applied(name),
        }
    };
    let sound = revisions.is_empty() && flaws % 2 == 0;
    let entries = numbers.iter().filter(|_| !sound);
    entries.map(make).collect()
}

fn world(revisions: &[Revision], entries: &[Applied]) -> World {
    let mut world = World::default();
    for revision in revisions {
        let name = revision.id.to_string();
        let names = |ids: &[RevisionId]| ids.iter().map(ToString::to_string).collect();
        world.parents.insert(name.clone(), names(&revision.parents));
        world
            .depends_on
            .insert(name.clone(), names(&revision.depends_on));
        for label in &revision.branch_labels {
            world.labels.insert(label.to_string(), name.clone());
        }
    }
    for entry in entries {
        let name = entry.id.to_string();
        world.history.retain(|past| past.name != name);
        world.history.push(Past {
            changed: entry.checksum == checksum(&name, 1),
            stopped: match entry.state {
                State::Done => None,
                State::Partial { direction, .. } => Some(direction),
            },
            name,
        });
    }
    world
}

fn kind(error: &Error) -> Refusal {
    let source = error.source().unwrap();
    if let Some(error) = source.downcast_ref::<PlanError>() {
        return match error {
            PlanError::WrongTarget { .. } => Refusal::Target,
            PlanError::History { .. } => Refusal::History,
            PlanError::TooFewApplied { .. } => Refusal::TooFew,
            PlanError::Irreversible { .. } => panic!("{error}"),
        };
    }
    match source.downcast_ref::<GraphError>().unwrap() {
        GraphError::MultipleHeads { .. } => Refusal::Heads,
        GraphError::UnknownRevision { .. } => Refusal::Unknown,
        GraphError::AmbiguousRevision { .. } => Refusal::Ambiguous,
        GraphError::RangeNotAncestor { .. } => Refusal::NotApplied,
        GraphError::UnknownBranch { .. } => Refusal::Branch,
        GraphError::NotOnBranch { .. } => Refusal::Elsewhere,
        GraphError::WalkedTooFar { .. } => Refusal::TooFar,
        GraphError::AmbiguousWalk { .. } => Refusal::Ways,
        GraphError::NoRevisions => Refusal::NoRevisions,
        other => panic!("{other}"),
    }
}

fn names(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.id.to_string()).collect()
}

fn up(graph: &Graph, history: &History, target: &Target) -> Result<Plan> {
    plan_up(
        graph,
        history,
        target,
        Engine::POSTGRES,
        Mode::OneTransaction,
    )
}

fn down(graph: &Graph, history: &History, target: &Target) -> Result<Plan> {
    plan_down(
        graph,
        history,
        target,
        Engine::POSTGRES,
        Mode::OneTransaction,
    )
}

/// The history after a step has run.
fn run(history: &History, step: &PlanStep) -> History {
    let others = history.entries().iter().filter(|e| e.id != step.id);
    let new = (step.direction == Direction::Up).then(|| applied(step.id.as_str()));
    History::new(others.cloned().chain(new))
}

fn run_all(history: History, plan: &Plan) -> History {
    plan.steps
        .iter()
        .fold(history, |history, step| run(&history, step))
}

fn is_closed(graph: &Graph, history: &History) -> bool {
    let entries = history.entries().iter();
    let mut revisions = entries.map(|entry| graph.get(&entry.id).unwrap());
    revisions.all(|revision| {
        let mut below = revision.parents.iter().chain(&revision.depends_on);
        below.all(|id| history.is_applied(id))
    })
}

/// Every step is in one group; a group is one revision, or several that may be together,
/// and none that could join the one before it is alone.
fn grouped_well(plan: &Plan, mode: Mode) -> bool {
    let mut next = 0;
    for (index, group) in plan.groups.iter().enumerate() {
        let steps = &plan.steps[group.steps.clone()];
        let sound = group.steps.start == next
            && !steps.is_empty()
            && steps
                .iter()
                .all(|step| step.transactional == group.transactional)
            && (steps.len() == 1 || (mode == Mode::OneTransaction && group.transactional));
        let before = index.checked_sub(1).map(|before| &plan.groups[before]);
        let whole = mode == Mode::PerRevision
            || !group.transactional
            || before.is_none_or(|before| !before.transactional);
        if !sound || !whole {
            return false;
        }
        next = group.steps.end;
    }
    next == plan.steps.len()
}

fn stamped(history: &History, changes: &[StampChange]) -> History {
    let mut entries = history.entries().to_vec();
    for change in changes {
        match change {
            StampChange::Add { id, .. } => entries.push(applied(id.as_str())),
            StampChange::Remove { id } => entries.retain(|entry| entry.id != *id),
            StampChange::Finish { id, .. } => {
                let entry = entries.iter_mut().find(|entry| entry.id == *id).unwrap();
                entry.state = State::Done;
            }
        }
    }
    History::new(entries)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn the_planner_agrees_with_the_reference(
        shape in shape(),
        past in past(),
        target in target(),
        per_revision: bool,
    ) {
        let revisions = revisions(&shape);
        let entries = entries(&revisions, &past);
        let world = world(&revisions, &entries);
        let graph = Graph::new(revisions).unwrap();
        let history = History::new(entries);
        let mode = if per_revision { Mode::PerRevision } else { Mode::OneTransaction };
        for (plan, expected) in [
            (plan_up(&graph, &history, &target, Engine::SQLITE, mode), world.up(&target)),
            (plan_down(&graph, &history, &target, Engine::SQLITE, mode), world.down(&target)),
        ] {
            match plan {
                Ok(plan) => {
                    prop_assert!(grouped_well(&plan, mode));
                    prop_assert_eq!(Ok(names(&plan)), expected);
                }
                Err(error) => {
                    prop_assert_eq!(Err(kind(&error)), expected, "{}", error);
                }
            }
        }
    }

    /// Whatever the history, each of these has an answer, and what blocks a plan is found.
    #[test]
    fn any_history_can_be_looked_at(shape in shape(), past in past()) {
        let revisions = revisions(&shape);
        let history = History::new(entries(&revisions, &past));
        let graph = Graph::new(revisions).unwrap();
        let findings = validate(&graph, &history, Engine::POSTGRES);
        if findings.iter().any(Finding::blocks) {
            prop_assert!(up(&graph, &history, &Target::Heads).is_err());
            prop_assert!(down(&graph, &history, &Target::Base).is_err());
        }
        for finding in &findings {
            prop_assert!(finding.to_string().ends_with('.'));
            prop_assert!(finding.advice().ends_with('.'));
        }
        let shown = outline(&graph, &history);
        let pending = pending(&graph, &history).into_iter().map(|revision| &revision.id);
        let there = history.entries().iter().map(|entry| &entry.id);
        let all: BTreeSet<&RevisionId> = pending.chain(there).collect();
        let listed: BTreeSet<&RevisionId> = shown.iter().map(|entry| &entry.id).collect();
        prop_assert_eq!(shown.len(), listed.len(), "nothing is listed twice");
        prop_assert_eq!(listed, all, "what is listed is pending or in the history");

        let expected: BTreeSet<RevisionId> = history.entries().iter()
            .filter(|e| e.is_applied())
            .filter(|e| !graph.topological().iter().any(|r| {
                r.parents.contains(&e.id) && history.is_applied(&r.id)
            }))
            .map(|e| e.id.clone())
            .collect();
        prop_assert_eq!(current(&graph, &history).into_iter().collect::<BTreeSet<_>>(), expected);
    }

    /// A label's branch is that of its revision's id; who has it descends from the revision,
    /// or leads to nothing else.
    #[test]
    fn a_label_is_another_name_of_its_revision(shape in shape(), goal in goal()) {
        let graph = Graph::new(revisions(&shape)).unwrap();
        for revision in graph.topological() {
            for label in &revision.branch_labels {
                let none = History::default();
                let by_label = up(&graph, &none, &goal.clone().on(label.as_str()));
                let by_id = up(&graph, &none, &goal.clone().on(revision.id.as_str()));
                prop_assert_eq!(by_label.ok(), by_id.ok());
                let lineage: BTreeSet<&RevisionId> = graph.ancestors(&revision.id).into_iter()
                    .chain(graph.descendants(&revision.id)).chain([revision])
                    .map(|r| &r.id).collect();
                for other in graph.topological() {
                    let has = graph.branch_labels(&other.id).contains(&label);
                    prop_assert!(!has || lineage.contains(&other.id));
                    let above = other.id == revision.id
                        || graph.descendants(&revision.id).contains(&other);
                    prop_assert!(has || !above);
                }
            }
        }
    }

    #[test]
    fn up_and_then_down_is_nothing(shape in shape()) {
        let graph = Graph::new(revisions(&shape)).unwrap();
        let first = up(&graph, &History::default(), &Target::Heads).unwrap();
        prop_assert_eq!(first.len(), graph.len());
        let history = run_all(History::default(), &first);
        prop_assert!(up(&graph, &history, &Target::Heads).unwrap().is_empty());
        let heads: BTreeSet<RevisionId> = graph.heads().iter().map(|r| r.id.clone()).collect();
        prop_assert_eq!(current(&graph, &history).into_iter().collect::<BTreeSet<_>>(), heads);

        let back = down(&graph, &history, &Target::Base).unwrap();
        let mut reversed = names(&back);
        reversed.reverse();
        prop_assert_eq!(reversed, names(&first));
        let history = run_all(history, &back);
        prop_assert!(history.is_empty());
        prop_assert_eq!(up(&graph, &history, &Target::Heads).unwrap(), first);
    }

    #[test]
    fn up_in_pieces_is_up_in_one(
        shape in shape(),
        pieces in prop::collection::vec(1..4_usize, 9),
    ) {
        let graph = Graph::new(revisions(&shape)).unwrap();
        let whole = up(&graph, &History::default(), &Target::Heads).unwrap();
        let mut history = History::default();
        let mut steps = Vec::new();
        for piece in pieces {
            let target = Target::Forward(NonZeroUsize::new(piece).unwrap());
            let plan = match up(&graph, &history, &target) {
                Ok(plan) => plan,
                Err(error) => {
                    prop_assert_eq!(kind(&error), Refusal::Heads);
                    prop_assert!(graph.heads().len() > 1);
                    return Ok(());
                }
            };
            prop_assert!(plan.len() <= piece);
            history = run_all(history, &plan);
            steps.extend(plan.steps);
        }
        prop_assert_eq!(steps, whole.steps);
    }

    #[test]
    fn down_one_by_one_is_down_in_one(shape in shape(), to in target()) {
        let graph = Graph::new(revisions(&shape)).unwrap();
        let Ok(plan) = up(&graph, &History::default(), &to) else { return Ok(()) };
        let mut history = run_all(History::default(), &plan);
        let whole = down(&graph, &history, &Target::Base).unwrap();
        let one = Target::Back(NonZeroUsize::MIN);
        let mut steps = Vec::new();
        while !history.is_empty() {
            let plan = match down(&graph, &history, &one) {
                Ok(plan) => plan,
                Err(error) => {
                    prop_assert_eq!(kind(&error), Refusal::Heads);
                    prop_assert!(graph.heads().len() > 1);
                    return Ok(());
                }
            };
            history = run_all(history, &plan);
            steps.extend(plan.steps);
        }
        prop_assert_eq!(steps, whole.steps);
    }

    /// Wherever a run is cut off between two steps, what is applied has all it stands on.
    #[test]
    fn every_beginning_of_a_plan_leaves_a_closed_history(
        shape in shape(),
        targets in prop::collection::vec((target(), any::<bool>()), 1..8),
    ) {
        let graph = Graph::new(revisions(&shape)).unwrap();
        let mut history = History::default();
        for (target, upwards) in targets {
            let plan = if upwards { up } else { down };
            let Ok(plan) = plan(&graph, &history, &target) else { continue };
            for step in &plan.steps {
                history = run(&history, step);
                prop_assert!(is_closed(&graph, &history));
            }
        }
    }

    #[test]
    fn stamp_makes_the_history_the_target_and_all_below(
        shape in shape(),
        past in past(),
        target in target(),
    ) {
        let revisions = revisions(&shape);
        let entries = entries(&revisions, &past);
        let world = world(&revisions, &entries);
        let graph = Graph::new(revisions).unwrap();
        let history = History::new(entries);
        let Ok(changes) = stamp(&graph, &history, &target) else { return Ok(()) };
        let after = stamped(&history, &changes);
        let (branch, goal) = target.split();
        let ends = match goal {
            Target::Base => Vec::new(),
            _ => world.ends(branch, goal).unwrap(),
        };
        let expected: BTreeSet<String> = ends.iter().flat_map(|end| world.before(end)).collect();
        let there: BTreeSet<String> =
            after.entries().iter().map(|entry| entry.id.to_string()).collect();
        if branch.is_none() {
            prop_assert_eq!(&there, &expected);
        }
        prop_assert!(there.is_superset(&expected));
        for entry in after.entries() {
            let name = entry.id.to_string();
            if expected.contains(&name) {
                prop_assert_eq!(entry.state, State::Done);
                continue;
            }
            prop_assert_eq!(Some(entry), history.get(&entry.id), "it is left as it was");
            prop_assert!(world.on(branch, &[name]).unwrap().is_empty());
        }
        prop_assert_eq!(stamp(&graph, &after, &target).unwrap(), Vec::new());
    }

    #[test]
    fn repair_leaves_no_changed_checksum(shape in shape(), past in past()) {
        let revisions = revisions(&shape);
        let history = History::new(entries(&revisions, &past));
        let graph = Graph::new(revisions).unwrap();
        let accepted = repair(&graph, &history, Engine::SQLITE).unwrap();
        let entries = history.entries().iter().cloned().map(|mut entry| {
            if let Some(repair) = accepted.iter().find(|repair| repair.id == entry.id) {
                assert_eq!((entry.checksum, graph.get(&id(entry.id.as_str())).unwrap().checksum),
                    (repair.recorded, repair.now));
                entry.checksum = repair.now;
            }
            entry
        });
        let after = History::new(entries);
        prop_assert!(repair(&graph, &after, Engine::SQLITE).unwrap().is_empty());
        let findings = validate(&graph, &after, Engine::SQLITE);
        let changed = |finding: &Finding| matches!(finding, Finding::ChecksumChanged { .. });
        prop_assert!(!findings.iter().any(changed));
    }
}

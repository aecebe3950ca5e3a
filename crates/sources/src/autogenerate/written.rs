//! Plans as the scripts of revisions: pure.

use std::collections::BTreeSet;

use underpin_core::Engine;
use underpin_migrate::{NewScript, NewSection, OpenDatabase, split};
use underpin_schema::{Change, Diff, Lock, Plan, SchemaDialect, Step, StepKind, Undo};

use super::Comparison;

/// The two ways of a revision that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The way up: each statement below what it does, the lock by which it holds others up, and
    /// what it loses.
    pub up: NewScript,
    /// The way down, or why there is none.
    pub down: NewScript,
}

/// The revisions that lead to the wanted schema, each standing on the one before; none where nothing
/// has to be done. With `per_engine`, each engine has sections of its own, also where it has
/// nothing to do.
///
/// There are two where labels are added to enums, from which there is no way back, and more is to
/// do, from which there is: so that the rest can be undone. What runs outside a transaction has
/// a section of its own.
///
/// Plans that are [refused](underpin_schema::Plan::refusals) have no steps.
pub fn written<D: OpenDatabase>(comparisons: &[&Comparison<D>], per_engine: bool) -> Vec<Written> {
    revisions(
        comparisons.iter().map(|one| Part::of(one)).collect(),
        per_engine,
    )
}

fn revisions(parts: Vec<Part<'_>>, per_engine: bool) -> Vec<Written> {
    let splits = parts.iter().any(|part| part.labels > 0)
        && parts.iter().any(|part| part.labels < part.steps.len());
    let revision = |parts: &[Part<'_>]| Written {
        up: up(parts, per_engine),
        down: down(parts, per_engine),
    };
    let has_steps = |parts: &[Part<'_>]| parts.iter().any(|part| !part.steps.is_empty());
    let revisions = if splits {
        let first: Vec<Part<'_>> = parts.iter().map(Part::first).collect();
        let rest: Vec<Part<'_>> = parts.iter().map(Part::rest).collect();
        vec![first, rest]
    } else {
        vec![parts]
    };
    let revisions = revisions.iter().filter(|parts| has_steps(parts));
    revisions.map(|parts| revision(parts)).collect()
}

/// What is to do on one engine.
#[derive(Clone, Copy)]
struct Part<'c> {
    engine: Engine,
    dialect: &'static SchemaDialect,
    plan: &'c Plan,
    diff: &'c Diff,
    steps: &'c [Step],
    /// How many of the first steps are about labels of enums and have to be apart.
    labels: usize,
}

impl<'c> Part<'c> {
    fn of<D: OpenDatabase>(comparison: &'c Comparison<D>) -> Self {
        let (plan, diff) = (&comparison.plan, &comparison.diff);
        let steps = &plan.steps[..];
        let of_labels =
            |step: &&Step| matches!(step.kind, StepKind::AddLabel | StepKind::RenameLabel);
        let labels = steps.iter().take_while(of_labels).count();
        let last = steps[..labels].iter().rposition(Step::is_final);
        Part {
            engine: comparison.engine,
            dialect: comparison.dialect,
            plan,
            diff,
            steps,
            labels: last.map_or(0, |last| last + 1),
        }
    }

    fn first(&self) -> Self {
        Part {
            steps: &self.steps[..self.labels],
            ..*self
        }
    }

    fn rest(&self) -> Self {
        Part {
            steps: &self.steps[self.labels..],
            labels: 0,
            ..*self
        }
    }

    fn settings(&self) -> String {
        let settings = self.plan.settings.iter();
        settings.map(|sql| terminated(sql)).collect()
    }

    /// A section of this engine, or for all where it is alone and reads the same for all.
    fn section(&self, transactional: bool, sql: String, per_engine: bool) -> NewSection {
        let engine = self.engine;
        let apart = per_engine || split(&sql, None).ok() != split(&sql, Some(engine)).ok();
        NewSection {
            engine: apart.then_some(engine),
            transactional,
            sql,
        }
    }
}

fn up(parts: &[Part<'_>], per_engine: bool) -> NewScript {
    let mut sections = Vec::new();
    for part in parts {
        let mut notes = Notes::of(part);
        let groups = part
            .steps
            .chunk_by(|a, b| a.transactional == b.transactional);
        for group in groups {
            let transactional = group[0].transactional;
            let mut sql = match transactional {
                true => part.settings(),
                false => String::new(),
            };
            for step in group {
                if !sql.is_empty() {
                    sql.push('\n');
                }
                sql += &notes.above(step);
                sql += &terminated(&step.sql);
            }
            sections.push(part.section(transactional, sql, per_engine));
        }
        if part.steps.is_empty() && per_engine {
            sections.push(part.section(true, String::new(), true));
        }
    }
    NewScript::Sql(sections)
}

fn down(parts: &[Part<'_>], per_engine: bool) -> NewScript {
    let steps = parts.iter().flat_map(|part| part.steps);
    let reasons = steps.filter_map(|step| match &step.undo {
        Undo::None(why) => Some(format!("{}: {why}", one_line(&step.comment))),
        Undo::Sql(_) | Undo::Included => None,
    });
    let reasons: Vec<String> = reasons.collect();
    if !reasons.is_empty() {
        let reason = reasons.join(" ");
        return NewScript::Irreversible { reason };
    }
    let sections = parts.iter().map(|part| {
        let mut sql = part.settings();
        for step in part.steps.iter().rev() {
            if step.loses.is_some() && step.undone_by().next().is_some() {
                let lost = format!("It does not restore what was lost: {}.", step.comment);
                sql += &note(&lost);
            }
            for statement in step.undone_by() {
                sql += &terminated(statement);
            }
        }
        part.section(true, sql, per_engine)
    });
    NewScript::Sql(sections.collect())
}

/// What is said above the statements of one engine.
struct Notes {
    holds_others_up: fn(&Lock) -> bool,
    /// The tables that are made by the same steps, of which nobody else knows yet.
    new: BTreeSet<String>,
    /// The lock that was spoken of last, and is held already.
    held: Option<Lock>,
}

impl Notes {
    fn of(part: &Part<'_>) -> Self {
        let new = part.diff.changes.iter();
        let new = new.filter_map(|change| match change {
            Change::CreateTable { name, .. } => Some(name.to_string()),
            _ => None,
        });
        Notes {
            holds_others_up: part.dialect.holds_others_up,
            new: new.collect(),
            held: None,
        }
    }

    fn above(&mut self, step: &Step) -> String {
        let mut notes = note(&format!("{}.", step.comment));
        if self.is_worth_saying(&step.lock) {
            notes += &note(&format!("Takes {}.", step.lock));
            self.held = Some(step.lock.clone());
        }
        if let Some(loses) = &step.loses {
            notes += &note(&format!("Loses {loses}."));
        }
        notes
    }

    /// Whether others have to wait for it, and that was not said just before.
    fn is_worth_saying(&self, lock: &Lock) -> bool {
        let theirs = !lock.on.iter().all(|name| self.new.contains(name));
        (self.holds_others_up)(lock) && theirs && self.held.as_ref() != Some(lock)
    }
}

fn note(text: &str) -> String {
    format!("-- {}\n", one_line(text))
}

/// Without line breaks, which names can hold and which would end a comment.
fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// The statement with its semicolon, which a comment at its end does not swallow.
fn terminated(sql: &str) -> String {
    let last = sql.lines().next_back().unwrap_or_default();
    let apart = if last.contains("--") { "\n" } else { "" };
    format!("{sql}{apart};\n")
}

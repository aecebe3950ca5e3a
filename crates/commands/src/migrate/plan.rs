use std::io::{Write, stdout};

use clap::Args;
use underpin::migrate::{Direction, Graph, Mode, Plan, PlanStep, Work};
use underpin::{Result, Value};

use super::listing::{print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::format::Format;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Where to go, on paper.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct PlanArguments {
    /// How far: head, heads, base, +1, -1, or the id of a revision; on a branch: shop@head
    #[arg(default_value = "head", allow_hyphen_values = true)]
    pub target: String,

    /// Commit after each revision, instead of all of them together
    #[arg(long)]
    pub per_revision: bool,
}

/// Prints the SQL of the plan: as a script for people, as one row a statement for programs.
pub(super) async fn run(
    arguments: &PlanArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let mode = match arguments.per_revision {
        true => Mode::PerRevision,
        false => Mode::OneTransaction,
    };
    let migrator = revisions.migrator(options)?.mode(mode);
    let plan = migrator.plan(&arguments.target).await?;
    let graph = migrator.graph()?;
    if options.format == Format::Table {
        or_broken_pipe(script(&plan, &graph))?;
    } else {
        let columns = ["group", "transaction", "id", "direction", "line", "sql"];
        print(options, &columns, rows(&plan, &graph))?;
    }
    Ok(Exit::Success)
}

fn way(step: &PlanStep) -> &'static str {
    match step.direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

fn rows(plan: &Plan, graph: &Graph) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (number, group) in (1..).zip(&plan.groups) {
        for step in &plan.steps[group.steps.clone()] {
            let mut done = 0;
            for section in step.sections(graph) {
                for statement in section.statements_on(step.engine) {
                    done += 1;
                    if done <= step.skip {
                        continue;
                    }
                    rows.push(vec![
                        Value::I64(number),
                        Value::Bool(section.transactional),
                        text(&step.id),
                        text(way(step)),
                        Value::I64(i64::try_from(statement.line).unwrap_or(i64::MAX)),
                        text(&statement.sql),
                    ]);
                }
            }
        }
    }
    rows
}

fn script(plan: &Plan, graph: &Graph) -> std::io::Result<()> {
    let mut out = stdout().lock();
    if plan.is_empty() {
        return writeln!(out, "-- There is nothing to do.");
    }
    for group in &plan.groups {
        if group.transactional {
            writeln!(out, "BEGIN;")?;
        }
        for step in &plan.steps[group.steps.clone()] {
            write_step(&mut out, step, graph, group.transactional)?;
        }
        if group.transactional {
            writeln!(out, "COMMIT;")?;
        }
    }
    Ok(())
}

fn write_step(
    out: &mut impl Write,
    step: &PlanStep,
    graph: &Graph,
    in_transaction: bool,
) -> std::io::Result<()> {
    if let Some(revision) = graph.get(&step.id) {
        let (id, message, origin) = (&revision.id, &revision.message, &revision.origin);
        writeln!(out, "-- {} {id}: {message} ({origin})", way(step))?;
    }
    if step.work == Work::Code {
        writeln!(out, "-- Rust code.")?;
    }
    if step.skip > 0 {
        writeln!(out, "-- {} statements ran earlier.", step.skip)?;
    }
    let mut done = 0;
    for section in step.sections(graph) {
        let statements = section.statements_on(step.engine);
        let skip = step.skip.saturating_sub(done).min(statements.len());
        done += statements.len();
        let own = section.transactional && !in_transaction && skip < statements.len();
        if own {
            writeln!(out, "BEGIN;")?;
        }
        for statement in &statements[skip..] {
            writeln!(out, "{};", statement.sql)?;
        }
        if own {
            writeln!(out, "COMMIT;")?;
        }
    }
    Ok(())
}

use std::io::{Write, stdout};

use clap::Args;
use underpin::migrate::{
    Direction, Graph, Mode, Plan, PlanStep, ScriptHistory, Work, plan_offline,
};
use underpin::schema::{SchemaDialect, ScriptRules};
use underpin::{Class, Error, Result, Value};

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
    /// How far: head, heads, base, +1, -1, or the id of a revision; on a branch: shop@head; with
    /// --offline, from where to where: base:head
    #[arg(default_value = "head", allow_hyphen_values = true)]
    pub target: String,

    /// Run all revisions in one transaction, instead of each in its own
    #[arg(long)]
    pub one_transaction: bool,

    /// Ask no database, and print a script that keeps the history too, for somebody who runs it
    #[arg(long)]
    pub offline: bool,
}

/// Prints the SQL of the plan: as a script for people, as one row a statement for programs.
pub(super) async fn run(
    arguments: &PlanArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let mode = match arguments.one_transaction {
        true => Mode::OneTransaction,
        false => Mode::PerRevision,
    };
    if arguments.offline {
        return offline(arguments, mode, options, revisions);
    }
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

/// Prints the script from one target to another.
fn offline(
    arguments: &PlanArguments,
    mode: Mode,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let Some((from, to)) = arguments.target.split_once(':') else {
        let message = format!("`{}` does not say from where to where.", arguments.target);
        return Err(Error::new(Class::Config, message).with_hint(
            "Name two targets with a colon between, as in base:head or 3f9c2a1b7d40:head.",
        ));
    };
    let engine = options.load()?.engine();
    let graph = revisions.graph()?;
    let plan = plan_offline(&graph, &from.parse()?, &to.parse()?, engine, mode)?;
    let code = plan.steps.iter().find(|step| step.work == Work::Code);
    if let Some(step) = code {
        let message = format!(
            "The revision `{}` is Rust code, which no script holds.",
            step.id
        );
        return Err(Error::new(Class::Config, message)
            .with_hint("Print the way to the revision before it, and the way from it on."));
    }
    if options.format != Format::Table {
        let columns = ["group", "transaction", "id", "direction", "line", "sql"];
        print(options, &columns, rows(&plan, &graph))?;
        return Ok(Exit::Success);
    }
    let script = Script {
        graph: &graph,
        history: ScriptHistory::of(engine)?,
        rules: &SchemaDialect::of(engine)?.script,
    };
    or_broken_pipe(script.write(&plan))?;
    Ok(Exit::Success)
}

/// A script that a person runs.
struct Script<'a> {
    graph: &'a Graph,
    history: ScriptHistory,
    rules: &'a ScriptRules,
}

impl Script<'_> {
    fn write(&self, plan: &Plan) -> std::io::Result<()> {
        let mut out = stdout().lock();
        if plan.is_empty() {
            return writeln!(out, "-- There is nothing to do.");
        }
        let begin = [self.rules.begin, self.rules.begin_in_parts].concat();
        begin.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out, "{};", self.history.create())?;
        for (index, group) in plan.groups.iter().enumerate() {
            if let Some(renew) = self.history.renew().filter(|_| index > 0) {
                writeln!(out, "{renew};")?;
            }
            if group.transactional {
                writeln!(out, "BEGIN;")?;
            }
            for step in &plan.steps[group.steps.clone()] {
                write_step(&mut out, step, self.graph, group.transactional)?;
                if let Some(revision) = self.graph.get(&step.id) {
                    writeln!(out, "{};", self.history.record(revision, step.direction))?;
                }
            }
            if group.transactional {
                let check = self.rules.before_commit.iter();
                check
                    .copied()
                    .try_for_each(|line| writeln!(out, "{line}"))?;
                writeln!(out, "COMMIT;")?;
            }
        }
        let end = self.rules.end.iter();
        end.copied().try_for_each(|line| writeln!(out, "{line}"))
    }
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
            if let Some(rows) = &statement.rows {
                writeln!(out, "{rows}\\.")?;
            }
        }
        if own {
            writeln!(out, "COMMIT;")?;
        }
    }
    Ok(())
}

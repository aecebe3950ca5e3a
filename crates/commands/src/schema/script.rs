//! A plan as a script for the engine's own shell.

use std::io::{Result, Write};

use underpin::schema::{Plan, ScriptRules, Step};

/// Writes the steps, those that can be together in one transaction.
pub(super) fn write(out: &mut impl Write, plan: &Plan, rules: &ScriptRules) -> Result<()> {
    if plan.steps.is_empty() {
        return writeln!(out, "-- There is nothing to do.");
    }
    write_lines(out, rules.begin)?;
    if plan.steps.iter().any(|step| !step.transactional) {
        write_lines(out, rules.begin_in_parts)?;
    }
    let mut steps = &plan.steps[..];
    while let Some(first) = steps.first() {
        let together = steps
            .iter()
            .take_while(|step| step.transactional == first.transactional)
            .count();
        let (group, rest) = steps.split_at(together);
        steps = rest;
        if first.transactional {
            writeln!(out, "BEGIN;")?;
            for setting in &plan.settings {
                writeln!(out, "{setting};")?;
            }
        }
        for step in group {
            write_step(out, step)?;
        }
        if first.transactional {
            write_lines(out, rules.before_commit)?;
            writeln!(out, "COMMIT;")?;
        }
    }
    write_lines(out, rules.end)?;
    for left in &plan.left {
        writeln!(out, "-- {}", left.to_string().replace(['\n', '\r'], " "))?;
    }
    Ok(())
}

fn write_lines(out: &mut impl Write, lines: &[&str]) -> Result<()> {
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn write_step(out: &mut impl Write, step: &Step) -> Result<()> {
    // A name can hold a line end, which would end the comment.
    let comment = step.comment.replace(['\n', '\r'], " ");
    match &step.loses {
        Some(loses) => {
            let loses = loses.replace(['\n', '\r'], " ");
            writeln!(out, "-- {comment}. This loses {loses}.")?;
        }
        None => writeln!(out, "-- {comment}")?,
    }
    writeln!(out, "{};", step.sql)
}

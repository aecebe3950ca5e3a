//! A plan as a script for psql or for SQLite's shell.

use std::io::{Result, Write};

use underpin::Engine;
use underpin::schema::{Plan, Step};

/// Writes the steps, those that can be together in one transaction.
pub(super) fn write(out: &mut impl Write, plan: &Plan, engine: Engine) -> Result<()> {
    if plan.steps.is_empty() {
        return writeln!(out, "-- There is nothing to do.");
    }
    // Whoever runs it shall end at the first error: what comes after may drop what was to be
    // copied.
    if engine == Engine::SQLITE {
        writeln!(out, ".bail on")?;
        // Else, making a table anew would act on the rows that refer to it.
        writeln!(out, "PRAGMA foreign_keys = OFF;")?;
    } else if plan.steps.iter().any(|step| !step.transactional) {
        writeln!(out, "\\set ON_ERROR_STOP on")?;
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
            if engine == Engine::SQLITE {
                writeln!(
                    out,
                    "-- Prints what refers to nothing. Where it does, ROLLBACK."
                )?;
                writeln!(out, "PRAGMA foreign_key_check;")?;
            }
            writeln!(out, "COMMIT;")?;
        }
    }
    if engine == Engine::SQLITE {
        writeln!(out, "PRAGMA foreign_keys = ON;")?;
    }
    for left in &plan.left {
        writeln!(out, "-- {}", left.to_string().replace(['\n', '\r'], " "))?;
    }
    Ok(())
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

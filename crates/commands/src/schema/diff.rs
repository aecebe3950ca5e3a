use std::io::{Write, stdout};

use clap::Args;
use serde_json::{Value, json};
use underpin::schema::{Diff, Plan, Rename, SchemaDialect, Target, Undo};
use underpin::{Class, Engine, Error, Result};

use super::filter::Filter;
use super::privileges::Privileges;
use super::{origins, script};
use crate::exit::Exit;
use crate::format::Format;
use crate::migrate::Project;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `schema diff`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct DiffArguments {
    /// The existing schema: database, a URL, models, revisions, or a path of SQL
    #[arg(value_name = "FROM")]
    pub from: String,

    /// The wanted schema, in the same form
    #[arg(value_name = "TO")]
    pub to: String,

    /// Renamed objects: users=people, users.name=users.full_name, mood.sad=mood.unhappy;
    /// may be given several times
    #[arg(long = "rename", value_name = "OLD=NEW")]
    pub renames: Vec<String>,

    /// Print the SQL that leads from the one to the other, and nothing else
    #[arg(long)]
    pub sql: bool,

    /// Print that SQL also where it loses data
    #[arg(long, requires = "sql")]
    pub allow_loss: bool,

    /// Selection
    #[command(flatten)]
    pub filter: Filter,

    /// Owners and privileges
    #[command(flatten)]
    pub privileges: Privileges,
}

/// Prints what it takes to get from one schema to another. The answer is no where they differ.
pub(super) async fn run(
    arguments: &DiffArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let from = origins::source(&arguments.from)?;
    let to = origins::source(&arguments.to)?;
    let sources = origins::sources(&[&from, &to], options, project)?;
    let selection = arguments.filter.selection();
    let (has, mut wanted) = sources.read_both(&from, &to, &selection).await?;
    for text in &arguments.renames {
        let rename = Rename::parse(text, &has.schema, &wanted.schema)?;
        wanted.hints.renames.push(rename);
    }
    wanted.hints.access = arguments.privileges.compared();
    sources.settle(&has, &mut wanted).await?;
    let compared = Compared::of(has, wanted, sources.engine())?;
    if arguments.sql {
        compared.print_sql(arguments.allow_loss)?;
    } else {
        or_broken_pipe(match options.format {
            Format::Table => compared.text(),
            Format::Json => compared.json(),
            Format::Csv => {
                return Err(
                    Error::new(Class::Config, "A diff cannot be printed as CSV.").with_hint(
                        "Leave out --format for readable text, or use --format json or --sql for \
                     programs.",
                    ),
                );
            }
        })?;
    }
    Ok(match compared.is_equal() {
        true => Exit::Success,
        false => Exit::No,
    })
}

struct Compared {
    has: Target,
    wanted: Target,
    diff: Diff,
    plan: Plan,
    dialect: &'static SchemaDialect,
}

impl Compared {
    fn of(has: Target, wanted: Target, engine: Engine) -> Result<Self> {
        let dialect = SchemaDialect::of(engine)?;
        let diff = has.diff(&wanted, dialect);
        let plan = (dialect.plan)(&has.schema, &wanted.schema, &diff)?;
        Ok(Compared {
            has,
            wanted,
            diff,
            plan,
            dialect,
        })
    }

    fn is_equal(&self) -> bool {
        self.diff.changes.is_empty() && self.diff.unsupported.is_empty()
    }

    fn print_sql(&self, allow_loss: bool) -> Result<()> {
        for one in self.one_sided() {
            let _ = writeln!(std::io::stderr(), "{one}");
        }
        self.plan.check(allow_loss)?;
        or_broken_pipe(script::write(
            &mut stdout().lock(),
            &self.plan,
            &self.dialect.script,
        ))
    }

    /// What only one of the two has and no change can be about, in sentences.
    fn one_sided(&self) -> impl Iterator<Item = String> {
        self.diff
            .unsupported
            .iter()
            .map(|one| match self.has.has(one) {
                true => format!("Only the first has {one}, which a plan cannot change."),
                false => format!("Only the second has {one}, which a plan cannot change."),
            })
    }

    fn text(&self) -> std::io::Result<()> {
        let mut out = stdout().lock();
        if self.is_equal() {
            writeln!(out, "The schemas are the same.")?;
        }
        match self.diff.changes.len() {
            0 => {}
            1 => writeln!(out, "1 change:")?,
            count => writeln!(out, "{count} changes:")?,
        }
        for change in &self.diff.changes {
            writeln!(out, "  {change}")?;
        }
        for one in self.one_sided() {
            writeln!(out, "{one}")?;
        }
        for rename in &self.diff.proposed {
            writeln!(
                out,
                "\nIs it a rename? Then add --rename {}",
                quoted(rename)
            )?;
        }
        self.steps(&mut out)?;
        for refusal in &self.plan.refusals {
            writeln!(out, "\nRefused: {refusal}")?;
        }
        for left in &self.plan.left {
            writeln!(out, "\nNot changed: {left}")?;
        }
        Ok(())
    }

    fn steps(&self, out: &mut impl Write) -> std::io::Result<()> {
        let steps = &self.plan.steps;
        match steps.len() {
            0 => return Ok(()),
            1 => writeln!(out, "\nThe plan, 1 step:")?,
            count => writeln!(out, "\nThe plan, {count} steps:")?,
        }
        for (number, step) in (1..).zip(steps) {
            let loss = if step.loses.is_some() {
                ", with a loss"
            } else {
                ""
            };
            writeln!(out, "\n{number}. {}{loss}", step.comment)?;
            for line in step.sql.lines() {
                writeln!(out, "     {line}")?;
            }
            writeln!(out, "   lock: {}", step.lock)?;
            if let Some(loses) = &step.loses {
                writeln!(out, "   loses: {loses}")?;
            }
            if !step.transactional {
                writeln!(out, "   outside a transaction, before the following steps")?;
            }
            match &step.undo {
                Undo::Sql(statements) => {
                    for statement in statements {
                        writeln!(out, "   undo: {}", statement.replace('\n', "\n     "))?;
                    }
                }
                Undo::Included => {}
                Undo::None(reason) => writeln!(out, "   no undo: {reason}")?,
            }
        }
        Ok(())
    }

    fn json(&self) -> std::io::Result<()> {
        let change = |change: &underpin::schema::Change| -> std::io::Result<Value> {
            let mut value = serde_json::to_value(change)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("text".to_owned(), change.to_string().into());
            }
            Ok(value)
        };
        let changes: Vec<Value> = self
            .diff
            .changes
            .iter()
            .map(change)
            .collect::<std::io::Result<_>>()?;
        let renames: Vec<String> = self.diff.proposed.iter().map(ToString::to_string).collect();
        let only = |target: &Target| -> Vec<String> {
            let unsupported = self.diff.unsupported.iter();
            let own = unsupported.filter(|one| target.has(one));
            own.map(ToString::to_string).collect()
        };
        let value = json!({
            "equal": self.is_equal(),
            "changes": changes,
            "proposed_renames": renames,
            "only_in_first": only(&self.has),
            "only_in_second": only(&self.wanted),
            "plan": self.plan,
        });
        let mut out = stdout().lock();
        serde_json::to_writer_pretty(&mut out, &value)?;
        writeln!(out)
    }
}

/// The rename as an argument for a shell.
fn quoted(rename: &Rename) -> String {
    let text = rename.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '=' | '-');
    match text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

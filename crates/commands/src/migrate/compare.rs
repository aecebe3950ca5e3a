//! Compares what the revisions create with what is wanted, on each engine.

use std::collections::BTreeSet;
use std::io::{Write, stderr};
use std::path::Path;

use clap::Args;
use underpin::migrate::{Comparison, Migrator, Revision, Script, Wanted};
use underpin::schema::{SchemaDialect, ScratchRules, Selection};
use underpin::{Class, Config, Engine, Error, Result};

use super::bar::noted;
use super::project::Project;
use crate::options::GlobalOptions;

/// One engine's part of it.
pub(super) struct Compared {
    pub(super) migrator: Migrator,
    pub(super) comparison: Comparison,
}

/// The sides of a comparison, and its place.
pub(super) struct Question<'a> {
    pub(super) project: Project<'a>,
    pub(super) revisions: &'a [Revision],
    pub(super) from_sql: Option<&'a Path>,
    pub(super) engines: &'a [Engine],
    pub(super) renames: &'a [String],
    pub(super) parts: &'a Parts,
}

/// Selection of what is compared.
#[derive(Debug, Clone, Default, Args)]
pub struct Parts {
    /// A namespace to compare, instead of all; may be given several times
    #[arg(long = "schema", value_name = "NAME")]
    pub namespaces: Vec<String>,

    /// No tables and views of this name, in which * stands for any characters; may be given several
    /// times. Those in which other tools keep their histories are left out anyway
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
}

impl Question<'_> {
    /// Compares on every engine. What is given has to be closed.
    pub(super) async fn ask(&self, options: &GlobalOptions) -> Result<Vec<Compared>> {
        let mut all = Vec::new();
        for config in self.configs(options)? {
            match self.one(config).await {
                Ok(one) => all.push(one),
                Err(error) => {
                    close(all).await?;
                    return Err(error);
                }
            }
        }
        match self.rename_of_nothing(&all) {
            None => Ok(all),
            Some(error) => {
                close(all).await?;
                Err(error)
            }
        }
    }

    async fn one(&self, config: Config) -> Result<Compared> {
        let wanted = self.wanted()?;
        let revisions = self.revisions.to_vec();
        let migrator = self.project.revisions.migrator_of(config, revisions)?;
        let migrator = noted(migrator);
        let selection = Selection {
            namespaces: self.parts.namespaces.clone(),
            exclude: self.parts.exclude.clone(),
            ..Selection::default()
        };
        let comparison =
            Comparison::of_selection(&migrator, &wanted, self.renames, &selection).await?;
        Ok(Compared {
            migrator,
            comparison,
        })
    }

    fn wanted(&self) -> Result<Wanted<'_>> {
        match (self.from_sql, self.project.models) {
            (Some(path), _) => Ok(Wanted::Sql(path)),
            (None, Some(models)) => Ok(Wanted::Models(models)),
            (None, None) => Err(Error::new(
                Class::Config,
                "This program has no models that describe the schema.",
            )
            .with_hint(
                "Name SQL with --from-sql, or run a program that embeds these commands with its \
                 models.",
            )),
        }
    }

    /// A rename that names nothing on any engine.
    fn rename_of_nothing(&self, all: &[Compared]) -> Option<Error> {
        self.renames.iter().find_map(|rename| {
            let said = all.iter().map(|one| one.comparison.passed_over.get(rename));
            let said: Option<Vec<&String>> = said.collect();
            Some(Error::new(Class::Config, said?.first()?.as_str()))
        })
    }

    /// The configuration of each engine. One whose scratch databases are in memory needs none.
    fn configs(&self, options: &GlobalOptions) -> Result<Vec<Config>> {
        let engines: BTreeSet<Engine> = self.engines.iter().copied().collect();
        let memory = engines.into_iter().map(in_memory);
        if let Some(memory) = memory.collect::<Result<Option<Vec<Config>>>>()?
            && !memory.is_empty()
        {
            return Ok(memory);
        }
        let own = options.load()?.to_builder().max_retries(0).build()?;
        let engines = match self.engines {
            [] => self.usual_engines(own.engine()),
            given => given.iter().copied().collect(),
        };
        let config = |engine: Engine| match engine {
            engine if engine == own.engine() => Ok(own.clone()),
            engine => in_memory(engine)?.ok_or_else(|| no_server(engine, own.engine())),
        };
        engines.into_iter().map(config).collect()
    }

    /// That of the configuration, and those that the revisions have sections for.
    fn usual_engines(&self, own: Engine) -> BTreeSet<Engine> {
        let mut engines = engines_of(self.revisions);
        engines.insert(own);
        engines
    }
}

/// The engines that revisions have sections for.
pub(super) fn engines_of(revisions: &[Revision]) -> BTreeSet<Engine> {
    let scripts = revisions.iter().flat_map(|one| [&one.up, &one.down]);
    let sections = scripts.flat_map(|script| match script {
        Script::Sql(sections) => &sections[..],
        Script::Code | Script::Irreversible { .. } => &[],
    });
    sections.filter_map(|section| section.engine).collect()
}

/// Names what only one side has and no revision can be about.
pub(super) fn warn(comparison: &Comparison) -> std::io::Result<()> {
    let mut err = stderr().lock();
    for of in &comparison.diff.unsupported {
        let (has, lacks) = match comparison.made.unsupported.contains(of) {
            true => ("The revisions make", "the wanted schema does not have it"),
            false => ("The wanted schema has", "the revisions do not create it"),
        };
        writeln!(
            err,
            "warning: {has} the {of}, and {lacks}: objects of its kind cannot be compared and must \
             be managed by hand."
        )?;
    }
    Ok(())
}

/// Removes what was made for comparing.
pub(super) async fn close(all: Vec<Compared>) -> Result<()> {
    let mut result = Ok(());
    for one in all {
        let closed = one.comparison.close().await;
        result = result.and(closed);
    }
    result
}

/// The configuration of scratch databases that need no server.
fn in_memory(engine: Engine) -> Result<Option<Config>> {
    match &SchemaDialect::of(engine)?.scratch {
        ScratchRules::Memory { url } => Config::builder().url(*url).build().map(Some),
        ScratchRules::Server(_) | ScratchRules::None => Ok(None),
    }
}

fn no_server(engine: Engine, own: Engine) -> Error {
    Error::new(
        Class::Config,
        format!(
            "The revisions are for {engine} too, but the configuration names a database on {own}: \
             they can be checked for {engine} only on {engine}."
        ),
    )
    .with_hint(format!(
        "Name a server with --url, on which a scratch database is created, or exclude {engine} \
         with `--engine {own}`."
    ))
}

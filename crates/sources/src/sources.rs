use std::time::Duration;

use underpin_config::Config;
use underpin_core::{Class, Engine, Error, Result};
use underpin_migrate::{Migrator, OpenDatabase};
use underpin_model::Models;
use underpin_schema::{Hints, Schema, SchemaDialect, Selection};

use crate::selected::selected;
use crate::source::Source;
use crate::sql::of_sql;
use crate::target::{Target, without_history};
use crate::{Scratch, introspect, of_revisions};

const CLOSE: Duration = Duration::from_secs(5);

/// What [sources](Source) of schemas are read with: the configured database, and what the
/// program has of models and revisions.
///
/// ```no_run
/// use underpin::Config;
/// use underpin::schema::{SchemaDialect, Selection, Source, Sources};
///
/// # async fn run() -> underpin::Result<()> {
/// let sources = Sources::new(Config::from_env()?);
/// let wanted: Source = "schema.sql".parse()?;
/// let (has, wanted) = sources
///     .read_both(&Source::Database, &wanted, &Selection::default())
///     .await?;
/// let dialect = SchemaDialect::of(sources.engine())?;
/// for change in has.diff(&wanted, dialect).changes {
///     println!("{change}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Sources<D: OpenDatabase> {
    config: Config,
    models: Option<Models>,
    revisions: Option<Migrator<D>>,
}

impl<D: OpenDatabase> Sources<D> {
    /// The database of this configuration, beside which scratch databases are made, and
    /// neither models nor revisions.
    pub fn new(config: Config) -> Self {
        Sources {
            config,
            models: None,
            revisions: None,
        }
    }

    /// Sets the models of the program.
    #[must_use]
    pub fn models(mut self, models: &Models) -> Self {
        self.models = Some(*models);
        self
    }

    /// Sets the revisions of the program: those of a migrator, which runs them in a scratch
    /// database.
    #[must_use]
    pub fn revisions(mut self, migrator: Migrator<D>) -> Self {
        self.revisions = Some(migrator);
        self
    }

    /// The engine of the configured database, and of what is made in scratch databases.
    pub fn engine(&self) -> Engine {
        self.config.engine()
    }

    /// Reads what is selected of one source. The table of the migrations' history is left out
    /// unless it is selected by its name.
    ///
    /// # Errors
    /// [`Class::Config`] for a source that there is not; else that of
    /// [`introspect`](crate::introspect()) or [`of_sql`].
    ///
    /// # Cancel safety
    /// As for [`Scratch::beside`](crate::Scratch::beside).
    pub async fn read(&self, source: &Source, selection: &Selection) -> Result<Target> {
        match source {
            Source::Database | Source::Url(_) => {
                self.found(source, &Target::default(), selection).await
            }
            _ => self.described(source, selection).await,
        }
    }

    /// Reads two sources that are to be compared. Of a database that is compared with what is
    /// described, only the namespaces that this names are read, and no extensions but those
    /// that it names.
    ///
    /// # Errors
    /// As for [`read`](Sources::read); [`Class::Config`] where the two are of different engines.
    ///
    /// # Cancel safety
    /// As for [`read`](Sources::read).
    pub async fn read_both(
        &self,
        one: &Source,
        other: &Source,
        selection: &Selection,
    ) -> Result<(Target, Target)> {
        let engines = [self.engine_of(one), self.engine_of(other)];
        if engines[0] != engines[1] {
            let [first, second] = engines.map(|engine| engine.to_string());
            let message = format!(
                "{one} is on {first} and {other} on {second}, but only schemas of the same engine \
                 can be compared."
            );
            return Err(Error::new(Class::Config, message));
        }
        match (one, other) {
            (Source::Models, Source::Models) => {}
            (_, Source::Models) => return self.beside_models(one, selection).await,
            (Source::Models, _) => {
                let (other, one) = self.beside_models(other, selection).await?;
                return Ok((one, other));
            }
            _ if is_database(one) && !is_database(other) => {
                let other = self.described(other, selection).await?;
                return Ok((self.found(one, &other, selection).await?, other));
            }
            _ if is_database(other) && !is_database(one) => {
                let one = self.described(one, selection).await?;
                let other = self.found(other, &one, selection).await?;
                return Ok((one, other));
            }
            _ => {}
        }
        Ok((
            self.read(one, selection).await?,
            self.read(other, selection).await?,
        ))
    }

    /// Another source, and what the models want of a database that has it.
    async fn beside_models(
        &self,
        source: &Source,
        selection: &Selection,
    ) -> Result<(Target, Target)> {
        let models = self.models.as_ref().ok_or_else(no_models)?;
        let whole = self.read(source, &Selection::default()).await?;
        let mut wanted = Target::of_models::<D>(models, &self.config, &whole.schema).await?;
        let other = match is_database(source) {
            true => self.found(source, &wanted, selection).await?,
            false => whole,
        };
        let mut narrowed = selection.clone();
        if narrowed.namespaces.is_empty() {
            narrowed.namespaces = wanted.namespaces();
        }
        let other = Target {
            schema: selected(other.schema, &narrowed),
            ..other
        };
        wanted.schema = selected(wanted.schema, &narrowed);
        // They cannot say it.
        let (said, has) = (&mut wanted.schema, &other.schema);
        said.unsupported.clone_from(&has.unsupported);
        said.unlisted_options.clone_from(&has.unlisted_options);
        said.needs_unsupported.clone_from(&has.needs_unsupported);
        Ok((other, wanted))
    }

    /// Lets the server decide which expressions of two targets are one, before they are
    /// [compared](Target::diff): see [`settle`](crate::settle()).
    ///
    /// # Errors
    /// As for [`settle`](crate::settle()).
    ///
    /// # Cancel safety
    /// As for [`settle`](crate::settle()).
    pub async fn settle(&self, from: &Target, to: &mut Target) -> Result<()> {
        from.settle::<D>(to, &self.config).await
    }

    fn engine_of(&self, source: &Source) -> Engine {
        match source {
            Source::Url(config) => config.engine(),
            _ => self.engine(),
        }
    }

    /// What a database has of what a target describes.
    async fn found(
        &self,
        source: &Source,
        target: &Target,
        selection: &Selection,
    ) -> Result<Target> {
        let config = match source {
            Source::Url(config) => config,
            _ => &self.config,
        };
        let mut config = config.to_builder().pool_min_size(0);
        if SchemaDialect::of(self.engine_of(source))?.creates_databases {
            config = config.read_only(true);
        }
        let database = D::open(config.build()?).await?;
        let found = target.counterpart(&database, selection).await;
        let closed = database.close(CLOSE).await;
        let found = found?;
        closed.map(|()| found)
    }

    async fn described(&self, source: &Source, selection: &Selection) -> Result<Target> {
        match source {
            Source::Sql(path) => of_sql::<D>(path, &self.config, selection).await,
            Source::Models => {
                let models = self.models.as_ref().ok_or_else(no_models)?;
                let empty = Schema::default();
                let target = Target::of_models::<D>(models, &self.config, &empty).await?;
                Ok(Target {
                    schema: selected(target.schema, selection),
                    ..target
                })
            }
            _ => self.of_revisions(selection).await,
        }
    }

    async fn of_revisions(&self, selection: &Selection) -> Result<Target> {
        let migrator = self.revisions.as_ref().ok_or_else(no_revisions)?;
        let scratch = Scratch::beside(&self.config).await?;
        let made = match of_revisions(migrator, &scratch).await {
            Ok(_) => introspect(scratch.database(), &without_history(selection)).await,
            Err(error) => Err(error),
        };
        let removed = scratch.remove().await;
        let dialect = SchemaDialect::of(self.engine())?;
        let target = Target::described(made?, Hints::default(), dialect);
        removed.map(|()| target)
    }
}

fn is_database(source: &Source) -> bool {
    matches!(source, Source::Database | Source::Url(_))
}

fn no_models() -> Error {
    Error::new(
        Class::Config,
        "This program has no models that describe the schema.",
    )
    .with_hint(
        "Name a file or directory of SQL that does, or run a program that embeds these commands \
         with its models.",
    )
}

fn no_revisions() -> Error {
    let message = "This program has no revisions that describe the schema.";
    Error::new(Class::Config, message)
}

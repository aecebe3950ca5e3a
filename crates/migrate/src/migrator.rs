use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use underpin_config::{Ahead, Config, IntoConfig, Source};
use underpin_core::{Address, Class, Engine, Error, Result};

use crate::adopt::{Adopted, Adoption};
use crate::dialect::{MigrationDialect, RunLock};
use crate::directory::{Embedded, read_directory, read_embedded};
use crate::graph::{Branch, Graph};
use crate::history::History;
use crate::host::Direction;
use crate::into_target::IntoTarget;
use crate::merge::Merge;
use crate::open_database::{OpenConnection, OpenDatabase};
use crate::outline::Entry;
use crate::plan::{Mode, Plan};
use crate::progress::Progress;
use crate::repair::Repair;
use crate::revision::{Revision, RevisionId, Script};
use crate::run::{Replay, RunOptions};
use crate::runner::{Report, Runner};
use crate::stamp::StampChange;
use crate::target::Target;
use crate::validate::Finding;

mod host;
mod revision_connection;

use host::{Codes, ConnectionHost, no_code};
use revision_connection::Held;
pub use revision_connection::RevisionConnection;

/// Brings a database where it is to be, on one connection of its own, outside any pool.
///
/// Of several that run at once, in whatever process, one migrates, and the others wait
/// for it and find nothing left to do. Each call opens a connection and closes it.
#[derive(Clone)]
pub struct Migrator<D: OpenDatabase> {
    subject: Subject<D>,
    revisions: Vec<Revision>,
    codes: Codes<D>,
    options: RunOptions,
    ahead: Option<Ahead>,
    mode: Mode,
    progress: Arc<dyn Progress>,
}

/// The database to migrate.
#[derive(Clone)]
enum Subject<D> {
    Config(Arc<Config>),
    Open(D),
}

/// The purpose of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
    /// To write, and to create the file where there is none.
    Create,
}

impl<D: OpenDatabase> Migrator<D> {
    /// A migrator of the database at a URL, or as a [`Config`] says, with no revisions yet.
    ///
    /// # Errors
    /// `Class::Config` for a mistake in the configuration.
    pub fn new(config: impl IntoConfig) -> Result<Self> {
        Ok(Self::at(Subject::Config(Arc::new(config.into_config()?))))
    }

    /// A migrator of a database that is open. It takes a connection of its own beside the
    /// pool, at the [`migrate_url`](Config::migrate_url) of its configuration if that is set; only
    /// a database in memory lends its one connection.
    pub fn of(database: &D) -> Self {
        Self::at(Subject::Open(database.clone()))
    }

    /// The same revisions, code and options for another database that is open.
    #[must_use]
    pub fn on(&self, database: &D) -> Self {
        Migrator {
            subject: Subject::Open(database.clone()),
            ..self.clone()
        }
    }

    /// The same revisions, code and options for a scratch database, in which they are tried: what
    /// a revision would change beyond it is refused, or passed over where no schema depends on it.
    /// On a server that [`scratch_url`](Config::scratch_url) names for that, everything runs.
    #[must_use]
    pub fn on_scratch(&self, database: &D) -> Self {
        let mut replay = self.on(database);
        replay.options.replay = match database.config().scratch_url().is_empty() {
            true => Replay::Isolated,
            false => Replay::OnItsOwnServer,
        };
        replay
    }

    fn at(subject: Subject<D>) -> Self {
        Migrator {
            subject,
            revisions: Vec::new(),
            codes: Codes::default(),
            options: RunOptions::default(),
            ahead: None,
            mode: Mode::default(),
            progress: Arc::new(()),
        }
    }

    /// Adds revisions.
    #[must_use]
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = Revision>) -> Self {
        self.revisions.extend(revisions);
        self
    }

    /// Adds revisions that are embedded in the binary, by
    /// `embed_revisions!`.
    ///
    /// # Errors
    /// `Class::Config`, with file and line, for what cannot be read.
    pub fn embedded(self, files: &[Embedded]) -> Result<Self> {
        Ok(self.revisions(read_embedded(files)?))
    }

    /// Adds the revisions of a directory.
    ///
    /// # Errors
    /// `Class::Missing` without the directory; `Class::Config`, with file and line, for
    /// what cannot be read.
    pub fn directory(self, path: impl AsRef<Path>) -> Result<Self> {
        Ok(self.revisions(read_directory(path)?))
    }

    /// Gives the Rust code of the revision with this id, whose file says `-- up code` and
    /// `-- down code`. It runs within the revision's transaction.
    ///
    /// ```
    /// # use underpin::migrate::Migrator;
    /// # fn of(migrator: Migrator) -> underpin::Result<Migrator> {
    /// migrator.code(
    ///     "91b2c3d4e5f6",
    ///     async |connection| {
    ///         connection.execute("UPDATE users SET email = lower(email)", ()).await?;
    ///         Ok(())
    ///     },
    ///     async |_| Ok(()),
    /// )
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Class::Config` where the id is none.
    pub fn code<Up, Down, UpFuture, DownFuture>(
        mut self,
        id: &str,
        up: Up,
        down: Down,
    ) -> Result<Self>
    where
        Up: Fn(RevisionConnection<D>) -> UpFuture + Send + Sync + 'static,
        Down: Fn(RevisionConnection<D>) -> DownFuture + Send + Sync + 'static,
        UpFuture: Future<Output = Result<()>> + Send + 'static,
        DownFuture: Future<Output = Result<()>> + Send + 'static,
    {
        let id = RevisionId::new(id).ok_or_else(|| {
            Error::new(Class::Config, format!("{id:?} is not a valid revision id."))
                .with_hint("An id has lower-case letters, digits and underscores.")
        })?;
        let codes: [host::Code<D>; 2] = [
            Arc::new(move |connection| Box::pin(up(connection))),
            Arc::new(move |connection| Box::pin(down(connection))),
        ];
        self.codes.0.insert(id, codes);
        Ok(self)
    }

    /// Sets how much one transaction holds: one revision, by default.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets how long a statement waits for a lock on a table. 5 s by default; `None` is
    /// without end.
    #[must_use]
    pub fn lock_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.lock_timeout = limit.into();
        self
    }

    /// Sets how long another run is waited for. 10 min by default; `None` is without end.
    #[must_use]
    pub fn wait(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.wait = limit.into();
        self
    }

    /// Sets what `up` does if the database has revisions that are not among these. As the
    /// configuration says, by default.
    #[must_use]
    pub fn ahead(mut self, ahead: Ahead) -> Self {
        self.ahead = Some(ahead);
        self
    }

    /// Sets how often, and after how long, a transaction that did not get a lock is tried
    /// again. 10 times after 1 s by default.
    #[must_use]
    pub fn lock_retries(mut self, retries: u32, wait: Duration) -> Self {
        self.options.lock_retries = retries;
        self.options.lock_wait = wait;
        self
    }

    /// Sets who is told how a run goes on.
    #[must_use]
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// The revisions as a graph.
    ///
    /// # Errors
    /// `Class::Config` for a cycle, a missing parent or an id that is there twice.
    pub fn graph(&self) -> Result<Graph> {
        Graph::new(self.revisions.clone())
    }

    /// The engine of the database.
    pub fn engine(&self) -> Engine {
        self.config().engine()
    }

    /// Applies what is pending up to the target.
    ///
    /// # Errors
    /// `Class::Config` where there is no such way, or the history does not agree with the
    /// revisions; nothing was run then. A statement that fails is named with its file and
    /// line, and the message says what stands.
    ///
    /// # Cancel safety
    /// Dropped half-way, what is committed stands, and the next run goes on with it.
    pub async fn up(&self, target: impl IntoTarget) -> Result<Report> {
        self.go(Direction::Up, target.into_target()?).await
    }

    /// Undoes what is applied down to the target, which stays.
    ///
    /// # Errors
    /// As for [`up`](Migrator::up).
    ///
    /// # Cancel safety
    /// As for [`up`](Migrator::up).
    pub async fn down(&self, target: impl IntoTarget) -> Result<Report> {
        self.go(Direction::Down, target.into_target()?).await
    }

    async fn go(&self, direction: Direction, target: Target) -> Result<Report> {
        let graph = self.graph()?;
        self.has_all_code(&graph)?;
        let purpose = match direction {
            Direction::Up => Purpose::Create,
            Direction::Down => Purpose::Write,
        };
        let host = self.open(purpose).await?;
        let runner = Runner::new(&host, &graph, self.run_options(), &*self.progress);
        let result = runner.go(direction, &target, self.mode).await;
        host.connection.close().await;
        result
    }

    /// Records that the database has the target and all that it stands on, and nothing
    /// else; runs nothing. This is how a database that was there before is taken over.
    ///
    /// # Errors
    /// For a target that is none here, and where the history cannot be written.
    ///
    /// # Cancel safety
    /// All of it is recorded or nothing.
    pub async fn stamp(&self, target: impl IntoTarget) -> Result<Vec<StampChange>> {
        let target = target.into_target()?;
        let graph = self.graph()?;
        let host = self.open(Purpose::Write).await?;
        let runner = Runner::new(&host, &graph, self.run_options(), &*self.progress);
        let result = runner.stamp(&target).await;
        host.connection.close().await;
        result
    }

    /// Returns what [`stamp`](Migrator::stamp) would change. Changes nothing.
    ///
    /// # Errors
    /// As for [`stamp`](Migrator::stamp).
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn would_stamp(&self, target: impl IntoTarget) -> Result<Vec<StampChange>> {
        let target = target.into_target()?;
        let graph = self.graph()?;
        crate::stamp(&graph, &self.history().await?, &target)
    }

    /// Returns what [`repair`](Migrator::repair) would accept. Changes nothing.
    ///
    /// # Errors
    /// As for [`repair`](Migrator::repair).
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn would_repair(&self) -> Result<Vec<Repair>> {
        let graph = self.graph()?;
        crate::repair(&graph, &self.history().await?, self.engine())
    }

    /// Takes the database over from another tool: writes that tool's migrations as revision
    /// files, and records as applied what it has recorded; runs nothing, and leaves its table
    /// and files as they are. Revisions of this migrator are not needed, nor added to. Done
    /// again it changes nothing, and on another database of the same tool it records what
    /// that one has.
    ///
    /// # Errors
    /// `Class::Config`, in full sentences, for what cannot be adopted; nothing is written
    /// then.
    ///
    /// # Cancel safety
    /// Dropped half-way, files may be there and nothing recorded; another call goes on.
    pub async fn adopt(&self, adoption: &Adoption) -> Result<Adopted> {
        if !self.is_there() {
            return Err(
                Error::new(Class::Config, "There is no such database to adopt.")
                    .with_hint("Check that the path in its URL is the right one."),
            );
        }
        let host = self.open(Purpose::Write).await?;
        let result = crate::adopt(&host, adoption, &*self.progress).await;
        host.connection.close().await;
        result
    }

    /// Accepts revisions that have changed since they were applied as they are now, and
    /// gives both checksums of each.
    ///
    /// # Errors
    /// Where the history cannot be read or written.
    ///
    /// # Cancel safety
    /// All of it is recorded or nothing.
    pub async fn repair(&self) -> Result<Vec<Repair>> {
        let graph = self.graph()?;
        let host = self.open(Purpose::Write).await?;
        let runner = Runner::new(&host, &graph, self.run_options(), &*self.progress);
        let result = runner.repair().await;
        host.connection.close().await;
        result
    }

    /// Returns the history that the database has. Changes nothing.
    ///
    /// # Errors
    /// The error of connecting or reading.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn history(&self) -> Result<History> {
        // A file that is not there has no history, and is not made to ask it.
        if !self.is_there() {
            return Ok(History::default());
        }
        let host = self.open(Purpose::Read).await?;
        let result = crate::read_history(&host).await;
        host.connection.close().await;
        result
    }

    /// The revisions that are applied and that nothing applied stands on. Changes nothing.
    ///
    /// # Errors
    /// As for [`history`](Migrator::history) and [`graph`](Migrator::graph).
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn current(&self) -> Result<Vec<RevisionId>> {
        let graph = self.graph()?;
        Ok(crate::current(&graph, &self.history().await?))
    }

    /// The revisions that are not applied, in the order in which they would be. Changes
    /// nothing.
    ///
    /// # Errors
    /// As for [`current`](Migrator::current).
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn pending(&self) -> Result<Vec<Revision>> {
        let graph = self.graph()?;
        let history = self.history().await?;
        let pending = crate::pending(&graph, &history);
        Ok(pending.into_iter().cloned().collect())
    }

    /// The revisions that no other stands on. Asks no database.
    ///
    /// # Errors
    /// As for [`graph`](Migrator::graph).
    pub fn heads(&self) -> Result<Vec<Revision>> {
        Ok(self.graph()?.heads().into_iter().cloned().collect())
    }

    /// The branches: where the graph parts, and what has a label. Asks no database.
    ///
    /// # Errors
    /// As for [`graph`](Migrator::graph).
    pub fn branches(&self) -> Result<Vec<Branch>> {
        Ok(self.graph()?.branches())
    }

    /// Returns the parents that merge the heads of the targets, or all heads, and which objects more
    /// than one of them touches. Asks no database and writes nothing;
    /// [`render`](crate::render()) gives the text of the revision's file.
    ///
    /// # Errors
    /// `Class::Config` where there are fewer than two heads; as for
    /// [`graph`](Migrator::graph).
    pub fn merge(&self, targets: &[Target]) -> Result<Merge> {
        crate::merge(&self.graph()?, targets)
    }

    /// All revisions, and what the database has of them. Changes nothing.
    ///
    /// # Errors
    /// As for [`current`](Migrator::current).
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn outline(&self) -> Result<Vec<Entry>> {
        let graph = self.graph()?;
        Ok(crate::outline(&graph, &self.history().await?))
    }

    /// Returns what going to the target would do: down for `base`, `-n` and applied revisions, else
    /// up. Changes nothing.
    ///
    /// # Errors
    /// As for [`up`](Migrator::up).
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn plan(&self, target: impl IntoTarget) -> Result<Plan> {
        let target = target.into_target()?;
        let graph = self.graph()?;
        let history = self.history().await?;
        let down = crate::leads_down(&graph, &history, &target)?;
        let (engine, mode) = (self.engine(), self.mode);
        let history = match down {
            false if self.run_options().ahead == Ahead::Ignore => history.known_to(&graph).0,
            _ => history,
        };
        match down {
            true => crate::plan_down(&graph, &history, &target, engine, mode),
            false => crate::plan_up(&graph, &history, &target, engine, mode),
        }
    }

    /// Returns the findings about the revisions and the database's history; empty if all is
    /// well. Changes nothing.
    ///
    /// # Errors
    /// As for [`current`](Migrator::current).
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn validate(&self) -> Result<Vec<Finding>> {
        let graph = self.graph()?;
        let history = self.history().await?;
        Ok(crate::validate(&graph, &history, self.engine()))
    }

    /// The options, where they do not say otherwise as the configuration has them.
    fn run_options(&self) -> RunOptions {
        RunOptions {
            ahead: self.ahead.unwrap_or_else(|| self.config().migrate_ahead()),
            ..self.options
        }
    }

    /// The configuration of the database.
    pub fn config(&self) -> Arc<Config> {
        match &self.subject {
            Subject::Config(config) => Arc::clone(config),
            Subject::Open(database) => database.config(),
        }
    }

    fn is_there(&self) -> bool {
        self.config()
            .endpoints()
            .iter()
            .all(|at| match &at.address {
                Address::File(path) => path.exists(),
                _ => true,
            })
    }

    /// That nothing begins which cannot be brought to its end.
    fn has_all_code(&self, graph: &Graph) -> Result<()> {
        let is_code = |r: &&Revision| r.up == Script::Code || r.down == Script::Code;
        let mut coded = graph.all().filter(is_code);
        match coded.find(|revision| !self.codes.0.contains_key(&revision.id)) {
            Some(revision) => Err(no_code(&revision.id)),
            None => Ok(()),
        }
    }

    async fn open(&self, purpose: Purpose) -> Result<ConnectionHost<D>> {
        let mut config = None;
        let held = match &self.subject {
            Subject::Open(database) if database.config().is_memory() => {
                Held::Leased(database.acquire().await?)
            }
            _ if self.config().is_memory() => return Err(in_memory()),
            _ => {
                let own = config.insert(self.for_run(purpose)?);
                Held::Own(D::Connection::open(own.clone()).await?)
            }
        };
        Ok(ConnectionHost {
            connection: RevisionConnection::new(held),
            codes: self.codes.clone(),
            config,
        })
    }

    /// The configuration with the timeouts of a run instead of those of a service.
    fn for_run(&self, purpose: Purpose) -> Result<Config> {
        let config = match self.options.replay {
            Replay::No => self.config().for_migrations()?,
            _ => (*self.config()).clone(),
        };
        let mut builder = config.to_builder().statement_timeout(None);
        let dialect = MigrationDialect::of(config.engine())?;
        if let RunLock::Session(_) = dialect.lock {
            // A pooler in transaction mode would not know a statement that another session has
            // prepared, and a run seldom runs one twice.
            builder = builder.statement_cache_size(0);
        }
        let names = ["application_name", "fallback_application_name"];
        let is_named = names.map(|key| config.source(key) != &Source::Default);
        if config.engine().has_key(names[1]) && is_named == [false, false] {
            builder = builder.fallback_application_name("underpin migrate");
        }
        if dialect.lock_timeout.is_none() {
            let wait = self
                .options
                .lock_timeout
                .unwrap_or(Duration::from_secs(24 * 3600));
            builder = builder.busy_timeout(wait);
        }
        if dialect.creates_databases {
            builder = builder.read_only(config.read_only() || purpose == Purpose::Read);
            if purpose == Purpose::Create && config.engine().info().keys.contains(&"create") {
                builder = builder.create(true);
            }
        }
        builder.build()
    }
}

fn in_memory() -> Error {
    Error::new(
        Class::Unsupported,
        "A database in memory has one connection, but a migrator of a URL would open another.",
    )
    .with_hint("Open the database first, and use Migrator::of.")
}

impl<D: OpenDatabase> std::fmt::Debug for Migrator<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Migrator")
            .field("engine", &self.engine())
            .field("revisions", &self.revisions.len())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

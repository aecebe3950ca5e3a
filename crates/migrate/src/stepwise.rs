//! A step that has a section outside any transaction: its sections run one by one, and how
//! far it got is noted in between, so that a run that fails or is killed can be gone on with.

use std::time::Instant;

use underpin_core::driver::SessionState;
use underpin_core::{Class, Effect, Engine, Error, Existence, Result};

use crate::checksum::statement_hash;
use crate::concurrent::{drop_invalid_indexes, invalid_indexes, is_concurrent};
use crate::failure::{advised, followed, of_statement};
use crate::history_table::HalfWay;
use crate::host::Direction;
use crate::plan;
use crate::revision::Statement;
use crate::run::Run;
use crate::sql::words;
use crate::together::RunStep;
use crate::transaction::Transaction;
use crate::validate::command;

/// Runs the step from where an earlier run has left it.
pub(crate) async fn run(run: &mut Run<'_>, place: RunStep<'_>) -> Result<()> {
    let (revision, direction) = (place.revision, place.step.direction);
    run.progress
        .begun(revision, direction, place.number, place.of);
    run.lock.hold(run.host).await?;
    run.table.make(run.host).await?;
    run.table.made();
    run.table.complete(run.host).await?;
    let engine = place.step.engine;
    let statements = plan::statements(revision, direction, engine).into_iter();
    let mut walk = Walk {
        run,
        place,
        started: Instant::now(),
        done: place.step.skip,
        hashes: statements
            .map(|statement| statement_hash(statement, engine))
            .collect(),
        begun: None,
    };
    walk.all().await?;
    run.progress
        .done(revision, direction, walk.started.elapsed());
    Ok(())
}

/// A step on its way.
struct Walk<'a, 'r> {
    run: &'a Run<'r>,
    place: RunStep<'a>,
    started: Instant,
    /// How many statements have run, those of earlier runs among them.
    done: usize,
    /// The hashes of all statements.
    hashes: Vec<String>,
    /// How many had run before the transaction that the section has begun itself and not ended, and
    /// the line where it begins.
    begun: Option<(usize, usize)>,
}

impl Walk<'_, '_> {
    async fn all(&mut self) -> Result<()> {
        // Whether what came of the next statement is not known, for the run ended there.
        let mut doubtful = self
            .run
            .table
            .is_begun(self.run.host, &self.place.revision.id)
            .await?;
        if self.done == self.place.step.statements {
            return self.note().await;
        }
        self.restore_session().await?;
        let mut before = 0;
        for section in self.place.step.sections(self.run.graph) {
            let statements = section.statements_on(self.place.step.engine);
            let skip = self.done.saturating_sub(before).min(statements.len());
            before += statements.len();
            if section.transactional {
                if skip < statements.len() {
                    self.transactional(statements, before).await?;
                }
                continue;
            }
            for statement in &statements[skip..] {
                self.alone(statement, doubtful, self.done + 1 == before)
                    .await?;
                doubtful = false;
            }
        }
        Ok(())
    }

    /// Sets what the statements that an earlier run has done had set for the session: the others
    /// may rely on it.
    async fn restore_session(&self) -> Result<()> {
        let engine = self.place.step.engine;
        let revision = self.place.revision;
        let statements = plan::statements(revision, self.place.step.direction, engine);
        for statement in statements.into_iter().take(self.done) {
            if sets_session(&statement.sql, engine) {
                let ran = self.run.statement(statement).await;
                ran.map_err(|error| of_statement(revision, statement, error))?;
            }
        }
        Ok(())
    }

    /// Runs a section in a transaction, and notes in it that the section is done.
    async fn transactional(&mut self, statements: &[Statement], end: usize) -> Result<()> {
        let mut patience = self.run.patience();
        let begin = self.done;
        loop {
            let transaction = Transaction::begin(self.run.host).await?;
            self.done = end;
            let result = match self.statements(statements).await {
                Ok(()) => transaction.commit(self.run.host).await,
                Err(error) => {
                    transaction.rollback(self.run.host).await;
                    Err(error.with_effect(Effect::RolledBack))
                }
            };
            let Err(error) = result else {
                return Ok(());
            };
            self.done = begin;
            if let Err(error) = patience.wait(self.run, error).await {
                return Err(self.stopped(error, &[]));
            }
        }
    }

    async fn statements(&self, statements: &[Statement]) -> Result<()> {
        self.run.lock.hold(self.run.host).await?;
        for statement in statements {
            let ran = self.run.statement(statement).await;
            ran.map_err(|error| of_statement(self.place.revision, statement, error))?;
        }
        self.run.resume_own_role().await?;
        self.note().await
    }

    /// Runs one statement by itself, and notes before and after. Within a transaction that the
    /// section has begun, the notes go with it.
    async fn alone(&mut self, statement: &Statement, doubtful: bool, last: bool) -> Result<()> {
        let host = self.run.host;
        let unbounded = is_concurrent(self.run.dialect, &statement.sql);
        self.run.lock.hold(host).await?;
        self.half_way(true).await?;
        if unbounded {
            self.run.limit_locks(None).await?;
        }
        let mut patience = self.run.patience();
        let mut again = self.place.step.skip == self.done;
        let failed = loop {
            if again {
                drop_invalid_indexes(host, self.run.dialect, &statement.sql).await?;
            }
            match self.run.statement(statement).await {
                Ok(()) => break None,
                Err(error) if doubtful && took_hold_before(statement, &error) => {
                    tracing::warn!(%error, "the statement took effect in an earlier run");
                    break None;
                }
                // What went before in the same transaction is gone.
                Err(error) if self.begun.is_some() => break Some(error),
                Err(error) => match patience.wait(self.run, error).await {
                    Ok(()) => again = true,
                    Err(error) => break Some(error),
                },
            }
        };
        if let Some(error) = failed {
            return Err(self.failed(statement, error).await);
        }
        if unbounded {
            self.run.limit_locks(self.run.options.lock_timeout).await?;
        }
        self.done += 1;
        self.begun = match self.is_open() {
            false => None,
            true => self.begun.or(Some((self.done - 1, statement.line))),
        };
        if let Some((_, line)) = self.begun.filter(|_| last) {
            return Err(self.unclosed(line).await);
        }
        self.note().await
    }

    /// Whether a transaction is open that the section has begun.
    fn is_open(&self) -> bool {
        matches!(
            self.run.host.state(),
            SessionState::InTransaction | SessionState::Failed
        )
    }

    /// Undoes what was not committed: nothing of it would last.
    async fn undo(&mut self) {
        let Some((done, _)) = self.begun.take() else {
            return;
        };
        self.done = done;
        if self.is_open() {
            let rollback = self.run.dialect.sql.transactions.rollback;
            if let Err(error) = self.run.host.run(rollback).await {
                tracing::debug!(%error, "the transaction of the section is over already");
            }
        }
    }

    /// Ends a transaction that the section leaves open, and says so.
    async fn unclosed(&mut self, line: usize) -> Error {
        self.undo().await;
        self.note_failure(false).await;
        let (revision, begin) = (self.place.revision, self.run.dialect.sql.transactions.begin);
        let error = Error::new(
            Class::Config,
            format!(
                "{}, line {line}: revision {} begins a transaction here and does not end it in \
                 its section, so that nothing from here on took effect.",
                revision.origin, revision.id
            ),
        )
        .with_effect(Effect::RolledBack)
        .with_hint(format!(
            "Write COMMIT behind its last statement; or leave {begin} out, and `no-transaction` \
             where nothing asks for it."
        ));
        self.stopped(error, &[])
    }

    /// Notes how far the step is, or that it is at its end.
    async fn note(&self) -> Result<()> {
        let (run, revision) = (self.run, self.place.revision);
        if self.done < self.place.step.statements {
            return self.half_way(false).await;
        }
        match self.place.step.direction {
            Direction::Up => {
                let took = self.started.elapsed();
                run.table.put(run.host, revision, took).await
            }
            Direction::Down => run.table.remove(run.host, &revision.id).await,
        }
    }

    async fn half_way(&self, statement_begun: bool) -> Result<()> {
        let half_way = HalfWay {
            direction: self.place.step.direction,
            statements_done: self.done,
            statements_ran: self.hashes.get(..self.done).unwrap_or_default(),
            statement_begun,
        };
        let (run, took) = (self.run, self.started.elapsed());
        run.table
            .mark(run.host, self.place.revision, half_way, took)
            .await
    }

    /// Notes that a statement failed, and says what stands.
    async fn failed(&mut self, statement: &Statement, error: Error) -> Error {
        let run = self.run;
        let revision = self.place.revision;
        self.undo().await;
        let left = invalid_indexes(run.host, run.dialect, &statement.sql).await;
        let left = left.unwrap_or_default();
        self.note_failure(!left.is_empty()).await;
        self.stopped(of_statement(revision, statement, error), &left)
    }

    /// Notes how far the step got, or that nothing of it stands.
    async fn note_failure(&self, leaves: bool) {
        let (run, id) = (self.run, &self.place.revision.id);
        let noted = if self.done == 0 && !leaves {
            let direction = self.place.step.direction;
            run.table.unmark(run.host, id, direction).await
        } else {
            self.half_way(false).await
        };
        if let Err(lost) = noted {
            tracing::debug!(error = %lost, "the failure could not be recorded");
        }
    }

    fn stopped(&self, error: Error, invalid: &[String]) -> Error {
        let (done, all) = (self.done, self.place.step.statements);
        let command = command(self.place.step.direction);
        let unknown = match error.class() {
            Class::Connect => " It is not known whether this statement took effect.",
            _ => "",
        };
        if done == 0 && invalid.is_empty() && unknown.is_empty() {
            return followed(error, "No statement of this revision took effect.");
        }
        let stands = match done {
            0 => "No other statement of this revision has run.".to_owned(),
            _ => format!(
                "{done} of its {all} statements ran, outside a common transaction, and remain in \
                 effect."
            ),
        };
        let mut advice = format!(
            "Remove the cause and run `{command}` again, which continues with this statement; if \
             the revision had to be corrected, accept it first with `repair`."
        );
        if !invalid.is_empty() {
            let names = invalid.join(", ");
            advice = format!(
                "It has left the INVALID index {names}; `{command}` drops it before the next \
                 attempt. {advice}"
            );
        }
        advised(followed(error, &format!("{stands}{unknown}")), &advice)
    }
}

/// Whether the statement sets something for the rest of the session, and does nothing else.
fn sets_session(sql: &str, engine: Engine) -> bool {
    let words = words(sql, Some(engine));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &words[..] {
        ["SET", "LOCAL" | "TRANSACTION" | "CONSTRAINTS", ..] => false,
        ["SET" | "RESET" | "PRAGMA", ..] => true,
        ["SELECT", "SET_CONFIG", ..] => true,
        ["SELECT", "PG_CATALOG", ".", "SET_CONFIG", ..] => true,
        _ => false,
    }
}

/// Whether the engine says that what the statement makes is there, or what it takes away
/// is gone.
fn took_hold_before(statement: &Statement, error: &Error) -> bool {
    let first = statement.sql.split_whitespace().next().unwrap_or_default();
    let makes = ["create", "alter"]
        .iter()
        .any(|word| first.eq_ignore_ascii_case(word));
    let takes_away = first.eq_ignore_ascii_case("drop");
    match error.existence() {
        Some(Existence::Exists) => makes,
        Some(Existence::Missing) => takes_away,
        None => false,
    }
}

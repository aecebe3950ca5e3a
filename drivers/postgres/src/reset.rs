use std::time::{Duration, Instant};

use tokio::time::timeout;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline, Effect, Error, Recycling, Result, Stage};

use crate::call::{Call, Failure, Late};
use crate::connection::Connection;
use crate::trust::Trust;
use crate::wire::body::Values;
use crate::wire::machine::IDLE;
use crate::wire::opening::Phase;
use crate::wire::request::Progress;

/// Maximum wait for the answers to dropped statements before they are canceled.
const PATIENCE: Duration = Duration::from_millis(100);
/// Time limit for a reset if no deadline is given.
const RESET_BOUND: Duration = Duration::from_secs(10);

/// The work of DISCARD ALL, except for prepared statements: the client relies on its own, and those
/// prepared by SQL are listed for a second step. Also returns the process.
const CLEAN: &str = "\
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; UNLISTEN *; \
    SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; \
    SELECT 'DEALLOCATE ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(name) \
    FROM pg_catalog.pg_prepared_statements WHERE from_sql; \
    SELECT 'PROCESS ' OPERATOR(pg_catalog.||) pg_catalog.pg_backend_pid()::pg_catalog.text";

/// The same without a wait: in a transaction, so that the server runs nothing behind it if a part
/// of it fails. If a function has prepared a statement, this fails deliberately.
pub(crate) const SETTLE: &str = "\
    BEGIN ISOLATION LEVEL READ COMMITTED; \
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; UNLISTEN *; \
    DISCARD TEMP; DISCARD SEQUENCES; \
    SELECT pg_catalog.pg_advisory_unlock_all(), 1 OPERATOR(pg_catalog./) \
    (pg_catalog.count(*) OPERATOR(pg_catalog.=) 0)::pg_catalog.int4 \
    FROM pg_catalog.pg_prepared_statements WHERE from_sql; \
    COMMIT";

/// Makes a session like new.
const DISCARD: &str = "DISCARD ALL";

impl Connection {
    pub(crate) async fn run_reset(&self, deadline: Deadline) -> Result<()> {
        let session = self.session();
        if session.state() == SessionState::Clean && !session.trust.is_suspected() {
            return Ok(());
        }
        self.recycle(&Recycling::Verified, Trust::is_suspected, deadline)
            .await
    }

    pub(crate) async fn run_recycle(&self, how: &Recycling, deadline: Deadline) -> Result<()> {
        self.recycle(how, Trust::is_doubted, deadline).await
    }

    /// Cleans the session, if a statement announced a change or `doubts` says that a statement may
    /// have changed it unseen.
    async fn recycle(
        &self,
        how: &Recycling,
        doubts: fn(&Trust) -> bool,
        deadline: Deadline,
    ) -> Result<()> {
        let bound = deadline.earlier(Deadline::after(Instant::now(), RESET_BOUND));
        let session = self.session();
        let state = session.state();
        let always = matches!(
            how,
            Recycling::Clean | Recycling::Reset | Recycling::Custom(_)
        );
        match state {
            SessionState::Clean if !always && !doubts(&session.trust) => return Ok(()),
            SessionState::Broken => return Err(session.lost()),
            _ => {}
        }
        let call = Call::open_to_end(session, bound)?;
        match call.in_time(self.clean(state, how, doubts)).await {
            Some(Ok(())) => call.done(),
            Some(Err(failure)) => Err(call.fail(failure).await),
            None => Err(Error::new(
                Class::Timeout {
                    stage: Stage::Statement,
                },
                format!(
                    "The connection to {} could not be cleaned in time.",
                    session.endpoint
                ),
            )
            .with_effect(Effect::Unknown)),
        }
    }

    async fn clean(
        &self,
        state: SessionState,
        how: &Recycling,
        doubts: fn(&Trust) -> bool,
    ) -> Result<(), Failure> {
        let session = self.session();
        let (was, changed) = {
            let mut machine = session.wire.machine();
            machine.opening.take_back();
            (machine.opening.clear(), machine.changed)
        };
        // The use of BEGIN, or of the native client, is not known until everything is answered.
        if was == Phase::Sent
            || matches!(state, SessionState::Busy | SessionState::Changed)
            || changed
        {
            match timeout(PATIENCE, session.quiet()).await {
                Ok(answered) => answered?,
                Err(_) if session.cancel().await.is_ok() => session.quiet().await?,
                Err(_) => return Err(Failure::Late(Late::GivenUp(Progress::Written))),
            }
        }
        if session.wire.look().status != IDLE {
            session.run_simple("ROLLBACK").await?;
        }
        if session.wire.machine().deallocated {
            session.statements().clear();
            return Err(Failure::Ours(Error::new(
                Class::Closed,
                "All prepared statements of the session were dropped, including the driver's own.",
            )));
        }
        match how {
            Recycling::Custom(sql) => session.run_simple(sql).await?,
            Recycling::Reset => {
                session.run_simple(DISCARD).await?;
                // They are gone, and nothing else is lost with them.
                session.wire.machine().deallocated = false;
                session.statements().clear();
            }
            Recycling::Fast if !session.wire.look().changed => {}
            Recycling::Verified | Recycling::Fast
                if !session.wire.look().changed && !doubts(&session.trust) => {}
            Recycling::Verified | Recycling::Fast | Recycling::Clean => {
                for statement in self.undo().await? {
                    session.run_simple(&statement).await?;
                }
            }
        }
        session.wire.machine().changed = false;
        session.settled();
        Ok(())
    }

    /// Cleans the session, and returns the further statements that this requires.
    async fn undo(&self) -> Result<Vec<String>, Failure> {
        let session = self.session();
        let mut answer = session.simple(CLEAN)?;
        let mut statements = Vec::new();
        while answer.more().await? {
            while let Some(frame) = answer.next() {
                let value = match frame.tag {
                    b'D' => Values::new(frame.body).and_then(|values| values.get(0)),
                    _ => None,
                };
                let Some(text) = value.flatten().map(String::from_utf8_lossy) else {
                    continue;
                };
                if let Some(process) = text.strip_prefix("PROCESS ") {
                    let announced = process.parse() == Ok(session.wire.process);
                    session.trust.note_process(announced);
                } else if text.starts_with("DEALLOCATE ") {
                    statements.push(text.into_owned());
                }
            }
        }
        Ok(statements)
    }
}

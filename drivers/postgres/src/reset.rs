use std::time::{Duration, Instant};

use tokio::time::timeout;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline, Effect, Error, Result, Stage};

use crate::call::{Call, Failure, Late};
use crate::connection::Connection;
use crate::session::Session;
use crate::wire::body::Values;
use crate::wire::machine::IDLE;
use crate::wire::opening::Phase;
use crate::wire::request::Progress;

/// How long the answers to dropped statements are waited for before they are cancelled.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a reset takes at the most, where no deadline is given.
const RESET_BOUND: Duration = Duration::from_secs(10);

/// What DISCARD ALL does, but for the prepared statements: this side relies on its own,
/// and what others prepared by SQL is listed for a second step.
const CLEAN: &str = "\
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; UNLISTEN *; \
    SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; \
    SELECT 'DEALLOCATE ' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(name) \
    FROM pg_catalog.pg_prepared_statements WHERE from_sql";

impl Connection {
    pub(crate) async fn run_reset(&self, deadline: Deadline) -> Result<()> {
        let bound = deadline.earlier(Deadline::after(Instant::now(), RESET_BOUND));
        let state = self.session().state();
        match state {
            SessionState::Clean => return Ok(()),
            SessionState::Broken => return Err(self.session().lost()),
            _ => {}
        }
        let call = Call::open_to_end(self.session(), bound)?;
        match call.in_time(self.clean(state)).await {
            Some(Ok(())) => call.done(),
            Some(Err(failure)) => Err(call.fail(failure).await),
            None => Err(Error::new(
                Class::Timeout {
                    stage: Stage::Statement,
                },
                format!(
                    "The connection to {} could not be cleaned in time.",
                    self.session().endpoint
                ),
            )
            .with_effect(Effect::Unknown)),
        }
    }

    async fn clean(&self, state: SessionState) -> Result<(), Failure> {
        let session = self.session();
        let (was, changed) = {
            let mut machine = session.wire.machine();
            machine.opening.take_back();
            (machine.opening.clear(), machine.changed)
        };
        // What BEGIN, or the native client, was used for is not known until all is answered.
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
                "All prepared statements of the session were dropped, the driver's own among them.",
            )));
        }
        if session.wire.look().changed {
            for statement in prepared_by_sql(session).await? {
                session.run_simple(&statement).await?;
            }
            session.wire.machine().changed = false;
            session.limit.reset();
        }
        Ok(())
    }
}

/// Cleans the session, and gives what else is to be run for that.
async fn prepared_by_sql(session: &Session) -> Result<Vec<String>, Failure> {
    let mut answer = session.simple(CLEAN)?;
    let mut statements = Vec::new();
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            let value = match frame.tag {
                b'D' => Values::new(frame.body).and_then(|values| values.get(0)),
                _ => None,
            };
            let text = value.flatten().map(String::from_utf8_lossy);
            statements.extend(
                text.filter(|text| text.starts_with("DEALLOCATE "))
                    .map(String::from),
            );
        }
    }
    Ok(statements)
}

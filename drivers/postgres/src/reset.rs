use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use tokio_postgres::SimpleQueryMessage;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Deadline, Effect, Error, Result, Stage};

use crate::call::{Call, Failure, Late};
use crate::connection::Connection;
use crate::link::IDLE;
use crate::opening::Phase;

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
        match call.in_time(self.clean(&call, state)).await {
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

    async fn clean(&self, call: &Call, state: SessionState) -> Result<(), Failure> {
        let session = self.session();
        let client = &session.client;
        session.opening.take_back();
        // What BEGIN, or the native client, was used for is not known until all is answered.
        if session.opening.clear() == Phase::Sent
            || matches!(state, SessionState::Busy | SessionState::Changed)
            || session.link.changed.load(Ordering::Acquire)
        {
            match timeout(PATIENCE, session.quiet()).await {
                Ok(answered) => answered?,
                Err(_) if session.cancel().await.is_ok() => session.quiet().await?,
                Err(_) => return Err(Failure::Late(Late::GivenUp)),
            }
        }
        if session.link.status() != IDLE {
            client.batch_execute("ROLLBACK").await?;
        }
        if session.link.deallocated.load(Ordering::Acquire) {
            session.statements().clear();
            return Err(Failure::Ours(Error::new(
                Class::Closed,
                "All prepared statements of the session were dropped, the driver's own among them.",
            )));
        }
        if session.link.changed.load(Ordering::Acquire) {
            for statement in prepared_by_sql(&client.simple_query(CLEAN).await?) {
                client.batch_execute(&statement).await?;
            }
            session.link.changed.store(false, Ordering::Release);
            session.limit.reset();
        }
        // The statements above settle before the call ends, so that the state is right.
        call.settle().await;
        Ok(())
    }
}

fn prepared_by_sql(answer: &[SimpleQueryMessage]) -> Vec<String> {
    let deallocate = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row
            .try_get(0)
            .ok()
            .flatten()
            .filter(|text| text.starts_with("DEALLOCATE "))
            .map(str::to_owned),
        _ => None,
    };
    answer.iter().filter_map(deallocate).collect()
}

use std::future::Future;
use std::pin::Pin;

use futures_util::FutureExt;
use underpin_core::Effect;

use crate::call::{Call, Failure};
use crate::opening::{Phase, ended};

impl Call {
    /// Sends BEGIN where it is owed, ahead of something that does no harm where it is refused.
    pub(crate) async fn begin_for_harmless(&self) -> Result<(), Failure> {
        if !self.send_begin() {
            // Another may have sent it, with a statement behind it.
            self.begin().await?;
        }
        Ok(())
    }

    fn send_begin(&self) -> bool {
        self.ask_limit();
        self.session().opening.send(&self.session().client)
    }

    /// Asks for the limit of statements ahead of a BEGIN, where that is to be sent.
    fn ask_limit(&self) {
        let session = self.session();
        if session.opening.phase() == Phase::Owed {
            session.limit.ask(&session.client);
        }
    }

    /// Runs a prepared statement, which `work` sends when it is polled for the first time: in
    /// the transaction that is to begin, if one is, or not at all.
    pub(crate) async fn run<T, F>(&self, mut work: Pin<&mut F>) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let session = self.session();
        let mut answered = None;
        if session.opening.phase() != Phase::Settled {
            self.ask_limit();
            let (client, link) = (&session.client, &session.link);
            let statement = || answered = work.as_mut().now_or_never();
            if !session.is_alone() || !session.opening.send_with(client, link, statement) {
                self.begin().await?;
            }
        }
        let answered = match answered {
            Some(answered) => answered.map_err(Failure::Native),
            None => self.wait(work).await,
        };
        self.behind_begin(answered).await
    }

    /// Sends BEGIN where it is owed, and waits until the transaction is open.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        if self.session().opening.phase() == Phase::Settled {
            return Ok(());
        }
        self.send_begin();
        Box::pin(self.wait_for(self.session().opening.answered())).await?;
        // It may be another that is open by now, or none.
        match self.has_outlived_its_transaction() {
            true => Err(Failure::Ours(ended())),
            false => Ok(()),
        }
    }

    /// What came of something that may have been sent right behind BEGIN: where that failed,
    /// it is what the caller has to know.
    pub(crate) async fn behind_begin<T>(&self, answered: Result<T, Failure>) -> Result<T, Failure> {
        if matches!(answered, Err(Failure::Late(_))) {
            return answered;
        }
        match self.session().opening.answer() {
            Some(Ok(())) => answered,
            // Another was told why. What was sent here was skipped, or has done no harm.
            Some(Err(Failure::Ours(error))) => {
                Err(Failure::Ours(error.with_effect(Effect::RolledBack)))
            }
            Some(Err(failure)) => Err(failure),
            None => {
                // The statement could not be sent, and BEGIN still waits for it.
                let _ = self.session().client.check_connection().now_or_never();
                self.begin().await?;
                answered
            }
        }
    }
}

use futures_util::FutureExt;

use crate::call::{Call, Failure};
use crate::opening::Phase;

impl Call {
    /// Sends BEGIN where it is owed, ahead of something that does no harm where it is refused.
    pub(crate) async fn begin_for_harmless(&self) -> Result<(), Failure> {
        match self.session().opening.phase() {
            Phase::Owed => self.send_begin(),
            // Another's BEGIN may be joined with its statement, between which nothing may come.
            Phase::Sent => self.begin().await?,
            Phase::Settled | Phase::Failed => {}
        }
        Ok(())
    }

    fn send_begin(&self) {
        self.session().opening.send(&self.session().client);
    }

    /// Sees that the prepared statement that is sent next, without a pause, is run in the
    /// transaction that is to begin, if one is, or not at all.
    pub(crate) async fn begin_for_next(&self) -> Result<(), Failure> {
        let session = self.session();
        if session.opening.phase() == Phase::Settled
            || (session.is_alone()
                && session
                    .opening
                    .send_with_next(&session.client, &session.link))
        {
            return Ok(());
        }
        self.begin().await
    }

    /// Sends BEGIN where it is owed, and waits until the transaction is open.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        if self.session().opening.phase() == Phase::Settled {
            return Ok(());
        }
        self.send_begin();
        Box::pin(self.wait_for(self.session().opening.answered())).await
    }

    /// What came of a statement that may have been sent right behind BEGIN: where that failed,
    /// it is what the caller has to know.
    pub(crate) async fn behind_begin<T>(&self, answered: Result<T, Failure>) -> Result<T, Failure> {
        if matches!(answered, Err(Failure::Late(_))) {
            return answered;
        }
        match self.session().opening.answer() {
            Some(begun) => begun?,
            None => {
                // The statement could not be sent, and BEGIN still waits for it.
                let _ = self.session().client.check_connection().now_or_never();
                self.begin().await?;
            }
        }
        answered
    }
}

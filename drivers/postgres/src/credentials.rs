use std::future::Future;
use std::pin::Pin;

use tokio::time::timeout_at;
use underpin_core::{Class, Deadline, Error, Result, Secret, Stage};

/// Who logs in, and with which password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password, or a token that stands for one; empty for none.
    pub password: Secret,
}

/// What [`ProvideCredentials::credentials`] returns.
pub type ProvidingCredentials<'a> = Pin<Box<dyn Future<Output = Result<Credentials>> + Send + 'a>>;

/// Gives the credentials for each new connection, so that a password may be rotated or a
/// token expire while the program runs. A closure that returns such a future is one.
pub trait ProvideCredentials: Send + Sync + 'static {
    /// The credentials as of now. It is called for every attempt to connect, by several at
    /// once, and its time counts as time spent connecting: keep what is valid for a while.
    ///
    /// # Errors
    /// Whatever keeps it from giving them; the attempt to connect fails with that, and its
    /// class says whether another may succeed. Never put a secret into the message.
    ///
    /// # Cancel safety
    /// It is dropped half-way when connecting takes too long.
    fn credentials(&self) -> ProvidingCredentials<'_>;
}

impl<F, Fut> ProvideCredentials for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Credentials>> + Send + 'static,
{
    fn credentials(&self) -> ProvidingCredentials<'_> {
        Box::pin(self())
    }
}

/// Asks for credentials, in the time that connecting has.
pub(crate) async fn ask(
    provider: &dyn ProvideCredentials,
    places: &str,
    deadline: Deadline,
) -> Result<Credentials> {
    let asking = provider.credentials();
    let answer = match deadline.instant() {
        None => asking.await,
        Some(at) => timeout_at(at.into(), asking).await.unwrap_or_else(|_| {
            let stage = Stage::Connect;
            Err(Error::new(
                Class::Timeout { stage },
                "The program's own callback gave none in the time for connecting.",
            ))
        }),
    };
    answer.map_err(|error| {
        error.with_context(format!(
            "There are no credentials to log in to {places} with."
        ))
    })
}

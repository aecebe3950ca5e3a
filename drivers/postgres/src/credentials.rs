use std::future::Future;
use std::pin::Pin;

use tokio::time::timeout_at;
use underpin_core::{Class, Deadline, Error, Result, Secret, Stage};

/// The user of a login, and the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password, or a token that stands for one; empty for none.
    pub password: Secret,
}

/// Return type of [`ProvideCredentials::credentials`].
pub type ProvidingCredentials<'a> = Pin<Box<dyn Future<Output = Result<Credentials>> + Send + 'a>>;

/// Provides the credentials for each new connection, so that a password can be rotated or a token
/// can expire while the program runs. A closure that returns such a future implements it.
pub trait ProvideCredentials: Send + Sync + 'static {
    /// Returns the current credentials. It is called for every attempt to connect, possibly
    /// concurrently, and its time counts as time spent connecting: cache the credentials while they
    /// are valid.
    ///
    /// # Errors
    /// The reason why there are no credentials. The attempt to connect fails with it, and its class
    /// says whether another attempt may succeed. Never put a secret into the message.
    ///
    /// # Cancel safety
    /// The future is dropped if connecting takes too long.
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

/// Requests credentials, within the time for connecting.
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
                "The program's credentials callback did not return within the time for connecting.",
            ))
        }),
    };
    answer.map_err(|error| {
        error.with_context(format!("There are no credentials to log in to {places}."))
    })
}

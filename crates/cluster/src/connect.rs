use underpin_core::driver::{AnyConnection, AnyConnector, Connector, Pooled};
use underpin_core::{Class, Deadline, Error, Result, Role};

use crate::clock;

/// Connects to the first of these members whose server takes writes, or to the only member. Each
/// member has its share of the time until the deadline, so that one that does not answer leaves
/// time for the others.
///
/// # Errors
/// The failures of all members, in one error; its class is theirs if they all have the same class.
///
/// # Cancel safety
/// If the future is dropped, the connections that it has opened are closed.
pub async fn connect_to_primary(
    connectors: &[AnyConnector],
    deadline: Deadline,
) -> Result<AnyConnection> {
    let mut failures = Vec::new();
    for (tried, connector) in connectors.iter().enumerate() {
        let share = deadline.share(clock::now(), connectors.len() - tried);
        match connector.connect(share).await {
            Ok(connection) if connectors.len() == 1 || connection.role() == Role::Primary => {
                return Ok(connection);
            }
            Ok(replica) => {
                failures.push(is_replica(replica.endpoint()));
                Box::new(replica).close(deadline).await;
            }
            Err(error) => failures.push(error),
        }
    }
    Err(all_failed(failures))
}

/// The error for a member that does not take writes.
pub(crate) fn is_replica(endpoint: &impl std::fmt::Display) -> Error {
    Error::new(
        Class::Connect,
        format!("The server at {endpoint} is a replica."),
    )
}

/// Combines the failures of all members into one error.
pub(crate) fn all_failed(failures: Vec<Error>) -> Error {
    let several = failures.len() > 1;
    let error = Error::of_servers(failures);
    match several {
        true => error.with_hint("Check that one of the servers is a primary and can be reached."),
        false => error,
    }
}

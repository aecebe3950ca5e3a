use std::time::Instant;

use underpin_core::driver::{AnyConnection, AnyConnector, Connector, Pooled};
use underpin_core::{Class, Deadline, Error, Result, Role};

/// Connects to the first of these members whose server takes writes; where there is only one, to
/// that one. Each has its part of the time until the deadline, so that one that does not answer
/// leaves time for the others.
///
/// # Errors
/// What each failed with, in one error; its class is theirs where all have the same.
///
/// # Cancel safety
/// Dropped half-way it closes what it has opened.
pub async fn connect_to_primary(
    connectors: &[AnyConnector],
    deadline: Deadline,
) -> Result<AnyConnection> {
    let mut failures = Vec::new();
    for (tried, connector) in connectors.iter().enumerate() {
        let share = share(deadline, connectors.len() - tried);
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

/// The part of what is left until the deadline for the next of so many members.
fn share(deadline: Deadline, members: usize) -> Deadline {
    let now = Instant::now();
    match deadline.remaining(now) {
        Some(left) if members > 1 => {
            Deadline::after(now, left / u32::try_from(members).unwrap_or(u32::MAX))
        }
        _ => deadline,
    }
}

/// Why a member is of no use for writes.
pub(crate) fn is_replica(endpoint: &impl std::fmt::Display) -> Error {
    Error::new(
        Class::Connect,
        format!("The server at {endpoint} is a replica."),
    )
}

/// The failures of all members as one error.
pub(crate) fn all_failed(mut failures: Vec<Error>) -> Error {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let class = failures.first().map_or(Class::Config, Error::class);
    let same = failures.iter().all(|failure| failure.class() == class);
    let each: Vec<&str> = failures.iter().map(Error::message).collect();
    let message = format!(
        "None of the {} servers could be used. {}",
        failures.len(),
        each.join(" ")
    );
    Error::new(if same { class } else { Class::Connect }, message)
        .with_hint("Check that one of the servers is a primary and can be reached.")
}

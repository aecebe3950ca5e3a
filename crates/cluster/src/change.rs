//! The change from one set of members to another while the database is in use.

use std::sync::Arc;

use underpin_core::driver::{AnyConnector, Pooled};
use underpin_core::{Class, Deadline, Error, Result, Role};
use underpin_pool::{Pool, PoolOptions};

use crate::alarm::Alarm;
use crate::connect::connect_to_primary;
use crate::member::{Member, NewMember};
use crate::topology::Topology;

/// A single member takes all calls, whatever role its server reports. With a discovery it may not stay
/// single, and is asked for its role.
pub(crate) fn alone_is_primary(mut members: Vec<NewMember>, has_discovery: bool) -> Vec<NewMember> {
    if let ([only], false) = (&mut members[..], has_discovery) {
        only.role.get_or_insert(Role::Primary);
    }
    members
}

/// The planned change of the members.
pub(crate) struct Change {
    /// In the order of the new configuration; with the old member that stays, if any.
    members: Vec<(Option<Arc<Member>>, NewMember)>,
    gone: Vec<Arc<Member>>,
}

impl Change {
    /// Determines which members stay.
    ///
    /// # Errors
    /// `Class::Unsupported` if an open pool cannot be changed as requested.
    pub(crate) fn between(old: &[Arc<Member>], new: Vec<NewMember>) -> Result<Self> {
        let mut gone = old.to_vec();
        let reads_only = |role: Option<Role>| role == Some(Role::Replica);
        let fixed_before = old.iter().any(|member| reads_only(member.role));
        let fixed_after = new.iter().any(|member| reads_only(member.role));
        if fixed_before != fixed_after || (fixed_before && old.len() != new.len()) {
            return Err(not_of_this_number());
        }
        let one_to_one = (old.len(), new.len()) == (1, 1);
        let mut members = Vec::new();
        for member in new {
            let place = gone.iter().position(|old| match fixed_before {
                true => old.role == member.role,
                false => one_to_one || (old.endpoint == member.endpoint && old.role == member.role),
            });
            let kept = place.map(|place| gone.remove(place));
            let options = kept.as_ref().or(old.first());
            if let Some(old) = options {
                check_options(old.pool.options(), &member.options)?;
            }
            members.push((kept, member));
        }
        Ok(Change { members, gone })
    }

    /// Opens one connection to the new endpoints, and closes it.
    pub(crate) async fn try_to_connect(&self, old: &Topology, deadline: Deadline) -> Result<()> {
        if self.members.iter().any(|(_, new)| new.role.is_none()) {
            let members = self.members.iter();
            let connectors: Vec<_> = members.map(|(_, new)| new.connector.clone()).collect();
            let connection = connect_to_primary(&connectors, deadline).await?;
            Box::new(connection).close(deadline).await;
            return Ok(());
        }
        let any = &old.members()[0];
        for (kept, new) in &self.members {
            let pool = &kept.as_ref().unwrap_or(any).pool;
            pool.try_connector(&new.connector, deadline).await?;
        }
        Ok(())
    }

    /// The new members, without those that they were compared with.
    pub(crate) fn wanted(self) -> Vec<NewMember> {
        self.members.into_iter().map(|(_, new)| new).collect()
    }

    /// The members that have left.
    pub(crate) fn gone(&self) -> &[Arc<Member>] {
        &self.gone
    }

    /// For each new member, the id of the old member whose pool it keeps, if any.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Option<u64>> {
        let members = self.members.iter();
        members.map(|(kept, _)| kept.as_ref().map(|member| member.id))
    }

    /// Makes the change, and returns the new members.
    pub(crate) fn make(
        self,
        alarm: &Arc<Alarm>,
        mut number: impl FnMut() -> u64,
    ) -> Result<Vec<Arc<Member>>> {
        let mut members = Vec::new();
        for (kept, new) in self.members {
            let Some(kept) = kept else {
                members.push(Arc::new(new.open(number(), alarm)?));
                continue;
            };
            let takes_calls = kept.role.is_some();
            kept.resize(new.options.bounds(), takes_calls)?;
            kept.pool.rename(&new.options.name);
            kept.replace(new.connector, new.prober);
            members.push(Arc::new(kept.at(new.endpoint)));
        }
        for member in self.gone {
            tokio::spawn(close(member.pool.clone()));
        }
        Ok(members)
    }
}

/// Closes a pool once its connections are returned.
async fn close(pool: Pool<AnyConnector>) {
    // Without a deadline there is no error to report.
    let _ = pool.close(Deadline::NONE).await;
}

#[cold]
fn not_of_this_number() -> Error {
    Error::new(
        Class::Unsupported,
        "The new configuration has a different kind of members than the open database.",
    )
    .with_hint("Open another database with the new configuration.")
}

/// Checks that a pool that was opened with `old` can change to `new`.
fn check_options(old: &PoolOptions, new: &PoolOptions) -> Result<()> {
    let fixed = [
        (
            "acquire_timeout",
            old.acquire_timeout != new.acquire_timeout,
        ),
        (
            "connection_timeout",
            old.connection_timeout != new.connection_timeout,
        ),
        ("idle_timeout", old.idle_timeout != new.idle_timeout),
        ("max_lifetime", old.max_lifetime != new.max_lifetime),
        ("health_check", old.health_check != new.health_check),
        (
            "health_check_interval",
            old.health_check_interval != new.health_check_interval,
        ),
        ("recycling", old.recycling != new.recycling),
        ("max_retries", old.retry != new.retry),
        ("leak_threshold", old.leak_threshold != new.leak_threshold),
        ("pool_max_waiting", old.max_waiting != new.max_waiting),
        (
            "shed_target` or `shed_interval",
            old.shedding != new.shedding,
        ),
    ];
    match fixed.iter().find(|(_, differs)| *differs) {
        None => Ok(()),
        Some((key, _)) => Err(Error::new(
            Class::Unsupported,
            format!("`{key}` cannot change while the database is open."),
        )
        .with_hint("Keep its value, or open a new database.")),
    }
}

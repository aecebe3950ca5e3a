use std::sync::Arc;

use underpin_core::Role;

use crate::member::Member;

/// The members of a database and their roles at one moment.
#[derive(Debug, Clone)]
pub struct Topology {
    members: Arc<[Arc<Member>]>,
    primary: Option<usize>,
}

impl Topology {
    pub(crate) fn new(members: Vec<Arc<Member>>) -> Self {
        let takes_writes = |member: &Arc<Member>| member.role == Some(Role::Primary);
        Topology {
            primary: members.iter().position(takes_writes),
            members: members.into(),
        }
    }

    /// The same members after another one has become the primary, or none is.
    pub(crate) fn with_primary(&self, primary: Option<usize>) -> Self {
        Topology {
            members: Arc::clone(&self.members),
            primary,
        }
    }

    /// All members, in the order of the configuration.
    pub fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    /// The member that takes the writes; `None` where none is known.
    pub fn primary(&self) -> Option<&Arc<Member>> {
        self.primary.map(|index| &self.members[index])
    }

    /// Whether roles are what the servers say of themselves, and may change.
    pub fn is_watched(&self) -> bool {
        self.members.iter().any(|member| member.role.is_none())
    }

    /// The first of the replicas whose role never changes, where there is one.
    pub(crate) fn reader(&self) -> Option<&Arc<Member>> {
        let mut members = self.members.iter();
        members.find(|member| member.role == Some(Role::Replica))
    }
}

use std::sync::Arc;

use underpin_core::Role;

use crate::member::Member;

/// The members of a database and their roles at one moment.
#[derive(Debug, Clone)]
pub struct Topology {
    members: Arc<[Arc<Member>]>,
    primary: Option<usize>,
    /// The members whose servers answer.
    answering: Arc<[usize]>,
}

impl Topology {
    pub(crate) fn new(members: Vec<Arc<Member>>) -> Self {
        let takes_writes = |member: &Arc<Member>| member.role == Some(Role::Primary);
        Topology {
            primary: members.iter().position(takes_writes),
            answering: Arc::default(),
            members: members.into(),
        }
    }

    /// The same members with another primary, or none, and other servers that answer.
    pub(crate) fn with_roles(&self, primary: Option<usize>, answering: Arc<[usize]>) -> Self {
        Topology {
            members: Arc::clone(&self.members),
            primary,
            answering,
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

    /// The members whose servers answered the latest probe, whatever their role.
    pub fn answering(&self) -> impl ExactSizeIterator<Item = &Arc<Member>> {
        self.answering.iter().map(|index| &self.members[*index])
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

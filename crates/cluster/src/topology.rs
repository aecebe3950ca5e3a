use std::sync::Arc;

use underpin_core::Role;

use crate::member::Member;
use crate::reads::Standing;

/// The members of a database and their roles at one point in time.
#[derive(Debug, Clone)]
pub struct Topology {
    members: Arc<[Arc<Member>]>,
    primary: Option<usize>,
    /// The members that serve reads.
    serving: Arc<[usize]>,
    /// The facts about each member that is probed.
    standings: Arc<[Standing]>,
}

impl Topology {
    pub(crate) fn new(members: Vec<Arc<Member>>) -> Self {
        let takes_writes = |member: &Arc<Member>| member.role == Some(Role::Primary);
        Topology {
            primary: members.iter().position(takes_writes),
            serving: Arc::default(),
            standings: Arc::default(),
            members: members.into(),
        }
    }

    /// The same members with their current states.
    pub(crate) fn with_roles(&self, primary: Option<usize>, standings: Arc<[Standing]>) -> Self {
        let all = standings.iter().enumerate();
        let serving = all.filter(|(_, standing)| standing.serves);
        Topology {
            members: Arc::clone(&self.members),
            primary,
            serving: serving.map(|(index, _)| index).collect(),
            standings,
        }
    }

    /// All members, in the order of the configuration.
    pub fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    /// The member that takes writes; `None` if it is not known.
    pub fn primary(&self) -> Option<&Arc<Member>> {
        self.primary.map(|index| &self.members[index])
    }

    /// The members that serve reads: those whose servers answered the latest probe, whatever their
    /// role, and that are not set aside after a failure.
    pub fn serving(&self) -> impl ExactSizeIterator<Item = &Arc<Member>> {
        self.serving.iter().map(|index| &self.members[*index])
    }

    /// Whether the same members serve reads in the other topology.
    pub(crate) fn serves_as(&self, other: &Topology) -> bool {
        self.serving == other.serving
    }

    /// Whether a member serves reads.
    pub(crate) fn is_serving(&self, id: u64) -> bool {
        self.serving().any(|member| member.id == id)
    }

    pub(crate) fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Whether roles are those that the servers report, and may change.
    pub fn is_watched(&self) -> bool {
        self.members.iter().any(|member| member.role.is_none())
    }

    /// The first replica whose role never changes, if there is one.
    pub(crate) fn reader(&self) -> Option<&Arc<Member>> {
        let mut members = self.members.iter();
        members.find(|member| member.role == Some(Role::Replica))
    }
}

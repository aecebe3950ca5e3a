use crate::endpoint::{Endpoint, Role};

/// The endpoints of one database and their roles, at one moment. Even one endpoint
/// is a topology; a change of roles makes a new value with the next generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Which state of affairs this is; connections of an older one are stale.
    pub generation: u64,
    /// The members, in the order in which they were named.
    pub members: Vec<Member>,
}

/// An endpoint within a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What it may be used for, once its server has said so.
    pub role: Option<Role>,
}

impl Topology {
    /// The topology of these endpoints before any has spoken.
    pub fn unknown(endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        let members = endpoints
            .into_iter()
            .map(|endpoint| Member {
                endpoint,
                role: None,
            })
            .collect();
        Topology {
            generation: 0,
            members,
        }
    }

    /// The member that takes writes, where one has said so.
    pub fn primary(&self) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.role == Some(Role::Primary))
    }

    /// This topology after `endpoint` has said that it is `role`; the generation moves
    /// only where that is news that makes connections stale, that is, when a member
    /// that had one role takes another.
    pub fn with_role(&self, endpoint: &Endpoint, role: Role) -> Topology {
        let mut next = self.clone();
        for member in &mut next.members {
            if member.endpoint == *endpoint && member.role != Some(role) {
                if member.role.is_some() {
                    next.generation += 1;
                }
                member.role = Some(role);
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generation_moves_when_a_known_role_changes() {
        let (a, b) = (Endpoint::tcp("a", 1), Endpoint::tcp("b", 1));
        let first = Topology::unknown([a.clone(), b.clone()]);
        assert_eq!(first.primary(), None);
        let learned = first
            .with_role(&a, Role::Primary)
            .with_role(&b, Role::Replica);
        assert_eq!(learned.generation, 0);
        assert_eq!(learned.primary().map(|m| &m.endpoint), Some(&a));
        let switched = learned.with_role(&a, Role::Replica);
        assert_eq!(switched.generation, 1);
        assert_eq!(switched.with_role(&a, Role::Replica).generation, 1);
    }
}

use super::Change;

/// The fate of a change's object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Only the second schema has it.
    Created,
    /// Only the first schema has it.
    Dropped,
    /// Both have it, and it is not the same.
    Changed,
}

impl Change {
    /// Which of the two schemas has what it is about.
    pub fn presence(&self) -> Presence {
        match self {
            Change::CreateNamespace { .. }
            | Change::CreateExtension { .. }
            | Change::CreateEnum { .. }
            | Change::CreateDomain { .. }
            | Change::CreateDomainCheck { .. }
            | Change::CreateDefined { .. }
            | Change::CreateSequence { .. }
            | Change::CreateFunction { .. }
            | Change::CreateTable { .. }
            | Change::CreateColumn { .. }
            | Change::CreatePrimaryKey { .. }
            | Change::CreateUnique { .. }
            | Change::CreateCheck { .. }
            | Change::CreateForeignKey { .. }
            | Change::CreateExclusion { .. }
            | Change::CreateIndex { .. }
            | Change::CreateTrigger { .. }
            | Change::CreatePolicy { .. }
            | Change::CreateView { .. }
            | Change::CreateMaterializedView { .. } => Presence::Created,
            Change::DropNamespace { .. }
            | Change::DropExtension { .. }
            | Change::DropEnum { .. }
            | Change::DropDomain { .. }
            | Change::DropDomainCheck { .. }
            | Change::DropDefined { .. }
            | Change::DropSequence { .. }
            | Change::DropFunction { .. }
            | Change::DropTable { .. }
            | Change::DropColumn { .. }
            | Change::DropPrimaryKey { .. }
            | Change::DropUnique { .. }
            | Change::DropCheck { .. }
            | Change::DropForeignKey { .. }
            | Change::DropExclusion { .. }
            | Change::DropIndex { .. }
            | Change::DropTrigger { .. }
            | Change::DropPolicy { .. }
            | Change::DropView { .. }
            | Change::DropMaterializedView { .. } => Presence::Dropped,
            _ => Presence::Changed,
        }
    }
}

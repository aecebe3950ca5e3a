use clap::Args;
use underpin::schema::AccessCompared;

/// Whether owners and privileges count.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct Privileges {
    /// Compare owners and privileges also where the target says nothing about them
    #[arg(long)]
    pub privileges: bool,

    /// Leave owners and privileges out
    #[arg(long, conflicts_with = "privileges")]
    pub no_privileges: bool,
}

impl Privileges {
    /// When they are compared.
    pub(super) fn compared(&self) -> AccessCompared {
        match (self.privileges, self.no_privileges) {
            (true, _) => AccessCompared::Always,
            (_, true) => AccessCompared::Never,
            _ => AccessCompared::WhereSaid,
        }
    }
}

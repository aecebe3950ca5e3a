use clap::Args;
use underpin::schema::Selection;

/// Selection of the parts of a schema.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct Filter {
    /// A namespace, instead of all; may be given several times
    #[arg(long = "schema", value_name = "NAME")]
    pub namespaces: Vec<String>,

    /// Only tables and views of this name, in which * stands for any characters, and nothing
    /// that belongs to no such table; may be given several times
    #[arg(long = "table", value_name = "PATTERN")]
    pub tables: Vec<String>,

    /// No tables and views of this name, in the same form; may be given several times
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
}

impl Filter {
    pub(super) fn selection(&self) -> Selection {
        Selection {
            namespaces: self.namespaces.clone(),
            tables: self.tables.clone(),
            exclude: self.exclude.clone(),
        }
    }
}

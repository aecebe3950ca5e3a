/// What is to be read of a database. By default all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The namespaces; empty: all but the system's own. Ignored on SQLite.
    pub namespaces: Vec<String>,
    /// Names of tables, views and materialized views, where `*` stands for any characters.
    /// Empty: everything. Where it is not, nothing else is read but what belongs to them.
    pub tables: Vec<String>,
    /// Names, in the same form, of tables, views and materialized views to leave out.
    pub exclude: Vec<String>,
}

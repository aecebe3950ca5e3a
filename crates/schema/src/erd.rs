//! The picture of a schema: its tables as boxes, its foreign keys as lines between them.
//!
//! Partitions are folded into the table that they are partitions of. In an SVG, views,
//! materialized views and enums stand in blocks of their own, without lines; Mermaid's
//! diagrams have no place for them, and they are left out there. Functions, sequences,
//! domains and all that is not seen in a table's columns and keys are no part of a picture.
//!
//! The same schema gives the same text, byte for byte.

mod layout;
mod measure;
mod mermaid;
mod picture;
mod svg;

use crate::Schema;

/// Which columns a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Columns {
    /// All of them.
    #[default]
    All,
    /// Those of a primary key, of a foreign key or of a unique constraint, and those that a
    /// foreign key points at.
    Keys,
    /// None: names of tables alone.
    None,
}

/// The schema as an SVG document, with light colors and, for who prefers them, dark ones.
///
/// A foreign key is a line that ends in a crow's foot where many rows may point, and in a bar
/// at the row that is pointed at; a ring says that there may be none. Lines to the same key
/// join. Comments and whole definitions are in tooltips.
pub fn svg(schema: &Schema, columns: Columns) -> String {
    svg::written(&picture::of(schema, columns))
}

/// The schema as an `erDiagram` of Mermaid, which lays it out itself.
///
/// Mermaid restricts the characters of a column's name and type: where others had to be
/// replaced, the comment on the column has the name or type as it is.
pub fn mermaid(schema: &Schema, columns: Columns) -> String {
    mermaid::written(&picture::of(schema, columns))
}

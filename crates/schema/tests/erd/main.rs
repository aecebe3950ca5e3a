//! Pictures of schemas: what is in them, and that it can be read.

mod drawing;
mod forty;
mod generated;
mod mermaid;
mod shown;
mod svg;

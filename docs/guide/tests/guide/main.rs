//! That the guide builds, that its links lead somewhere, and that its reference is what the code has.

mod book;
mod capabilities;
mod commands;
mod configuration;
mod errors;
mod files;
mod links;
mod package;
mod public;
mod style;
mod types;

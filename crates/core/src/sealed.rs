//! Supertraits of traits that only Underpin's own crates implement, so that these traits can get
//! further methods. Programs must not use them.

/// Seals [`Executor`](crate::Executor).
pub trait Executor {}

/// Seals [`Parameters`](crate::Parameters).
pub trait Parameters {}

//! The supertrait of a trait that only Underpin's own crates implement, so that it can get further
//! methods. Programs must not use it.

/// Seals [`Describe`](crate::Describe).
pub trait Describe {}

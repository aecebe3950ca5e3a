//! The supertrait of traits that only the derive macro implements, so that these traits can get
//! further methods. Programs must not use it.

/// Seals [`Model`](crate::Model) and [`Given`](crate::Given).
pub trait Derived {}

//! `underpin schema` as a shell sees it.

mod cases;
mod place;
mod script;

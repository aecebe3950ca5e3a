//! `underpin schema` as a shell sees it.

mod cases;
mod old_times;
mod place;
mod script;

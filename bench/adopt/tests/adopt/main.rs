//! `underpin migrate adopt` on databases that the other tools themselves have made.

mod alembic;
mod diesel;
mod documented;
mod project;
mod refinery;
mod sqlx;

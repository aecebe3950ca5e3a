//! jobmatch on real databases: each test on SQLite and, where there is one, on PostgreSQL.

mod autogenerate;
mod constraints;
mod copied;
mod described;
mod import;
mod killed;
mod malformed;
mod matching;
mod models;
mod passwords;
mod picture;
mod place;
mod queries;
mod schema;
mod verify;

//! `migrate new --autogenerate`, `migrate check` and `schema`, as a shell sees them of a program with models.

mod complaints;
mod refused;
mod schema;
mod shop;
mod written;

//! `migrate new --autogenerate` and `migrate check`, as a shell sees them of a program with models.

mod complaints;
mod refused;
mod shop;
mod written;

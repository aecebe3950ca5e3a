//! `#[derive(Model)]`: what a model says of its table, and what is done by it.

mod calls;
mod description;
mod forms;
mod shop;

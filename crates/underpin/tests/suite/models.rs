//! `#[derive(Model)]`: the description of tables by models, and the calls of models.

mod calls;
mod description;
mod forms;
mod readable;
mod shop;

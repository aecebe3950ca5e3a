//! A program that offers the commands of Underpin with models of its own.

mod models;

use std::process::ExitCode;

use underpin::migrate::{Embedded, embed_revisions};
use underpin_commands::App;

static REVISIONS: &[Embedded] = embed_revisions!("examples/shop/revisions");

fn main() -> ExitCode {
    App::new("shop")
        .revisions(REVISIONS)
        .models(models::MODELS)
        .main()
}

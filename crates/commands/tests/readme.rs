//! The README's examples of the commands, compiled as they stand there.

#![allow(
    dead_code,
    reason = "the examples are not run, since they would end the process"
)]

use underpin::{Model, models};

#[derive(Model)]
struct Customer {
    #[model(primary_key)]
    id: i64,
}

#[derive(Model)]
struct Product {
    #[model(primary_key)]
    id: i64,
}

#[rustfmt::skip]
mod example {
    use super::{Customer, Product, models};

    use underpin::migrate::{Embedded, embed_revisions};
    use underpin_commands::App;

    static REVISIONS: &[Embedded] = embed_revisions!("examples/shop/revisions");

    fn main() -> std::process::ExitCode {
        App::new("shop").revisions(REVISIONS).models(models![Customer, Product]).main()
    }
}

/// Every example of the README that is about the commands stands above, to the letter but for
/// white space.
#[test]
fn the_examples_are_those_of_the_readme() {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let own = include_str!("readme.rs").replace("examples/shop/revisions", "revisions");
    let own = squeeze(&own);
    let blocks = include_str!("../../../README.md")
        .split("```rust\n")
        .skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let blocks: Vec<&str> = blocks
        .filter(|block| block.contains("underpin_commands"))
        .collect();
    assert_eq!(blocks.len(), 1);
    for block in blocks {
        assert!(own.contains(&squeeze(block)), "not compiled:\n{block}");
    }
}

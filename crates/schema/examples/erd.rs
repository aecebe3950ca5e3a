//! Prints the picture of a shop of forty tables: as SVG, or with `mermaid` for Mermaid.
//! `keys` shows keys only, `names` no columns.

#[path = "../tests/erd/forty.rs"]
mod forty;

use underpin_schema::erd::{self, Columns};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let columns = match (has("keys"), has("names")) {
        (true, _) => Columns::Keys,
        (_, true) => Columns::None,
        _ => Columns::All,
    };
    let schema = forty::schema();
    print!(
        "{}",
        match has("mermaid") {
            true => erd::mermaid(&schema, columns),
            false => erd::svg(&schema, columns),
        }
    );
}

use std::fmt::Write;

use syn::{Attribute, Expr, Item, ItemEnum, Lit, Meta};

use crate::files::{is_made, root};

const HEAD: &str = "\
# Error classes

`underpin::Error` is one type. A program acts on its class, its effect and its details, and never on its
text. This page is made from the code.

";

/// What the rest of the page says of each enum.
const ENUMS: [(&str, &str); 5] = [
    (
        "Class",
        "`error.class()` is the kind of failure, the same on every engine.",
    ),
    (
        "Stage",
        "`Class::Timeout { stage }` says which wait took too long.",
    ),
    (
        "Effect",
        "`error.effect()` says whether the statement took effect.",
    ),
    (
        "ConstraintKind",
        "`error.constraint_kind()` is the kind of the constraint that was violated.",
    ),
    (
        "Existence",
        "`error.existence()` says whether a named object exists, where that is the failure.",
    ),
];

fn doc(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            text.push_str(&line.value());
        }
    }
    let text = text
        .trim()
        .replace("[`Error::constraint`]", "`constraint()`");
    assert!(
        !text.is_empty() && !text.contains("[`"),
        "a plain sentence: {text}"
    );
    text
}

fn table(of: &ItemEnum) -> String {
    let name = &of.ident;
    let mut table = format!("| `{name}::…` | meaning |\n|---|---|\n");
    for variant in &of.variants {
        let _ = writeln!(table, "| `{}` | {} |", variant.ident, doc(&variant.attrs));
    }
    table
}

#[test]
fn the_reference_has_every_class() {
    let source = std::fs::read_to_string(root().join("crates/core/src/error.rs")).unwrap();
    let file = syn::parse_file(&source).unwrap();
    let mut page = HEAD.to_owned();
    for (name, about) in ENUMS {
        let found = file.items.iter().find_map(|item| match item {
            Item::Enum(of) if of.ident == name => Some(of),
            _ => None,
        });
        let of = found.unwrap_or_else(|| panic!("there is no enum {name}"));
        let _ = writeln!(page, "## {name}\n\n{about}\n\n{}", table(of));
    }
    is_made("reference/errors.md", &format!("{}\n", page.trim_end()));
}

//! The public items of each library, in lists that a review sees.
//!
//! They are read from the sources: the lint `unreachable_pub` sees to it that an item which is `pub`
//! can be reached. What a macro declares is listed by its name alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, Signature, TraitItem, Visibility};

use crate::files::root;

/// The directories of the libraries that are published.
const LIBRARIES: [&str; 20] = [
    "crates/cli",
    "crates/cluster",
    "crates/commands",
    "crates/config",
    "crates/copy",
    "crates/core",
    "crates/derive",
    "crates/migrate",
    "crates/model",
    "crates/pool",
    "crates/query",
    "crates/schema",
    "crates/sources",
    "crates/sql",
    "crates/testkit",
    "crates/underpin",
    "drivers/access",
    "drivers/odbc",
    "drivers/postgres",
    "drivers/sqlite",
];

/// The text of a piece of syntax, in the same form however it is laid out in its file.
fn text(tokens: impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = text
        .replace(" :: ", "::")
        .replace(" < ", "<")
        .replace("< ", "<");
    for (wide, narrow) in [
        (" > ", "> "),
        (" >", ">"),
        (" <", "<"),
        (" ,", ","),
        (" :", ":"),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ;", ";"),
        ("' ", "'"),
    ] {
        text = text.replace(wide, narrow);
    }
    text
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| text(attribute).contains("cfg(test)"))
}

/// Whether users may neither match nor make it completely.
fn openness(attributes: &[Attribute]) -> &'static str {
    let open = attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("non_exhaustive"));
    if open { " (non_exhaustive)" } else { "" }
}

struct Lister {
    lines: BTreeSet<String>,
}

impl Lister {
    fn add(&mut self, line: String) {
        self.lines.insert(line);
    }

    fn file(&mut self, path: &Path) {
        let source = fs::read_to_string(path).unwrap();
        let file = syn::parse_file(&source).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let directory = match name {
            "lib" | "mod" => path.parent().unwrap().to_owned(),
            name => path.with_file_name(name),
        };
        self.items(&file.items, &directory);
    }

    fn items(&mut self, items: &[Item], directory: &Path) {
        for item in items {
            self.item(item, directory);
        }
    }

    fn module(&mut self, module: &syn::ItemMod, directory: &Path) {
        if is_for_tests(&module.attrs) {
            return;
        }
        let name = module.ident.to_string();
        if is_public(&module.vis) {
            self.add(format!("mod {name}"));
        }
        match &module.content {
            Some((_, items)) => self.items(items, &directory.join(&name)),
            None => {
                let candidates: [PathBuf; 2] = [
                    directory.join(format!("{name}.rs")),
                    directory.join(&name).join("mod.rs"),
                ];
                // A module with a path of its own is another spelling of one that is listed.
                if let Some(path) = candidates.iter().find(|path| path.exists()) {
                    self.file(path);
                }
            }
        }
    }

    fn item(&mut self, item: &Item, directory: &Path) {
        match item {
            Item::Mod(module) => self.module(module, directory),
            Item::Fn(of) if is_public(&of.vis) => self.function("", &of.sig),
            Item::Struct(of) if is_public(&of.vis) => {
                let name = format!("{}{}", of.ident, text(&of.generics));
                self.add(format!("struct {name}{}", openness(&of.attrs)));
                self.fields(&of.ident.to_string(), &of.fields);
            }
            Item::Enum(of) if is_public(&of.vis) => {
                self.add(format!("enum {}{}", of.ident, openness(&of.attrs)));
                for variant in &of.variants {
                    let (name, fields) = (&variant.ident, text(&variant.fields));
                    self.add(format!(
                        "enum {}::{name}{}",
                        of.ident,
                        without_docs(&fields)
                    ));
                }
            }
            Item::Trait(of) if is_public(&of.vis) => {
                self.add(format!("trait {}{}", of.ident, text(&of.generics)));
                for member in &of.items {
                    match member {
                        TraitItem::Fn(f) => self.function(&of.ident.to_string(), &f.sig),
                        TraitItem::Type(t) => self.add(format!("trait {}::{}", of.ident, t.ident)),
                        TraitItem::Const(c) => self.add(format!("trait {}::{}", of.ident, c.ident)),
                        _ => {}
                    }
                }
            }
            Item::Const(of) if is_public(&of.vis) => {
                self.add(format!("const {}: {}", of.ident, text(&of.ty)));
            }
            Item::Static(of) if is_public(&of.vis) => {
                self.add(format!("static {}: {}", of.ident, text(&of.ty)));
            }
            Item::Type(of) if is_public(&of.vis) => {
                self.add(format!("type {} = {}", of.ident, text(&of.ty)));
            }
            Item::Use(of) if is_public(&of.vis) => self.add(format!("use {}", text(&of.tree))),
            Item::Impl(of) if !is_for_tests(&of.attrs) => self.implementation(of),
            Item::Macro(of) => self.declared_by_macro(of),
            _ => {}
        }
    }

    fn fields(&mut self, of: &str, fields: &Fields) {
        for (number, field) in fields.iter().enumerate() {
            if is_public(&field.vis) {
                let name = field.ident.as_ref().map(ToString::to_string);
                let name = name.unwrap_or_else(|| number.to_string());
                self.add(format!("field {of}.{name}: {}", text(&field.ty)));
            }
        }
    }

    fn function(&mut self, of: &str, signature: &Signature) {
        let separator = if of.is_empty() { "" } else { "::" };
        let signature = text(signature);
        let (before, after) = signature.split_once("fn ").unwrap();
        self.add(format!("{before}fn {of}{separator}{after}"));
    }

    fn implementation(&mut self, of: &ItemImpl) {
        let own = text(&of.self_ty);
        if of.trait_.is_some() {
            return;
        }
        for member in &of.items {
            match member {
                ImplItem::Fn(f) if is_public(&f.vis) => self.function(&own, &f.sig),
                ImplItem::Const(c) if is_public(&c.vis) => {
                    self.add(format!("const {own}::{}: {}", c.ident, text(&c.ty)));
                }
                _ => {}
            }
        }
    }

    /// The functions in the body of a macro that declares items for its own crate.
    fn declared_by_macro(&mut self, of: &syn::ItemMacro) {
        let Some(name) = &of.ident else { return };
        if of
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("macro_export"))
        {
            self.add(format!("macro {name}!"));
            return;
        }
        let body = of.mac.tokens.to_string();
        for after in body.split("pub fn ").skip(1) {
            let function = after.split(|c: char| !c.is_alphanumeric() && c != '_');
            let function = function.into_iter().next().unwrap_or_default();
            if !function.is_empty() {
                self.add(format!("fn {function}, by the macro {name}!"));
            }
        }
    }
}

/// Drops documentation from the fields of a variant.
fn without_docs(fields: &str) -> String {
    let mut kept = String::new();
    let mut rest = fields;
    while let Some((before, after)) = rest.split_once("# [doc") {
        kept += before;
        rest = after
            .split_once("\"]")
            .map_or("", |(_, after)| after.trim_start());
    }
    kept + rest
}

#[test]
fn the_public_items_are_those_of_the_lists() {
    let mut differ = String::new();
    for library in LIBRARIES {
        let mut lister = Lister {
            lines: BTreeSet::new(),
        };
        lister.file(&root().join(library).join("src/lib.rs"));
        let lines: String = lister
            .lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        let name = library.rsplit('/').next().unwrap();
        let path = root().join(format!("docs/public/{name}.txt"));
        if std::env::var_os("UNDERPIN_UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &lines).unwrap();
        }
        let listed = fs::read_to_string(&path).unwrap_or_default();
        let known: BTreeSet<String> = listed.lines().map(str::to_owned).collect();
        for new in lister.lines.difference(&known) {
            differ += &format!("{name}: new: {new}\n");
        }
        for gone in known.difference(&lister.lines) {
            differ += &format!("{name}: gone: {gone}\n");
        }
    }
    assert!(
        differ.is_empty(),
        "What is public has changed. Say so in CHANGELOG.md; UNDERPIN_UPDATE=1 cargo test -p \
         underpin-guide writes the lists.\n{differ}"
    );
}

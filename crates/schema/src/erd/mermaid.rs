//! A picture as an `erDiagram` of Mermaid.

use std::fmt::Write;

use super::picture::{Entity, Kind, Mark, Picture, Reference, Row};

pub(super) fn written(picture: &Picture) -> String {
    let mut out = "erDiagram\n".to_owned();
    for entity in &picture.entities {
        if matches!(entity.kind, Kind::Table | Kind::Absent) {
            block(entity, &mut out);
        }
    }
    for reference in &picture.references {
        line(picture, reference, &mut out);
    }
    out
}

fn block(entity: &Entity, out: &mut String) {
    let name = quoted(&entity.name);
    if entity.rows.is_empty() {
        let _ = writeln!(out, "    {name}");
        return;
    }
    let _ = writeln!(out, "    {name} {{");
    for row in &entity.rows {
        attribute(row, out);
    }
    out.push_str("    }\n");
}

fn attribute(row: &Row, out: &mut String) {
    let (name, data_type) = (word(&row.name), word(&row.data_type));
    let _ = write!(out, "        {data_type} {name}");
    let mut keys: Vec<&str> = row.marks.iter().filter_map(key).collect();
    keys.dedup();
    if !keys.is_empty() {
        let _ = write!(out, " {}", keys.join(", "));
    }
    let mut said = Vec::new();
    if name != row.name {
        said.push(row.name.as_str());
    }
    if data_type != row.data_type {
        said.push(&row.data_type);
    }
    if row.not_null == Some(true) && !row.marks.contains(&Mark::Primary) {
        said.push("not null");
    }
    if !said.is_empty() {
        let _ = write!(out, " {}", quoted(&said.join("; ")));
    }
    out.push('\n');
}

/// Mermaid has no sign for a column that is unique together with others.
fn key(mark: &Mark) -> Option<&'static str> {
    match mark {
        Mark::Primary => Some("PK"),
        Mark::Foreign => Some("FK"),
        Mark::Unique => Some("UK"),
        Mark::UniqueWith(_) => None,
    }
}

fn line(picture: &Picture, reference: &Reference, out: &mut String) {
    let name = |entity: usize| quoted(&picture.entities[entity].name);
    let parent = if reference.optional { "|o" } else { "||" };
    let child = if reference.many { "o{" } else { "o|" };
    let between = if reference.identifying { "--" } else { ".." };
    let _ = writeln!(
        out,
        "    {} {parent}{between}{child} {} : {}",
        name(reference.parent.entity),
        name(reference.child.entity),
        quoted(&reference.columns.join(", ")),
    );
}

/// Any text in quotes. What would end it or mean something in it is written as one of
/// Mermaid's entity codes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    // The words are an instruction wherever they stand, even in quotes.
    let directs = text.to_lowercase().contains("direction");
    for c in text.chars() {
        match c {
            '"' | '%' | '\\' | '#' | ';' | '<' | '>' | '&' | '~' | '`' | '{' | '}' => {
                let _ = write!(quoted, "#{};", u32::from(c));
            }
            c if c.is_whitespace() && directs => quoted.push('_'),
            c if c.is_whitespace() => quoted.push(' '),
            c if c.is_control() => quoted.push(char::REPLACEMENT_CHARACTER),
            c => quoted.push(c),
        }
    }
    // Nothing at all would be no name.
    if quoted.len() == 1 {
        quoted.push('_');
    }
    quoted.push('"');
    quoted
}

/// The name or type of a column: a letter, then letters, digits, hyphens, underscores,
/// parentheses and brackets. `_` stands for every other character.
fn word(text: &str) -> String {
    let is_letter = |c: char| c.is_ascii_alphabetic() || ('\u{c0}'..'\u{ffff}').contains(&c);
    let stays =
        |c: char| is_letter(c) && !c.is_whitespace() || c.is_ascii_digit() || "-_[]()".contains(c);
    let mut word: String = (text.chars())
        .map(|c| if stays(c) { c } else { '_' })
        .collect();
    let is_key = |word: &str| {
        let mark = word.get(..2).unwrap_or_default().to_ascii_uppercase();
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        ["PK", "FK", "UK"].contains(&&*mark) && !word[2..].starts_with(goes_on)
    };
    if !word.starts_with(|c: char| is_letter(c) || c == '_') || is_key(&word) {
        word.insert(0, '_');
    }
    word
}

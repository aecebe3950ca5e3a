//! Every line is one that Mermaid's documentation of `erDiagram` allows.

use proptest::prelude::*;
use underpin_schema::erd::{self, Columns};

use crate::{forty, generated};

#[derive(Debug, PartialEq)]
enum Line {
    Entity(String),
    Attribute { name: String, comment: String },
    Close,
    Relation { parent: String, child: String },
}

/// A text in quotes without what would end it or mean something, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (inside, rest) = text.strip_prefix('"')?.split_once('"')?;
    let plain = |c: char| !c.is_control() && !"%\\~<>{}`".contains(c);
    let is_order = inside.to_lowercase().contains("direction t");
    if inside.is_empty() || !inside.chars().all(plain) || is_order {
        return None;
    }
    Some((decoded(inside)?, rest))
}

/// The text that entity codes such as `#35;` stand for.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('#');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';')?;
        decoded.push(char::from_u32(code.parse().ok()?)?);
        decoded.push_str(rest);
    }
    Some(decoded)
}

/// A letter, then letters, digits, hyphens, underscores, parentheses and brackets; none of
/// the signs for keys.
fn word(text: &str) -> Option<&str> {
    let letter = |c: char| c.is_alphabetic() || c == '_';
    let goes_on = |c: char| letter(c) || c.is_ascii_digit() || "-[]()".contains(c);
    let is_key = ["PK", "FK", "UK"].iter().any(|key| {
        let start = text
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case(key));
        let next = text.get(2..).and_then(|rest| rest.chars().next());
        start && !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    (text.starts_with(letter) && text.chars().all(goes_on) && !is_key).then_some(text)
}

fn line(text: &str) -> Option<Line> {
    if text == "    }" {
        return Some(Line::Close);
    }
    if let Some(attribute) = text.strip_prefix("        ") {
        let (data_type, rest) = attribute.split_once(' ')?;
        word(data_type)?;
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let name = word(name)?.to_owned();
        let (keys, comment) = match rest.find('"') {
            Some(at) => (rest[..at].trim_end(), &rest[at..]),
            None => (rest, ""),
        };
        let known = |key: &str| ["PK", "FK", "UK"].contains(&key);
        if !keys.is_empty() && !keys.split(", ").all(known) {
            return None;
        }
        let comment = match comment {
            "" => String::new(),
            comment => quoted(comment).filter(|(_, rest)| rest.is_empty())?.0,
        };
        return Some(Line::Attribute { name, comment });
    }
    let (parent, rest) = quoted(text.strip_prefix("    ")?)?;
    if rest.is_empty() || rest == " {" {
        return Some(Line::Entity(parent));
    }
    let (sign, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let (from, rest_of_sign) = sign.split_at_checked(2)?;
    let (between, to) = rest_of_sign.split_at_checked(2)?;
    let known = ["||", "|o"].contains(&from)
        && ["--", ".."].contains(&between)
        && ["o{", "o|"].contains(&to);
    let (child, rest) = quoted(rest)?;
    let (_, rest) = quoted(rest.strip_prefix(" : ")?)?;
    (known && rest.is_empty()).then_some(Line::Relation { parent, child })
}

fn lines(text: &str) -> Vec<Line> {
    let mut all = text.lines();
    assert_eq!(all.next(), Some("erDiagram"));
    let read = |one: &str| line(one).unwrap_or_else(|| panic!("{one:?} is not Mermaid's"));
    all.map(read).collect()
}

/// As a name is shown: words that Mermaid would take for an instruction are joined.
fn shown(name: &str) -> String {
    name.replace("direction TB", "direction_TB")
}

proptest! {
    #[test]
    fn any_schema_is_in_mermaids_grammar(seed: u64, tables in 1_usize..=60) {
        let made = generated::schema(seed, tables);
        let lines = lines(&erd::mermaid(&made.schema, Columns::All));
        let mut entities = lines.iter().filter_map(|line| match line {
            Line::Entity(name) => Some(name.clone()),
            _ => None,
        });
        for (name, table) in made.drawn() {
            let whole = made.shown(name);
            // The text has spaces for one's own name only where it is no instruction.
            let spaced = if whole.contains("direction") { whole.replace(' ', "_") } else { whole };
            prop_assert!(entities.any(|one| one == spaced), "{spaced} is missing");
            prop_assert!(!table.columns.is_empty());
        }
        let said: Vec<String> = lines.iter().filter_map(|line| match line {
            Line::Attribute { name, comment } => Some(format!("{name} {comment}")),
            _ => None,
        }).collect();
        let columns: Vec<&str> = made.drawn()
            .flat_map(|(_, table)| table.columns.iter().map(|column| &*column.name))
            .collect();
        prop_assert_eq!(said.len(), columns.len());
        for (said, column) in said.iter().zip(columns) {
            prop_assert!(said.contains(&shown(column)), "{} in {}", column, said);
        }
        let relations = lines.iter().filter(|line| matches!(line, Line::Relation { .. }));
        prop_assert_eq!(relations.count(), made.references.len());
    }
}

#[test]
fn forty_tables_are_there_with_their_references() {
    let lines = lines(&erd::mermaid(&forty::schema(), Columns::Keys));
    let count = |is: fn(&Line) -> bool| lines.iter().filter(|line| is(line)).count();
    assert_eq!(count(|line| matches!(line, Line::Entity(_))), 40);
    assert_eq!(count(|line| matches!(line, Line::Relation { .. })), 54);
}

//! The few assignments of a revision of Alembic that say where it stands, read without
//! running it.

use std::collections::BTreeMap;

/// What stands at the top of a module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Module {
    /// The first text, before anything else.
    pub(super) docstring: String,
    /// The assignments to the names that were asked for, with their lines.
    pub(super) assigned: BTreeMap<String, (Literal, usize)>,
}

/// A value that is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    None,
    Text(String),
    Texts(Vec<String>),
}

impl Literal {
    pub(super) fn texts(&self) -> Vec<String> {
        match self {
            Literal::None => Vec::new(),
            Literal::Text(text) => vec![text.clone()],
            Literal::Texts(texts) => texts.clone(),
        }
    }
}

/// A line, and what is the matter with it, in a full sentence.
pub(super) type Mistake = (usize, String);

/// Reads the assignments to these names that begin a line of the text.
pub(super) fn read(text: &str, names: &[&str]) -> Result<Module, Mistake> {
    let mut scanner = Scanner { text, at: 0 };
    let mut module = Module::default();
    let mut first = true;
    while scanner.at < text.len() {
        let rest = scanner.rest();
        if rest.starts_with(char::is_whitespace) || rest.starts_with('#') {
            scanner.line()?;
            continue;
        }
        if std::mem::take(&mut first)
            && let Some(docstring) = scanner.string()?
        {
            module.docstring = docstring;
        }
        let line = scanner.line_number();
        if let Some(name) = scanner.assigns(names)? {
            let value = scanner.literal().ok_or_else(|| {
                let sentence = format!("The value of {name} is not a literal.");
                (line, sentence)
            })?;
            module.assigned.insert(name.to_owned(), (value, line));
        }
        scanner.line()?;
    }
    Ok(module)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line_number(&self) -> usize {
        self.text[..self.at].matches('\n').count() + 1
    }

    /// Goes to the end of the logical line: what is in brackets or in a text is part of it.
    fn line(&mut self) -> Result<(), Mistake> {
        let mut depth = 0_usize;
        while let Some(c) = self.rest().chars().next() {
            if self.string()?.is_some() {
                continue;
            }
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                '#' => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                    continue;
                }
                '\\' => self.at += 1,
                '\n' if depth == 0 => {
                    self.at += 1;
                    return Ok(());
                }
                _ => {}
            }
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
        }
        Ok(())
    }

    /// Reads a text, if one begins here.
    fn string(&mut self) -> Result<Option<String>, Mistake> {
        let rest = self.rest();
        let letters = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let prefix = rest[..letters].to_ascii_lowercase();
        let within = self.text[..self.at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if within
            || !matches!(
                prefix.as_str(),
                "" | "r" | "u" | "b" | "f" | "br" | "rb" | "fr" | "rf"
            )
        {
            return Ok(None);
        }
        let body = &rest[letters..];
        let quotes = ["\"\"\"", "'''", "\"", "'"];
        let Some(quote) = quotes.into_iter().find(|quote| body.starts_with(quote)) else {
            return Ok(None);
        };
        let raw = prefix.contains('r');
        let mut value = String::new();
        let mut chars = body[quote.len()..].char_indices();
        while let Some((at, c)) = chars.next() {
            let here = &body[quote.len() + at..];
            if here.starts_with(quote) {
                self.at += letters + quote.len() + at + quote.len();
                return Ok(Some(value));
            }
            match c {
                '\\' => {
                    let next = chars.next().map_or('\\', |(_, next)| next);
                    if raw || !matches!(next, '\\' | '\'' | '"' | '\n') {
                        value.push('\\');
                    }
                    if raw || next != '\n' {
                        value.push(next);
                    }
                }
                '\n' if quote.len() == 1 => break,
                _ => value.push(c),
            }
        }
        Err((
            self.line_number(),
            "The string that begins here is not closed.".to_owned(),
        ))
    }

    /// Reads `name =` or `name: Type =`, if it is one of these names.
    fn assigns<'n>(&mut self, names: &[&'n str]) -> Result<Option<&'n str>, Mistake> {
        let rest = self.rest();
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let Some(name) = names.iter().find(|name| **name == &rest[..length]) else {
            return Ok(None);
        };
        let mut end = self.at + length;
        if self.text[end..]
            .trim_start_matches([' ', '\t'])
            .starts_with(':')
        {
            let line = &self.text[end..];
            let line = &line[..line.find('\n').unwrap_or(line.len())];
            let Some(equals) = line.find('=') else {
                return Ok(None);
            };
            end += equals;
        }
        let after = self.text[end..].trim_start_matches([' ', '\t']);
        match after.strip_prefix('=') {
            Some(value) if !value.starts_with('=') => {
                self.at = self.text.len() - value.len();
                Ok(Some(name))
            }
            _ => Ok(None),
        }
    }

    /// Reads a value up to the end of its logical line.
    fn literal(&mut self) -> Option<Literal> {
        let start = self.at;
        let mut texts = Vec::new();
        let (mut depth, mut many, mut after_text) = (0_usize, false, false);
        loop {
            let rest = self.rest();
            let c = rest.chars().next().unwrap_or('\n');
            match self.string() {
                Ok(Some(_)) if after_text => return None,
                Ok(Some(text)) => {
                    texts.push(text);
                    after_text = true;
                    continue;
                }
                Ok(None) => {}
                Err(_) => return None,
            }
            match c {
                '\n' if depth == 0 => break,
                '#' => {
                    self.at += rest.find('\n').unwrap_or(rest.len());
                    continue;
                }
                '(' => depth += 1,
                '[' | '{' => {
                    depth += 1;
                    many = true;
                }
                ')' | ']' | '}' => depth = depth.checked_sub(1)?,
                ',' => {
                    many = true;
                    after_text = false;
                }
                _ if c.is_whitespace() => {}
                _ if rest.starts_with("None") && texts.is_empty() && !many => {
                    self.at += "None".len();
                    let line = self.rest().lines().next().unwrap_or_default();
                    let end = line.split('#').next().unwrap_or_default();
                    let closed = end.chars().all(|c| c == ')' || c.is_whitespace());
                    return closed.then_some(Literal::None);
                }
                _ => return None,
            }
            if rest.is_empty() {
                break;
            }
            self.at += c.len_utf8();
        }
        let empty = self.text[start..self.at].trim_matches(|c: char| c.is_whitespace());
        match (texts.len(), many) {
            (0, _) if matches!(empty, "()" | "[]") => Some(Literal::Texts(Vec::new())),
            (0, _) => None,
            (1, false) => texts.pop().map(Literal::Text),
            _ => Some(Literal::Texts(texts)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 2] = ["revision", "down_revision"];

    fn value(source: &str) -> Option<Literal> {
        let module = read(&format!("down_revision = {source}\nx = 1\n"), &NAMES).ok()?;
        module
            .assigned
            .get("down_revision")
            .map(|(value, _)| value.clone())
    }

    #[test]
    fn a_revision_as_alembic_writes_it() {
        let text = "\"\"\"create \\\"account\\\" table\n\nRevision ID: 1975ea83b712\n\"\"\"\n\
                    from typing import Sequence, Union\n\n\
                    # revision identifiers, used by Alembic.\n\
                    revision: str = '1975ea83b712'  # so\n\
                    down_revision: Union[str, Sequence[str], None] = (\n    'a',\n    \"b\",\n)\n\n\n\
                    def upgrade() -> None:\n    revision = 'no'\n    op.execute('''\nrevision = 'x'\n''')\n";
        let module = read(text, &NAMES).unwrap();
        assert!(
            module
                .docstring
                .starts_with("create \"account\" table\n\nRevision")
        );
        let revision = Literal::Text("1975ea83b712".to_owned());
        assert_eq!(module.assigned["revision"], (revision, 8));
        let parents = Literal::Texts(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(module.assigned["down_revision"], (parents, 9));
    }

    #[test]
    fn values_that_are_written_out() {
        let texts =
            |texts: &[&str]| Literal::Texts(texts.iter().map(ToString::to_string).collect());
        for (source, expected) in [
            ("None", Literal::None),
            ("None  # first", Literal::None),
            ("'a'", Literal::Text("a".into())),
            ("r\"a\"", Literal::Text("a".into())),
            ("('a')", Literal::Text("a".into())),
            ("('a',)", texts(&["a"])),
            ("'a', 'b'", texts(&["a", "b"])),
            ("['a', # one\n 'b']", texts(&["a", "b"])),
            ("()", texts(&[])),
        ] {
            assert_eq!(value(source), Some(expected), "{source}");
        }
        for source in [
            "x",
            "'a' + 'b'",
            "f('a')",
            "'a' 'b'",
            "None or x",
            "Nothing",
            "",
        ] {
            assert_eq!(value(source), None, "{source}");
        }
        let error = read("\n\nrevision = make()\n", &NAMES).unwrap_err();
        assert_eq!(
            error,
            (3, "The value of revision is not a literal.".to_owned())
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "revision", "=", ":", "'", "\"\"\"", "\\", "\n", "(", ")", ",", "None", "#", "é", " ",
            ]), 0..16),
        ) {
            let _ = read(&pieces.concat(), &NAMES);
        }
    }
}

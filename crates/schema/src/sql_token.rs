//! SQL as a server rendered it, in tokens: what names it mentions, and the same text with other
//! names in it. Nothing more is understood of it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use underpin_sql::{Kind, Lexer, POSTGRES, Token};

/// The tokens of a text, without white space and comments.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    Lexer::new(text, &POSTGRES.lexis).solid().collect()
}

/// The name that a token stands for, as the catalog has it; none if the token is not a name.
fn name<'t>(token: &Token<'t>) -> Option<Cow<'t, str>> {
    POSTGRES.lexis.name(token)
}

/// The names that a text mentions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mentions {
    /// Every name and every word.
    pub(crate) names: BTreeSet<String>,
    /// Every pair with a dot between, and what a text in quotes says of the kind:
    /// `'public.a_seq'::regclass`.
    pub(crate) qualified: BTreeSet<(String, String)>,
    /// Whether it has a whole row: `t.*`.
    pub(crate) whole_row: bool,
}

impl Mentions {
    /// Those of a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut mentions = Mentions::default();
        mentions.add(text, true);
        mentions
    }

    fn add(&mut self, text: &str, within_quotes: bool) {
        let tokens = tokens(text);
        for (at, token) in tokens.iter().enumerate() {
            if token.kind == Kind::Text && within_quotes {
                self.add_quoted(token.text);
            }
            let Some(of) = name(token) else {
                continue;
            };
            let sign = |at: usize, is: &str| tokens.get(at).is_some_and(|token| token.is_sign(is));
            if sign(at + 1, ".") {
                self.whole_row |= sign(at + 2, "*");
                if let Some(second) = tokens.get(at + 2).and_then(name) {
                    self.qualified.insert((of.to_string(), second.into_owned()));
                }
            }
            self.names.insert(of.into_owned());
        }
    }

    /// Adds what a text in quotes mentions: a name with its namespace, or the body of a
    /// function.
    fn add_quoted(&mut self, text: &str) {
        let tag = text.strip_prefix('$').and_then(|rest| rest.find('$'));
        if let Some(length) = tag {
            let (tag, body) = text.split_at(length + 2);
            return self.add(body.strip_suffix(tag).unwrap_or(body), false);
        }
        let inside = text.trim_matches('\'').replace("''", "'");
        if inside.contains('.') {
            self.add(&inside, false);
        }
    }
}

/// The text with names replaced where `with` gives another: it gets the name before a dot
/// where there is one, and the name.
pub(crate) fn replaced(
    text: &str,
    with: &dyn Fn(Option<&str>, &str) -> Option<String>,
    spelled: &dyn Fn(&str) -> String,
) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut end, mut before): (usize, Option<String>) = (0, None);
    let tokens = tokens(text);
    for (at, token) in tokens.iter().enumerate() {
        out.push_str(&text[end..token.start]);
        end = token.end();
        let name = name(token);
        let dotted = at > 0 && tokens[at - 1].is_sign(".");
        let qualifier = before.as_deref().filter(|_| dotted);
        let other = name.as_ref().and_then(|name| with(qualifier, name));
        match &other {
            Some(other) => out.push_str(&spelled(other)),
            None => out.push_str(token.text),
        }
        if let Some(name) = name {
            before = Some(name.into_owned());
        }
    }
    out.push_str(&text[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_texts_are_not() {
        let text =
            "SELECT u.\"Odd \"\"one\" FROM public.users u WHERE u.a <> 'b c' AND f(u.*) > 1.5e3";
        let mentions = Mentions::of(text);
        for name in ["u", "Odd \"one", "public", "users", "a", "f"] {
            assert!(mentions.names.contains(name), "{name}");
        }
        assert!(!mentions.names.contains("b") && !mentions.names.contains("e3"));
        let pair = ("public".to_owned(), "users".to_owned());
        assert!(mentions.qualified.contains(&pair) && mentions.whole_row);
        let sequence = Mentions::of("nextval('shop.\"A b\"'::regclass)");
        let pair = ("shop".to_owned(), "A b".to_owned());
        assert!(sequence.qualified.contains(&pair));
    }

    #[test]
    fn comments_mention_nothing_and_bodies_in_dollar_quotes_do() {
        let mentions = Mentions::of("a -- b's\n + /* c */ d + $f$ shop.e $f$");
        let names = ["a", "d", "shop", "e"].map(str::to_owned);
        assert_eq!(mentions.names, names.into());
    }

    #[test]
    fn a_quote_within_an_escape_string_does_not_close_it() {
        let mentions = Mentions::of("E'it\\'s a' || b || 'c''d'");
        assert_eq!(mentions.names, ["b".to_owned()].into());
    }

    #[test]
    fn only_names_are_replaced() {
        let with = |_: Option<&str>, name: &str| (name == "a").then(|| "b c".to_owned());
        let spelled = |name: &str| format!("\"{name}\"");
        let text = replaced("f(a, 'a', x.a) >  \"a\"", &with, &spelled);
        assert_eq!(text, "f(\"b c\", 'a', x.\"b c\") >  \"b c\"");
    }
}

use std::ops::Range;

use crate::sqlite::comment;
use crate::sqlite::token::{Comment, Tokens};

/// The comments within `CREATE TABLE`: those of each column and constraint, in order, and
/// those of the table.
pub(super) struct Placed {
    pub(super) items: Vec<Option<String>>,
    pub(super) table: Option<String>,
}

/// Gives each comment to what it stands beside: on the same line to what is before it, on a
/// line of its own to what follows. `items` are the tokens of each column and constraint, a
/// comma after it included.
pub(super) fn place(of: &Tokens<'_>, items: &[Range<usize>]) -> Placed {
    let mut texts: Vec<Vec<&str>> = vec![Vec::new(); items.len()];
    let mut table = Vec::new();
    for one in &of.comments {
        match item_of(of, items, one) {
            Some(item) => texts[item].push(one.text),
            None => table.push(one.text),
        }
    }
    Placed {
        items: texts.into_iter().map(comment::joined).collect(),
        table: comment::joined(table),
    }
}

fn item_of(of: &Tokens<'_>, items: &[Range<usize>], one: &Comment<'_>) -> Option<usize> {
    let holds = |token: usize| items.iter().position(|item| item.contains(&token));
    let previous = one.before.checked_sub(1).map(|at| (at, of.tokens[at]));
    let same_line = |from: usize, to: usize| !of.sql[from..to].contains('\n');
    if let Some((at, token)) = previous
        && same_line(token.end(), one.start)
    {
        let next = of.tokens.get(one.before);
        let leads = next.is_some_and(|next| same_line(one.end(), next.start))
            && !one.text.contains('\n')
            && !one.text.starts_with("--");
        let between = token.is_symbol(",") || holds(at).is_none();
        if !(leads && between) {
            return holds(at);
        }
    }
    holds(one.before)
}

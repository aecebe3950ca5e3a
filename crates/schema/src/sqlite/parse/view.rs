use std::collections::BTreeSet;

use crate::Expression;
use crate::sqlite::comment;
use crate::sqlite::cursor::Cursor;
use crate::sqlite::error::SqlError;
use crate::sqlite::keyword::is_reserved;
use crate::sqlite::token::{Kind, Tokens};

/// A view as `CREATE VIEW` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sqlite) struct ViewSql {
    /// The names of its columns, where it gives them.
    pub(in crate::sqlite) columns: Option<Vec<String>>,
    pub(in crate::sqlite) definition: Expression,
    pub(in crate::sqlite) comment: Option<String>,
}

/// Reads `CREATE VIEW`. The query is as it was written, its comments too.
pub(in crate::sqlite) fn view(sql: &str) -> Result<ViewSql, SqlError> {
    let of = Tokens::of(sql)?;
    let mut cursor = Cursor::over(&of);
    cursor.expect("CREATE")?;
    cursor.expect("VIEW")?;
    cursor.object()?;
    let named = cursor.peek().is_some_and(|token| token.is_symbol("("));
    let columns = named.then(|| cursor.names()).transpose()?;
    cursor.expect("AS")?;
    let start = of.tokens[cursor.at - 1].end();
    let before = of.comments.iter().filter(|one| one.start < start);
    Ok(ViewSql {
        columns,
        definition: sql[start..].trim().into(),
        comment: comment::joined(before.map(|one| one.text)),
    })
}

/// The names that SQL may refer to, in lower case: more than it does, since a column or an
/// alias is not told from a table.
pub(in crate::sqlite) fn names_in(sql: &str) -> BTreeSet<String> {
    let Ok(of) = Tokens::of(sql) else {
        return BTreeSet::new();
    };
    let names = of.tokens.iter().enumerate();
    let names = names.filter(|(place, token)| {
        let calls = of
            .tokens
            .get(place + 1)
            .is_some_and(|next| next.is_symbol("("));
        let name = match token.kind {
            Kind::Word => !is_reserved(token.text),
            Kind::Quoted => true,
            _ => false,
        };
        name && !calls
    });
    let names = names.filter_map(|(_, token)| token.name());
    names.map(|name| name.to_ascii_lowercase()).collect()
}

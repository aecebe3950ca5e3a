use syn::LitStr;

use crate::attribute::Errors;

/// One of a few texts, whatever their case.
pub(crate) fn choose<T: Copy>(
    text: &LitStr,
    what: &str,
    known: &[(&str, T)],
    errors: &mut Errors,
) -> Option<T> {
    let given = text.value().to_lowercase();
    let found = known.iter().find(|(name, _)| *name == given);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let advice = crate::attribute::advice(&given, &names);
        let vowel = what.starts_with(['a', 'e', 'i', 'o', 'u']);
        let article = if vowel { "an" } else { "a" };
        errors.at(
            text.span(),
            format!("{:?} is not {article} {what}{advice}", text.value()),
        );
    }
    found.map(|(_, value)| *value)
}

/// Reports a type whose quotes or parentheses are left open.
pub(crate) fn check_type(text: &LitStr, errors: &mut Errors) {
    let (given, mut depth, mut quoted) = (text.value(), 0i32, false);
    let mut closed_early = false;
    for c in given.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            _ => {}
        }
        closed_early |= depth < 0;
    }
    if quoted || closed_early || depth != 0 {
        let message = format!(
            "{given:?} is not a type: a quote or a parenthesis in it is not \
                               closed"
        );
        errors.at(text.span(), message);
    }
}

/// A table and its columns: `shop.users(id)`.
pub(crate) struct TableColumns {
    pub(crate) schema: Option<LitStr>,
    pub(crate) table: LitStr,
    pub(crate) columns: Vec<LitStr>,
}

impl TableColumns {
    pub(crate) fn parse(text: &LitStr, errors: &mut Errors) -> Option<Self> {
        let parsed = Self::parts(text);
        if parsed.is_none() {
            let message = format!(
                "{:?} is not a column of a table; write `references = \"users(id)\"`, or \
                 with the model: `references = User`",
                text.value()
            );
            errors.at(text.span(), message);
        }
        parsed
    }

    fn parts(text: &LitStr) -> Option<Self> {
        let value = text.value();
        let (name, columns) = value.trim().strip_suffix(')')?.split_once('(')?;
        let literal = |part: &str| {
            let part = part.trim();
            let plain = !part.is_empty() && !part.contains(['.', '(', ')', ',', '"']);
            plain.then(|| LitStr::new(part, text.span()))
        };
        let (schema, table) = match name.split_once('.') {
            Some((schema, table)) => (Some(literal(schema)?), literal(table)?),
            None => (None, literal(name)?),
        };
        let columns = columns.split(',').map(literal).collect::<Option<_>>()?;
        Some(TableColumns {
            schema,
            table,
            columns,
        })
    }
}

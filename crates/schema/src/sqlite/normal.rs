//! The normal form of a table's expressions, once they are other texts.

use super::expression::{Scope, expression};
use super::token::Tokens;
use crate::{Expression, KeyTarget, Table};

/// Brings all expressions of a table into their normal form, but for defaults, which name
/// nothing.
pub(super) fn normal(name: &str, table: &mut Table) {
    let columns = table.columns.iter().map(|column| column.name.clone());
    let columns: Vec<String> = columns.collect();
    let scope = Scope {
        table: name,
        columns: &columns,
    };
    let bring = |text: &mut Expression| {
        if let Ok(of) = Tokens::of(text.clone().as_str()) {
            *text = expression(&of.tokens, scope);
        }
    };
    let generated = table.columns.iter_mut();
    for one in generated.filter_map(|column| column.generated.as_mut()) {
        bring(&mut one.expression);
    }
    for check in table.checks.values_mut() {
        bring(&mut check.expression);
    }
    for index in table.indexes.values_mut() {
        for key in &mut index.keys {
            if let KeyTarget::Expression(text) = &mut key.target {
                bring(text);
            }
        }
        if let Some(predicate) = &mut index.predicate {
            bring(predicate);
        }
    }
}

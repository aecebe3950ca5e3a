use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, Lit, LitStr, Path};

use super::optional;
use super::scope::Scope;
use super::spelling::{ENGINES, Spelling, own_parts};
use crate::attribute::Errors;
use crate::element::{Arguments, Element, Given, Head, Site, often, once};

static SITE: Site = Site {
    of: "`check(…)`",
    known: &[
        once("name", "name = \"check_age\""),
        once("postgres", "postgres = \"age >= 0\""),
        once("sqlite", "sqlite = \"age >= 0\""),
        often("engine", ENGINE_USAGE),
    ],
    elsewhere: &[],
};

const ENGINE_USAGE: &str = "engine(\"mssql\", \"age >= 0\")";
const USAGE: &str = "`check` is written `check = \"age >= 0\"`, or with a name: \
                     `check(\"age >= 0\", name = \"check_age\")`";

/// A check constraint.
pub(crate) struct Check {
    pub(crate) name: Option<LitStr>,
    pub(crate) span: Span,
    /// The field that it stands on.
    own: Option<usize>,
    expression: Spelling,
}

impl Check {
    /// Reads `check = "…"` and `check("…", name = "…")`.
    pub(crate) fn parse(element: Element, own: Option<usize>, errors: &mut Errors) -> Option<Self> {
        let span = element.span();
        let (any, options) = match element.given {
            Given::Value(Expr::Lit(value)) => match value.lit {
                Lit::Str(text) => (Some(text), Vec::new()),
                _ => (None, Vec::new()),
            },
            Given::List(list) => {
                let text = |one: &Element| matches!(one.head, Head::Text(_));
                let (texts, options): (Vec<_>, Vec<_>) = list.into_iter().partition(text);
                if let Some(second) = texts.get(1) {
                    errors.at(
                        second.span(),
                        "a check has one expression; write another `check`",
                    );
                }
                let text = texts.into_iter().next().and_then(|one| match one.head {
                    Head::Text(text) => Some(text),
                    Head::Path(_) => None,
                });
                (text, options)
            }
            _ => (None, Vec::new()),
        };
        let options = Arguments::check(options, &SITE, errors);
        let expression = Spelling {
            any,
            own: own_expressions(&options, errors),
        };
        if !expression.is_given() {
            errors.at(span, USAGE);
            return None;
        }
        if let Some(empty) = expression
            .any
            .as_ref()
            .filter(|one| one.value().trim().is_empty())
        {
            errors.at(empty.span(), "this text cannot be empty");
        }
        Some(Check {
            name: options.text("name", errors),
            span,
            own,
            expression,
        })
    }

    pub(crate) fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        let name = optional(self.name.as_ref());
        let column = optional(self.own.map(|at| &scope.fields[at].column));
        let expression = self.expression.tokens(krate);
        quote!(#krate::model::Check { name: #name, column: #column, expression: #expression })
    }
}

/// The expressions of single engines: `sqlite = "…"` and `engine("…", "…")`.
fn own_expressions(options: &Arguments, errors: &mut Errors) -> Vec<(String, LitStr)> {
    let mut all = Vec::new();
    for (engine, element, given) in own_parts(options, ENGINE_USAGE, errors) {
        let text = match (ENGINES.contains(&engine.as_str()), &given) {
            (true, _) => options.text(&engine, errors),
            (false, Given::List(list)) => match list.as_slice() {
                [only] => match &only.head {
                    Head::Text(text) if !text.value().trim().is_empty() => Some(text.clone()),
                    _ => None,
                },
                _ => None,
            }
            .or_else(|| {
                errors.at(
                    element.span(),
                    format!("`engine` is written `{ENGINE_USAGE}`"),
                );
                None
            }),
            (false, _) => None,
        };
        all.extend(text.map(|text| (engine, text)));
    }
    all
}

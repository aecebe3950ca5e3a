use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, LitStr, Path};

use super::optional;
use super::scope::Scope;
use super::text::choose;
use crate::attribute::Errors;
use crate::element::{Arguments, Element, Given, Site, once, text};

static SITE: Site = Site {
    of: "`unique(…)`",
    known: &[
        once("name", "name = \"users_email_key\""),
        once("include", "include(a, b)"),
        once("nulls_not_distinct", "nulls_not_distinct = true"),
        once("deferrable", DEFERRABLE),
    ],
    elsewhere: &[],
};

pub(crate) const DEFERRABLE: &str = "deferrable = \"initially deferred\"";

/// A unique constraint.
pub(crate) struct Unique {
    pub(crate) name: Option<LitStr>,
    pub(crate) span: Span,
    fields: Vec<usize>,
    include: Vec<usize>,
    nulls_not_distinct: bool,
    deferral: Deferral,
}

/// When a constraint is checked.
#[derive(Clone, Copy)]
pub(crate) enum Deferral {
    NotDeferrable,
    InitiallyImmediate,
    InitiallyDeferred,
}

const DEFERRALS: [(&str, Deferral); 2] = [
    ("initially immediate", Deferral::InitiallyImmediate),
    ("initially deferred", Deferral::InitiallyDeferred),
];

impl Deferral {
    pub(crate) fn parse(options: &Arguments, errors: &mut Errors) -> Self {
        let text = options.text("deferrable", errors);
        let chosen =
            text.and_then(|text| choose(&text, "time of a deferrable check", &DEFERRALS, errors));
        chosen.unwrap_or(Deferral::NotDeferrable)
    }

    pub(crate) fn tokens(self, krate: &Path) -> TokenStream {
        match self {
            Deferral::NotDeferrable => quote!(#krate::model::Deferral::NotDeferrable),
            Deferral::InitiallyImmediate => quote!(#krate::model::Deferral::InitiallyImmediate),
            Deferral::InitiallyDeferred => quote!(#krate::model::Deferral::InitiallyDeferred),
        }
    }
}

impl Unique {
    /// Reads `unique(a, b, …)` on the struct, or `unique`, `unique = "name"` and
    /// `unique(name = "…")` on the field at `own`.
    pub(crate) fn parse(
        element: Element,
        own: Option<usize>,
        scope: &Scope,
        errors: &mut Errors,
    ) -> Option<Self> {
        let span = element.span();
        let (name, keys, options) = parts(element, "unique", own, errors)?;
        let fields = match own {
            Some(own) => own_field(own, &keys, errors),
            None => scope.find_all(&keys, errors),
        };
        let options = Arguments::check(options, &SITE, errors);
        let include = included(&options, span, scope, errors);
        Some(Unique {
            name: name.or(options.text("name", errors)),
            span,
            fields,
            include,
            nulls_not_distinct: options.switch("nulls_not_distinct", errors),
            deferral: Deferral::parse(&options, errors),
        })
    }

    pub(crate) fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        let (columns, include) = (scope.columns(&self.fields), scope.columns(&self.include));
        let (name, nulls) = (optional(self.name.as_ref()), self.nulls_not_distinct);
        let deferral = self.deferral.tokens(krate);
        quote! {
            #krate::model::Unique {
                name: #name,
                columns: &[#(#columns),*],
                include: &[#(#include),*],
                nulls_not_distinct: #nulls,
                deferral: #deferral,
            }
        }
    }
}

type Parts = (Option<LitStr>, Vec<Element>, Vec<Element>);

/// The name, the keys and the options of `what`, `what = "name"` and `what(a, b, c = d)`.
pub(crate) fn parts(
    element: Element,
    what: &str,
    own: Option<usize>,
    errors: &mut Errors,
) -> Option<Parts> {
    let span = element.span();
    let usage = format!("{what}(a, b)");
    if let Given::Value(Expr::Lit(_)) = &element.given
        && own.is_some()
    {
        let name = text(&element, errors, &format!("{what} = \"name\""));
        return Some((name, Vec::new(), Vec::new()));
    }
    match element.given {
        Given::List(list) => {
            let (options, keys): (Vec<_>, Vec<_>) = list.into_iter().partition(Element::is_option);
            if keys.is_empty() && own.is_none() {
                errors.at(
                    span,
                    format!("`{what}` does not name a field; write `{usage}`"),
                );
                return None;
            }
            Some((None, keys, options))
        }
        Given::Words(words) if words.is_empty() && own.is_some() => {
            Some((None, Vec::new(), Vec::new()))
        }
        _ => {
            let usage = match own {
                Some(_) => format!("{what}` or `{what} = \"name\""),
                None => usage,
            };
            errors.at(span, format!("`{what}` is written `{usage}`"));
            None
        }
    }
}

/// The fields of `include(a, b)`.
pub(super) fn included(
    options: &Arguments,
    span: Span,
    scope: &Scope,
    errors: &mut Errors,
) -> Vec<usize> {
    match options.get("include").map(|one| &one.given) {
        Some(Given::List(list)) => scope.find_all(list, errors),
        Some(_) => {
            errors.at(span, "`include` is written `include(a, b)`");
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// On a field, the field itself is the key.
pub(crate) fn own_field(own: usize, keys: &[Element], errors: &mut Errors) -> Vec<usize> {
    for key in keys {
        errors.at(
            key.span(),
            "other fields cannot be named on a field; put this on the struct",
        );
    }
    vec![own]
}

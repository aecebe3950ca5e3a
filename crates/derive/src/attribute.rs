use std::collections::HashMap;
use std::fmt::Display;

use proc_macro2::{Group, Ident, Span};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Attribute, Expr, Lit, LitStr, Path, Token, token};

/// All that is wrong with the input, so that it is reported at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// The value of `result`, its error put with the others.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// An argument that an attribute can have.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// How it is written where it takes a text; `None` where it stands alone.
    pub(crate) example: Option<&'static str>,
}

pub(crate) const CRATE: Known = Known {
    name: "crate",
    example: Some("crate = \"underpin\""),
};
pub(crate) const RENAME: Known = Known {
    name: "rename",
    example: Some("rename = \"name\""),
};
pub(crate) const RENAME_ALL: Known = Known {
    name: "rename_all",
    example: Some("rename_all = \"camelCase\""),
};

/// Where an attribute stands, and what it can say there.
pub(crate) struct AttributeSite {
    /// The attribute's name: `row` or `value`.
    pub(crate) attribute: &'static str,
    /// "a field", "the struct".
    pub(crate) on: &'static str,
    pub(crate) known: &'static [Known],
    /// The other place, to which an argument may have been meant to go.
    pub(crate) elsewhere: &'static AttributeSite,
}

struct Argument {
    name: &'static str,
    span: Span,
    text: Option<LitStr>,
}

/// The attributes of one item.
#[derive(Default)]
pub(crate) struct Arguments(Vec<Argument>);

impl Arguments {
    /// Reads all attributes of this place's name. What cannot be understood is left out
    /// of the result and put into `errors`.
    pub(crate) fn parse(
        attributes: &[Attribute],
        place: &AttributeSite,
        errors: &mut Errors,
    ) -> Self {
        let mut arguments = Arguments::default();
        for attribute in attributes
            .iter()
            .filter(|a| a.path().is_ident(place.attribute))
        {
            let parsed = attribute.parse_nested_meta(|meta| {
                let given = Given::parse(&meta)?;
                match arguments.check(&meta.path, given, place) {
                    Ok(argument) => arguments.0.push(argument),
                    Err(error) => errors.push(error),
                }
                Ok(())
            });
            errors.take(parsed);
        }
        arguments
    }

    fn check(&self, path: &Path, given: Given, place: &AttributeSite) -> syn::Result<Argument> {
        let error = |message: String| Err(syn::Error::new_spanned(path, message));
        let Some(known) = place.known.iter().find(|known| path.is_ident(known.name)) else {
            return error(unknown(path, place));
        };
        let name = known.name;
        if self.0.iter().any(|argument| argument.name == name) {
            return error(format!("`{name}` is set twice"));
        }
        let text = match (known.example, given) {
            (None, Given::Alone) => None,
            (Some(_), Given::Value(Expr::Lit(value))) if matches!(value.lit, Lit::Str(_)) => {
                match value.lit {
                    Lit::Str(text) => Some(text),
                    _ => None,
                }
            }
            (None, _) => return error(format!("`{name}` takes no value")),
            (Some(example), _) => return error(format!("`{name}` takes a text: `{example}`")),
        };
        let span = path.get_ident().map_or_else(Span::call_site, Ident::span);
        Ok(Argument { name, span, text })
    }

    /// Where this argument is, if it is given.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.0
            .iter()
            .find(|argument| argument.name == name)
            .map(|argument| argument.span)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.span(name).is_some()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&LitStr> {
        self.0
            .iter()
            .find(|argument| argument.name == name)?
            .text
            .as_ref()
    }

    /// Reports each of `others` that is given along with `name`.
    pub(crate) fn exclude(&self, name: &str, others: &[&str], why: &str, errors: &mut Errors) {
        if !self.has(name) {
            return;
        }
        for other in others {
            if let Some(span) = self.span(other) {
                errors.at(
                    span,
                    format!("`{other}` cannot be combined with `{name}`: {why}"),
                );
            }
        }
    }

    /// The text of an argument as `what`, "a type" or "a path".
    pub(crate) fn read<T>(
        &self,
        name: &str,
        what: &str,
        parser: impl Parser<Output = T>,
        errors: &mut Errors,
    ) -> Option<T> {
        let text = self.text(name)?;
        let read = text.parse_with(parser);
        errors.take(
            read.map_err(|_| {
                syn::Error::new(text.span(), format!("{:?} is not {what}", text.value()))
            }),
        )
    }

    /// The path of the crate `underpin`.
    pub(crate) fn krate(&self, errors: &mut Errors) -> Path {
        self.read("crate", "a path", Path::parse_mod_style, errors)
            .unwrap_or_else(|| syn::parse_quote!(::underpin))
    }
}

/// The form of an argument after its name.
enum Given {
    Alone,
    Value(Expr),
    List,
}

impl Given {
    fn parse(meta: &ParseNestedMeta<'_>) -> syn::Result<Self> {
        if meta.input.peek(Token![=]) {
            Ok(Given::Value(meta.value()?.parse()?))
        } else if meta.input.peek(token::Paren) {
            meta.input.parse::<Group>()?;
            Ok(Given::List)
        } else {
            Ok(Given::Alone)
        }
    }
}

fn unknown(path: &Path, place: &AttributeSite) -> String {
    let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    let given = segments.join("::");
    let (attribute, on) = (place.attribute, place.on);
    if place
        .elsewhere
        .known
        .iter()
        .any(|known| known.name == given)
    {
        return format!("`{given}` belongs on {}, not on {on}", place.elsewhere.on);
    }
    let names: Vec<&str> = place.known.iter().map(|known| known.name).collect();
    let advice = advice(&given, &names);
    format!("`{given}` is not an argument of `#[{attribute}(…)]` on {on}{advice}")
}

/// A suggestion for `given`, as the end of a sentence.
pub(crate) fn advice(given: &str, known: &[&str]) -> String {
    let given = given.to_lowercase();
    let near = |name: &&&str| strsim::jaro_winkler(&given, &name.to_lowercase());
    let nearest = known.iter().max_by(|a, b| near(a).total_cmp(&near(b)));
    match nearest {
        Some(name) if near(&name) > 0.8 => format!("; did you mean `{name}`?"),
        Some(_) => format!("; there are `{}`", known.join("`, `")),
        None => "; there are none".to_owned(),
    }
}

/// The names that are taken, each with what took it.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// Takes `name` for `owner`, or reports who has it already.
    pub(crate) fn take(&mut self, what: &str, name: &LitStr, owner: String, errors: &mut Errors) {
        let text = name.value();
        match self.0.get(&text) {
            Some(first) => {
                errors.at(
                    name.span(),
                    format!("the {what} {text:?} is already used by `{first}`"),
                );
            }
            None => {
                self.0.insert(text, owner);
            }
        }
    }
}

//! The contents of `#[model(…)]` as they are written: names, texts, values and lists of these.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, LitStr, Path, PathSegment, Token, parenthesized, token};

use crate::attribute::{Errors, advice};

/// One of the things between commas: `unique`, `default = "0"`, `index(a, b desc)`.
#[derive(Clone)]
pub(crate) struct Element {
    pub(crate) head: Head,
    pub(crate) given: Given,
}

#[derive(Clone)]
pub(crate) enum Head {
    /// A name, or the path of a type.
    Path(Path),
    /// An expression in SQL.
    Text(LitStr),
}

#[derive(Clone)]
pub(crate) enum Given {
    /// Nothing follows, or words do: `desc nulls last`.
    Words(Vec<Word>),
    Value(Expr),
    List(Vec<Element>),
}

#[derive(Clone)]
pub(crate) enum Word {
    Ident(Ident),
    Text(LitStr),
}

impl Word {
    pub(crate) fn span(&self) -> Span {
        match self {
            Word::Ident(ident) => ident.span(),
            Word::Text(text) => text.span(),
        }
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self, Word::Ident(ident) if ident == word)
    }
}

impl Parse for Element {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let head = Head::Text(input.parse()?);
            let given = Given::Words(words(input)?);
            return Ok(Element { head, given });
        }
        let head = Head::Path(path(input)?);
        let given = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Given::Value(input.parse()?)
        } else if input.peek(token::Paren) {
            let list;
            parenthesized!(list in input);
            let list = Punctuated::<Element, Token![,]>::parse_terminated(&list)?;
            Given::List(list.into_iter().collect())
        } else {
            Given::Words(words(input)?)
        };
        Ok(Element { head, given })
    }
}

/// A path of plain names; keywords too, since `type` and `where` are arguments.
fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let leading_colon = input.parse()?;
    let mut segments = Punctuated::new();
    loop {
        segments.push_value(PathSegment::from(input.call(Ident::parse_any)?));
        if !input.peek(Token![::]) {
            break;
        }
        segments.push_punct(input.parse()?);
    }
    Ok(Path {
        leading_colon,
        segments,
    })
}

fn words(input: ParseStream<'_>) -> syn::Result<Vec<Word>> {
    let mut words = Vec::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        words.push(match input.peek(LitStr) {
            true => Word::Text(input.parse()?),
            false => Word::Ident(input.call(Ident::parse_any)?),
        });
    }
    Ok(words)
}

impl Element {
    pub(crate) fn span(&self) -> Span {
        match &self.head {
            Head::Text(text) => text.span(),
            Head::Path(path) => path
                .segments
                .last()
                .map_or_else(Span::call_site, |last| last.ident.span()),
        }
    }

    /// The name, where it is one alone.
    pub(crate) fn name(&self) -> Option<&Ident> {
        match &self.head {
            Head::Path(path) => path.get_ident(),
            Head::Text(_) => None,
        }
    }

    /// Whether it is of the form `name = …` or `name(…)`, and so no column.
    pub(crate) fn is_option(&self) -> bool {
        self.name().is_some() && !matches!(self.given, Given::Words(_))
    }
}

/// An argument that can be given, and how.
#[derive(Clone, Copy)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    /// How it is written: `default = "now()"`.
    pub(crate) usage: &'static str,
    pub(crate) repeats: bool,
}

pub(crate) const fn once(name: &'static str, usage: &'static str) -> Argument {
    Argument {
        name,
        usage,
        repeats: false,
    }
}

pub(crate) const fn often(name: &'static str, usage: &'static str) -> Argument {
    Argument {
        name,
        usage,
        repeats: true,
    }
}

/// Where arguments stand, and which they can be.
pub(crate) struct Site {
    /// What they are arguments of: "`#[model(…)]` on a field", "`index(…)`".
    pub(crate) of: &'static str,
    pub(crate) known: &'static [Argument],
    /// Names that belong elsewhere, each with the place.
    pub(crate) elsewhere: &'static [(&'static [Argument], &'static str)],
}

/// Reads all attributes `#[model(…)]`, as one list.
pub(crate) fn elements(attributes: &[Attribute], errors: &mut Errors) -> Vec<Element> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|one| one.path().is_ident("model")) {
        let parsed = attribute.parse_args_with(Punctuated::<Element, Token![,]>::parse_terminated);
        all.extend(errors.take(parsed).into_iter().flatten());
    }
    all
}

/// The arguments that a site knows, by their names; all else is reported.
pub(crate) struct Arguments(Vec<(&'static Argument, Element)>);

impl Arguments {
    pub(crate) fn check(elements: Vec<Element>, site: &Site, errors: &mut Errors) -> Self {
        let mut known: Vec<(&'static Argument, Element)> = Vec::new();
        for element in elements {
            let span = element.span();
            let Some(argument) = find(&element, site) else {
                errors.at(span, unknown(&element, site));
                continue;
            };
            let twice = known.iter().any(|(one, _)| one.name == argument.name);
            if twice && !argument.repeats {
                errors.at(span, format!("`{}` is set twice", argument.name));
                continue;
            }
            known.push((argument, element));
        }
        Arguments(known)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Element> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Element> {
        let named = self.0.iter().filter(move |(one, _)| one.name == name);
        named.map(|(_, element)| element)
    }

    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.get(name).map(Element::span)
    }

    /// The text of `name = "…"`.
    pub(crate) fn text(&self, name: &str, errors: &mut Errors) -> Option<LitStr> {
        let (argument, element) = self.0.iter().find(|(one, _)| one.name == name)?;
        text(element, errors, argument.usage)
    }

    /// Whether `name` stands there; nothing may follow it.
    pub(crate) fn flag(&self, name: &str, errors: &mut Errors) -> bool {
        let Some(element) = self.get(name) else {
            return false;
        };
        if !stands_alone(element) {
            errors.at(element.span(), format!("`{name}` takes no value"));
        }
        true
    }

    /// The value of `name = true`.
    pub(crate) fn switch(&self, name: &str, errors: &mut Errors) -> bool {
        let Some(element) = self.get(name) else {
            return false;
        };
        match &element.given {
            Given::Value(Expr::Lit(value)) if matches!(value.lit, syn::Lit::Bool(_)) => {
                matches!(&value.lit, syn::Lit::Bool(on) if on.value)
            }
            _ => {
                errors.at(
                    element.span(),
                    format!("`{name}` is written `{name} = true`"),
                );
                false
            }
        }
    }
}

fn find(element: &Element, site: &Site) -> Option<&'static Argument> {
    let name = element.name()?;
    site.known.iter().find(|known| name == known.name)
}

fn unknown(element: &Element, site: &Site) -> String {
    let given = match &element.head {
        Head::Text(text) => return format!("{:?} is not an argument of {}", text.value(), site.of),
        Head::Path(path) => {
            let segments = path.segments.iter();
            let segments: Vec<String> = segments.map(|one| one.ident.to_string()).collect();
            segments.join("::")
        }
    };
    for (known, place) in site.elsewhere {
        if known.iter().any(|argument| argument.name == given) {
            return format!("`{given}` belongs {place}");
        }
    }
    let names: Vec<&str> = site.known.iter().map(|known| known.name).collect();
    let advice = advice(&given, &names);
    format!("`{given}` is not an argument of {}{advice}", site.of)
}

/// Whether nothing follows the name.
pub(crate) fn stands_alone(element: &Element) -> bool {
    matches!(&element.given, Given::Words(words) if words.is_empty())
}

/// The text of `name = "…"`; none, and reported, where it is anything else or empty.
pub(crate) fn text(element: &Element, errors: &mut Errors, usage: &str) -> Option<LitStr> {
    let text = match &element.given {
        Given::Value(Expr::Lit(value)) => match &value.lit {
            syn::Lit::Str(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    match text {
        Some(text) if text.value().trim().is_empty() => {
            errors.at(text.span(), "this text cannot be empty");
            None
        }
        Some(text) => Some(text),
        None => {
            errors.at(
                element.span(),
                format!("{} is written `{usage}`", named(element)),
            );
            None
        }
    }
}

fn named(element: &Element) -> String {
    match element.name() {
        Some(name) => format!("`{name}`"),
        None => "this".to_owned(),
    }
}

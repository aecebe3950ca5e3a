use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprUnary, Lit, LitStr, Path, Type, UnOp, Visibility};

use super::counter::Counter;
use super::data_type::{field_type, nullable};
use super::optional;
use super::spelling::{Spelling, own_parts};
use super::text::check_type;
use crate::attribute::Errors;
use crate::element::{
    Argument, Arguments, Element, Given, Site, elements, often, once, stands_alone, text,
};
use crate::field::{Read, inside_option};

const SPELLED: [Argument; 5] = [
    once("type", "type = \"varchar(255)\""),
    once("default", "default = \"now()\""),
    once("generated", "generated = \"lower(email)\""),
    once("collate", "collate = \"C\""),
    once("on_update", "on_update = \"now()\""),
];
pub(crate) const ARGUMENTS: &[Argument] = &[
    SPELLED[0],
    SPELLED[1],
    SPELLED[2],
    SPELLED[3],
    SPELLED[4],
    once("primary_key", "primary_key"),
    once("identity", "identity"),
    once("serial", "serial"),
    once("virtual", "virtual"),
    often("unique", "unique"),
    often("check", "check = \"age >= 0\""),
    often("index", "index"),
    once("references", "references = User"),
    once("comment", "comment = \"…\""),
    once("renamed_from", "renamed_from = \"name\""),
    once("postgres", "postgres(type = \"citext\")"),
    once("sqlite", "sqlite(type = \"TEXT\")"),
    often("engine", ENGINE_USAGE),
];
const ENGINE_USAGE: &str = "engine(\"mssql\", type = \"nvarchar(50)\")";
static FIELD: Site = Site {
    of: "`#[model(…)]` on a field",
    known: ARGUMENTS,
    elsewhere: &[
        (super::input::ARGUMENTS, "on the struct, not on a field"),
        (OF_ROW, "in `#[row(…)]`"),
    ],
};
const OF_ROW: &[Argument] = &[
    once("rename", "rename"),
    once("json", "json"),
    once("skip", "skip"),
    once("try_from", "try_from"),
    once("flatten", "flatten"),
];
static ENGINE: Site = Site {
    of: "an engine's own part of `#[model(…)]` on a field",
    known: &SPELLED,
    elsewhere: &[(ARGUMENTS, "outside of the engine's own part")],
};

/// A field, and the column that it is.
pub(crate) struct Column<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) docs: Vec<&'a Attribute>,
    pub(crate) ty: &'a Type,
    pub(crate) read: Read,
    pub(crate) column: LitStr,
    pub(crate) primary_key: Option<Span>,
    pub(crate) counter: Option<Counter>,
    pub(crate) generated: Spelling,
    pub(crate) on_update: Option<OnUpdate>,
    pub(crate) uniques: Vec<Element>,
    pub(crate) checks: Vec<Element>,
    pub(crate) indexes: Vec<Element>,
    pub(crate) references: Option<Element>,
    given_type: Spelling,
    default: Spelling,
    collation: Spelling,
    is_virtual: bool,
    comment: Option<LitStr>,
    renamed_from: Option<LitStr>,
}

pub(crate) enum OnUpdate {
    Advance,
    Set(Spelling),
}

impl<'a> Column<'a> {
    pub(crate) fn parse(
        field: &'a syn::Field,
        ident: &'a Ident,
        column: LitStr,
        read: Read,
        errors: &mut Errors,
    ) -> Self {
        let mut lists = Lists::take(elements(&field.attrs, errors));
        let rest = std::mem::take(&mut lists.rest);
        let arguments = Arguments::check(rest, &FIELD, errors);
        let own = own_arguments(&arguments, errors);
        let spelling = |name: &str, errors: &mut Errors| Spelling {
            any: spelled(&arguments, name, errors),
            own: own
                .iter()
                .filter_map(|(engine, own)| Some((engine.clone(), spelled(own, name, errors)?)))
                .collect(),
        };
        let given_type = spelling("type", errors);
        for text in given_type.texts() {
            check_type(text, errors);
        }
        let alone = arguments.get("on_update").is_some_and(stands_alone);
        let on_update = match alone {
            true => Some(OnUpdate::Advance),
            false => {
                let given = spelling("on_update", errors);
                given.is_given().then_some(OnUpdate::Set(given))
            }
        };
        let primary_key = arguments.span("primary_key");
        arguments.flag("primary_key", errors);
        let column = Column {
            ident,
            vis: &field.vis,
            docs: field
                .attrs
                .iter()
                .filter(|one| one.path().is_ident("doc"))
                .collect(),
            ty: &field.ty,
            read,
            column,
            primary_key,
            counter: Counter::parse(&arguments, errors),
            generated: spelling("generated", errors),
            on_update,
            uniques: lists.uniques,
            checks: lists.checks,
            indexes: lists.indexes,
            references: lists.references,
            given_type,
            default: spelling("default", errors),
            collation: spelling("collate", errors),
            is_virtual: arguments.flag("virtual", errors),
            comment: arguments.text("comment", errors),
            renamed_from: arguments.text("renamed_from", errors),
        };
        column.check(&arguments, errors);
        column
    }

    /// Reports the arguments that make no sense together.
    fn check(&self, arguments: &Arguments, errors: &mut Errors) {
        let mut exclude = |name: &str, others: &[&str], why: &str| {
            if arguments.get(name).is_none() {
                return;
            }
            for other in others {
                if let Some(span) = arguments.span(other) {
                    let message = format!("`{other}` cannot be combined with `{name}`: {why}");
                    errors.at(span, message);
                }
            }
        };
        let computed = "the expression determines the value of a generated column";
        exclude(
            "generated",
            &["default", "identity", "serial", "on_update"],
            computed,
        );
        let counted = "the database generates its values";
        exclude("identity", &["default", "on_update"], counted);
        exclude("serial", &["default", "on_update"], counted);
        if let (Some(span), false) = (arguments.span("virtual"), self.generated.is_given()) {
            errors.at(
                span,
                "`virtual` applies to a generated column: set `generated = \"…\"` too",
            );
        }
        for (name, why) in [
            ("primary_key", "a primary key is never NULL"),
            ("identity", "a column with generated numbers is never NULL"),
            ("serial", "a column with generated numbers is never NULL"),
        ] {
            if let (Some(span), true) = (arguments.span(name), self.nullable()) {
                let message = format!("{why}: remove the `Option` from `{}`", self.name());
                errors.at(span, message);
            }
        }
    }

    /// The field's own name.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// Whether the field is an `Option`.
    pub(crate) fn nullable(&self) -> bool {
        inside_option(self.ty).is_some()
    }

    /// The field's type, without the `Option` around it.
    pub(crate) fn inner(&self) -> &Type {
        inside_option(self.ty).unwrap_or(self.ty)
    }

    /// Whether the database knows a value where none is given.
    pub(crate) fn has_default(&self) -> bool {
        self.default.is_given() || self.counter.is_some()
    }

    /// What is sent for `value`, an expression of the type without `Option`.
    pub(crate) fn value(&self, krate: &Path, value: &TokenStream) -> TokenStream {
        match &self.read {
            Read::Plain => quote!(#krate::IntoValue::into_value(#value)),
            Read::Json => quote!(#krate::IntoValue::into_value(#krate::Json(#value))),
            Read::TryFrom(raw) => {
                let raw = inside_option(raw).unwrap_or(raw);
                quote! {
                    #krate::IntoValue::into_value(<#raw as ::core::convert::From<_>>::from(#value))
                }
            }
        }
    }

    pub(crate) fn tokens(&self, krate: &Path) -> TokenStream {
        let name = &self.column;
        let field_type = field_type(krate, self.ty, &self.read, &self.given_type);
        let nullable = nullable(krate, self.ty, &self.read, &self.given_type);
        let [given_type, default, generated, collation] = [
            &self.given_type,
            &self.default,
            &self.generated,
            &self.collation,
        ]
        .map(|spelling| spelling.tokens(krate));
        let is_virtual = self.is_virtual;
        let counter = some(self.counter.map(|counter| counter.tokens(krate)));
        let on_update = some(self.on_update.as_ref().map(|on_update| match on_update {
            OnUpdate::Advance => quote!(#krate::model::OnUpdate::Advance),
            OnUpdate::Set(spelling) => {
                let spelling = spelling.tokens(krate);
                quote!(#krate::model::OnUpdate::Set(#spelling))
            }
        }));
        let comment = optional(self.comment.as_ref());
        let renamed_from = optional(self.renamed_from.as_ref());
        quote! {
            #krate::model::Column {
                name: #name,
                given_type: #given_type,
                field_type: #field_type,
                nullable: #nullable,
                default: #default,
                generated: #generated,
                is_virtual: #is_virtual,
                counter: #counter,
                collation: #collation,
                on_update: #on_update,
                comment: #comment,
                renamed_from: #renamed_from,
            }
        }
    }
}

fn some(tokens: Option<TokenStream>) -> TokenStream {
    match tokens {
        Some(tokens) => quote!(::core::option::Option::Some(#tokens)),
        None => quote!(::core::option::Option::None),
    }
}

/// The arguments that are read once all fields are known.
#[derive(Default)]
struct Lists {
    uniques: Vec<Element>,
    checks: Vec<Element>,
    indexes: Vec<Element>,
    references: Option<Element>,
    rest: Vec<Element>,
}

impl Lists {
    fn take(all: Vec<Element>) -> Self {
        let mut lists = Lists::default();
        for element in all {
            match element.name().map(ToString::to_string).as_deref() {
                Some("unique") => lists.uniques.push(element),
                Some("check") => lists.checks.push(element),
                Some("index") => lists.indexes.push(element),
                Some("references") if lists.references.is_none() => {
                    lists.references = Some(element);
                }
                _ => lists.rest.push(element),
            }
        }
        lists
    }
}

/// What `postgres(…)`, `sqlite(…)` and `engine("…", …)` hold.
fn own_arguments(arguments: &Arguments, errors: &mut Errors) -> Vec<(String, Arguments)> {
    let mut all = Vec::new();
    for (engine, element, given) in own_parts(arguments, ENGINE_USAGE, errors) {
        match given {
            Given::List(list) => all.push((engine, Arguments::check(list, &ENGINE, errors))),
            _ => {
                let message = format!("`{engine}` is written `{engine}(type = \"…\")`");
                errors.at(element.span(), message);
            }
        }
    }
    all
}

/// An SQL text: a default can be a number or a truth value too.
fn spelled(arguments: &Arguments, name: &str, errors: &mut Errors) -> Option<LitStr> {
    let element = arguments.get(name)?;
    if name == "default"
        && let Given::Value(value) = &element.given
        && let Some(plain) = plain(value)
    {
        return Some(LitStr::new(&plain, element.span()));
    }
    let usage = match name {
        "default" => "default = \"now()\"`, an expression of SQL, or `default = 0",
        "type" => SPELLED[0].usage,
        "generated" => SPELLED[2].usage,
        "collate" => SPELLED[3].usage,
        _ => "on_update` or `on_update = \"now()\"",
    };
    if name == "on_update" && stands_alone(element) {
        errors.at(
            element.span(),
            format!("here, `on_update` is written `{}`", SPELLED[4].usage),
        );
        return None;
    }
    text(element, errors, usage)
}

/// A number or a truth value as SQL has it.
fn plain(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(value) => match &value.lit {
            Lit::Bool(value) => Some(value.value.to_string()),
            Lit::Int(value) => Some(value.base10_digits().to_owned()),
            Lit::Float(value) => Some(value.base10_digits().to_owned()),
            _ => None,
        },
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => match &**expr {
            Expr::Lit(value) if matches!(value.lit, Lit::Int(_) | Lit::Float(_)) => {
                plain(expr).map(|number| format!("-{number}"))
            }
            _ => None,
        },
        _ => None,
    }
}

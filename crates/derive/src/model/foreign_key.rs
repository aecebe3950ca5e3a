use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Lit, LitStr, Path};

use super::input::Input;
use super::optional;
use super::scope::Scope;
use super::text::{TableColumns, choose};
use super::unique::{DEFERRABLE, Deferral};
use crate::attribute::Errors;
use crate::element::{Argument, Arguments, Element, Given, Head, Site, once};

static ON_FIELD: Site = Site {
    of: "`references(…)`",
    known: &OPTIONS,
    elsewhere: &[],
};
static ON_STRUCT: Site = Site {
    of: "`foreign_key(…)`",
    known: &[
        OPTIONS[0],
        OPTIONS[1],
        OPTIONS[2],
        OPTIONS[3],
        OPTIONS[4],
        once("references", "references = Order"),
    ],
    elsewhere: &[],
};
const OPTIONS: [Argument; 5] = [
    once("name", "name = \"users_team_fkey\""),
    once("on_delete", "on_delete = \"cascade\""),
    once("on_update", "on_update = \"cascade\""),
    once("match", "match = \"full\""),
    once("deferrable", DEFERRABLE),
];
const USAGE: &str = "`references` is written `references = User`, `references = \"users(id)\"` or \
                     `references(User, on_delete = \"cascade\")`";

/// A foreign key.
pub(crate) struct ForeignKey {
    pub(crate) name: Option<LitStr>,
    pub(crate) span: Span,
    pub(crate) fields: Vec<usize>,
    target: Target,
    on_update: Action,
    on_delete: Action,
    full: bool,
    deferral: Deferral,
}

enum Target {
    Model(Path),
    Table(TableColumns),
}

#[derive(Clone, Copy, PartialEq)]
enum Action {
    Nothing,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

const ACTIONS: [(&str, Action); 5] = [
    ("no action", Action::Nothing),
    ("restrict", Action::Restrict),
    ("cascade", Action::Cascade),
    ("set null", Action::SetNull),
    ("set default", Action::SetDefault),
];

impl ForeignKey {
    /// Reads `references` on the field at `own`.
    pub(crate) fn on_field(
        element: Element,
        own: usize,
        scope: &Scope,
        errors: &mut Errors,
    ) -> Option<Self> {
        let span = element.span();
        let (target, options) = match element.given {
            Given::Value(value) => (Target::of_value(value, errors), Vec::new()),
            Given::List(list) => {
                let (options, mut targets): (Vec<_>, Vec<_>) =
                    list.into_iter().partition(Element::is_option);
                let target = match (targets.pop(), targets.is_empty()) {
                    (Some(target), true) => Target::of_element(target, errors),
                    _ => {
                        errors.at(span, USAGE);
                        None
                    }
                };
                (target, options)
            }
            Given::Words(_) => {
                errors.at(span, USAGE);
                (None, Vec::new())
            }
        };
        let options = Arguments::check(options, &ON_FIELD, errors);
        ForeignKey::new(span, vec![own], target?, &options, scope, errors)
    }

    /// Reads `foreign_key(a, b, references = …)` on the struct.
    pub(crate) fn on_struct(element: Element, scope: &Scope, errors: &mut Errors) -> Option<Self> {
        let span = element.span();
        let usage = "`foreign_key` is written `foreign_key(a, b, references = Order)`";
        let Given::List(list) = element.given else {
            errors.at(span, usage);
            return None;
        };
        let (options, keys): (Vec<_>, Vec<_>) = list.into_iter().partition(Element::is_option);
        let fields = scope.find_all(&keys, errors);
        let options = Arguments::check(options, &ON_STRUCT, errors);
        let target = match options.get("references").map(|one| &one.given) {
            Some(Given::Value(value)) => Target::of_value(value.clone(), errors),
            _ => {
                errors.at(span, usage);
                None
            }
        };
        if keys.is_empty() {
            errors.at(span, usage);
            return None;
        }
        ForeignKey::new(span, fields, target?, &options, scope, errors)
    }

    fn new(
        span: Span,
        fields: Vec<usize>,
        target: Target,
        options: &Arguments,
        scope: &Scope,
        errors: &mut Errors,
    ) -> Option<Self> {
        if let Target::Table(table) = &target
            && table.columns.len() != fields.len()
        {
            let message = format!(
                "a foreign key has the same number of columns on both sides, but here are {} and \
                 {}",
                fields.len(),
                table.columns.len()
            );
            errors.at(table.table.span(), message);
        }
        let matching = options.text("match", errors);
        let matching = matching.and_then(|text| {
            let known = [("simple", false), ("full", true)];
            choose(&text, "way to match a key", &known, errors)
        });
        Some(ForeignKey {
            name: options.text("name", errors),
            span,
            target,
            on_update: action(options, "on_update", &fields, scope, errors),
            on_delete: action(options, "on_delete", &fields, scope, errors),
            full: matching.unwrap_or(false),
            deferral: Deferral::parse(options, errors),
            fields,
        })
    }

    pub(crate) fn tokens(&self, krate: &Path, scope: &Scope) -> TokenStream {
        let (name, columns) = (optional(self.name.as_ref()), scope.columns(&self.fields));
        let target = match &self.target {
            Target::Model(model) => quote_spanned! {model.span()=>
                #krate::model::Target::Model(
                    || <#model as #krate::model::Model>::DESCRIPTION
                )
            },
            Target::Table(of) => {
                let (schema, table, columns) =
                    (optional(of.schema.as_ref()), &of.table, &of.columns);
                quote! {
                    #krate::model::Target::Table {
                        schema: #schema,
                        table: #table,
                        columns: &[#(#columns),*],
                    }
                }
            }
        };
        let on_update = self.on_update.tokens(krate);
        let on_delete = self.on_delete.tokens(krate);
        let matching = match self.full {
            true => quote!(#krate::model::Match::Full),
            false => quote!(#krate::model::Match::Simple),
        };
        let deferral = self.deferral.tokens(krate);
        quote! {
            #krate::model::ForeignKey {
                name: #name,
                columns: &[#(#columns),*],
                target: #target,
                on_update: #on_update,
                on_delete: #on_delete,
                matching: #matching,
                deferral: #deferral,
            }
        }
    }
}

/// What happens to the key, which has to be able to hold NULL where it is set to that.
fn action(
    options: &Arguments,
    name: &str,
    fields: &[usize],
    scope: &Scope,
    errors: &mut Errors,
) -> Action {
    let Some(text) = options.text(name, errors) else {
        return Action::Nothing;
    };
    let Some(action) = choose(&text, "action of a foreign key", &ACTIONS, errors) else {
        return Action::Nothing;
    };
    let firm = fields.iter().find(|at| !scope.fields[**at].nullable);
    if let (Action::SetNull, Some(at)) = (action, firm) {
        let name = &scope.fields[*at].name;
        let message = format!("`{name}` cannot hold NULL; make it an `Option`");
        errors.at(text.span(), message);
    }
    action
}

impl Target {
    fn of_value(value: Expr, errors: &mut Errors) -> Option<Self> {
        match value {
            Expr::Path(path) if path.qself.is_none() => Some(Target::Model(path.path)),
            Expr::Lit(value) => match &value.lit {
                Lit::Str(text) => TableColumns::parse(text, errors).map(Target::Table),
                other => {
                    errors.at(other.span(), USAGE);
                    None
                }
            },
            other => {
                errors.at(other.span(), USAGE);
                None
            }
        }
    }

    fn of_element(element: Element, errors: &mut Errors) -> Option<Self> {
        match element.head {
            Head::Path(path) => Some(Target::Model(path)),
            Head::Text(text) => TableColumns::parse(&text, errors).map(Target::Table),
        }
    }
}

impl Action {
    fn tokens(self, krate: &Path) -> TokenStream {
        match self {
            Action::Nothing => quote!(#krate::model::Action::NoAction),
            Action::Restrict => quote!(#krate::model::Action::Restrict),
            Action::Cascade => quote!(#krate::model::Action::Cascade),
            Action::SetNull => quote!(#krate::model::Action::SetNull),
            Action::SetDefault => quote!(#krate::model::Action::SetDefault),
        }
    }
}

/// A constant for each foreign key to a model, through which rows are loaded.
pub(crate) fn constants(input: &Input<'_>) -> Option<TokenStream> {
    let keys = input.foreign_keys.iter();
    let constants: Vec<TokenStream> = keys.filter_map(|key| constant(key, input)).collect();
    let ident = &input.ident;
    (!constants.is_empty()).then(|| {
        quote! {
            #[automatically_derived]
            impl #ident {
                #(#constants)*
            }
        }
    })
}

fn constant(key: &ForeignKey, input: &Input<'_>) -> Option<TokenStream> {
    let Target::Model(parent) = &key.target else {
        return None;
    };
    let (krate, ident, vis) = (&input.krate, &input.ident, &input.vis);
    let fields = key.fields.iter().map(|at| &input.columns[*at]);
    let names: Vec<String> = fields.clone().map(|one| one.name()).collect();
    let name = Ident::new(&names.join("_").to_uppercase(), key.span);
    let columns = input.scope.columns(&key.fields);
    let values: Vec<TokenStream> = fields
        .map(|field| {
            let member = field.ident;
            let question = field.nullable().then(|| quote!(?));
            quote!(::core::clone::Clone::clone(&child.#member)#question)
        })
        .collect();
    let value = match &values[..] {
        [one] => quote!(#one),
        _ => quote!((#(#values),*)),
    };
    let doc = format!(
        "The reference of `{}` to [`{}`].",
        names.join("`, `"),
        quote!(#parent).to_string().replace(' ', "")
    );
    Some(quote_spanned! {parent.span()=>
        #[doc = #doc]
        #[allow(dead_code, clippy::needless_question_mark)]
        #vis const #name: #krate::model::Reference<#ident, #parent> =
            #krate::model::Reference::new(
                &[#(#columns),*],
                |child| ::core::option::Option::Some(#value),
            );
    })
}

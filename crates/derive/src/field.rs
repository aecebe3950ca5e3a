use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::Parse;
use syn::{Data, DeriveInput, Fields, GenericArgument, Index, LitStr, Member, Path};
use syn::{PathArguments, Type};

use crate::attribute::{Arguments, AttributeSite, CRATE, Errors, Known, Names, RENAME, RENAME_ALL};
use crate::rename::Case;

static STRUCT: AttributeSite = AttributeSite {
    attribute: "row",
    on: "the struct",
    known: &[CRATE, RENAME_ALL],
    elsewhere: &FIELD,
};
static FIELD: AttributeSite = AttributeSite {
    attribute: "row",
    on: "a field",
    known: &[
        RENAME,
        Known {
            name: "default",
            example: None,
        },
        Known {
            name: "skip",
            example: None,
        },
        Known {
            name: "json",
            example: None,
        },
        Known {
            name: "flatten",
            example: None,
        },
        Known {
            name: "try_from",
            example: Some("try_from = \"i32\""),
        },
    ],
    elsewhere: &STRUCT,
};

/// A struct that is read from a row.
pub(crate) struct Struct<'a> {
    pub(crate) krate: Path,
    pub(crate) fields: Vec<Field<'a>>,
    /// Of a tuple struct, how many columns it takes by position.
    pub(crate) positions: Option<usize>,
}

/// One of its fields.
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) source: Source,
}

/// Where a field comes from.
pub(crate) enum Source {
    /// From nowhere: it is the default.
    Skipped,
    /// From the same row, as a struct of its own.
    Nested,
    /// From the column of this name.
    Named {
        name: LitStr,
        optional: bool,
        read: Read,
    },
    /// From the column at this index.
    At { index: usize, read: Read },
}

/// How a column becomes a field.
pub(crate) enum Read {
    Plain,
    Json,
    TryFrom(Box<Type>),
}

impl<'a> Struct<'a> {
    pub(crate) fn parse(input: &'a DeriveInput) -> syn::Result<Self> {
        let fields = fields(input)?;
        let mut errors = Errors::default();
        let arguments = Arguments::parse(&input.attrs, &STRUCT, &mut errors);
        let krate = arguments.krate(&mut errors);
        let case = arguments
            .text("rename_all")
            .and_then(|text| errors.take(Case::parse(text)));
        let tuple = matches!(fields, Fields::Unnamed(_));
        if let (true, Some(span)) = (tuple, arguments.span("rename_all")) {
            errors.at(
                span,
                "`rename_all` has nothing to rename: a tuple struct is read by position",
            );
        }

        let mut names = Names::default();
        let mut positions = 0;
        let mut read = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let arguments = Arguments::parse(&field.attrs, &FIELD, &mut errors);
            check(&arguments, tuple, &mut errors);
            if !arguments.has("skip") && borrows(field.ty.to_token_stream()) {
                let message = "a field cannot borrow from the row, which is dropped after it is \
                               read; use an owned type such as `String`";
                errors.push(syn::Error::new_spanned(&field.ty, message));
            }
            let how = how(&arguments, &mut errors);
            let source = if arguments.has("skip") {
                Source::Skipped
            } else if arguments.has("flatten") {
                Source::Nested
            } else if let Some(ident) = &field.ident {
                let own = ident.unraw().to_string();
                let name = arguments.text("rename").cloned().unwrap_or_else(|| {
                    let name = case.map_or_else(|| own.clone(), |case| case.apply(&own));
                    LitStr::new(&name, ident.span())
                });
                names.take("column", &name, own, &mut errors);
                Source::Named {
                    name,
                    optional: arguments.has("default"),
                    read: how,
                }
            } else {
                positions += 1;
                Source::At {
                    index: positions - 1,
                    read: how,
                }
            };
            let member = match &field.ident {
                Some(ident) => Member::Named(ident.clone()),
                None => Member::Unnamed(Index::from(index)),
            };
            read.push(Field {
                member,
                ty: &field.ty,
                source,
            });
        }
        errors.finish()?;
        Ok(Struct {
            krate,
            fields: read,
            positions: tuple.then_some(positions),
        })
    }
}

fn fields(input: &DeriveInput) -> syn::Result<&Fields> {
    let name = &input.ident;
    let why = match &input.data {
        Data::Struct(data) if !data.fields.is_empty() => return Ok(&data.fields),
        Data::Struct(_) => format!("`{name}` has no fields to read a row into"),
        Data::Enum(_) => format!(
            "`{name}` is an enum, but a row is read as a struct; for an enum as the value of a \
             column, derive `FromValue`"
        ),
        Data::Union(_) => format!("`{name}` is a union, but a row is read as a struct"),
    };
    Err(syn::Error::new(name.span(), why))
}

/// Reports the arguments that make no sense together.
fn check(arguments: &Arguments, tuple: bool, errors: &mut Errors) {
    let others = ["rename", "default", "json", "flatten", "try_from"];
    arguments.exclude("skip", &others, "a skipped field has no column", errors);
    if !arguments.has("skip") {
        let others = ["rename", "default", "json", "try_from"];
        let why = "a flattened field has no column of its own";
        arguments.exclude("flatten", &others, why, errors);
    }
    if !arguments.has("skip") && !arguments.has("flatten") {
        arguments.exclude(
            "json",
            &["try_from"],
            "a column can be read in only one way",
            errors,
        );
    }
    for name in ["rename", "default"] {
        if let (true, Some(span)) = (tuple, arguments.span(name)) {
            errors.at(
                span,
                format!("`{name}` has no meaning here: a tuple struct is read by position"),
            );
        }
    }
    if let Some(name) = arguments
        .text("rename")
        .filter(|name| name.value().is_empty())
    {
        errors.at(name.span(), "a column's name cannot be empty");
    }
}

fn how(arguments: &Arguments, errors: &mut Errors) -> Read {
    let raw = arguments.read("try_from", "a type", Type::parse, errors);
    match raw {
        Some(raw) => Read::TryFrom(Box::new(raw)),
        None if arguments.has("json") => Read::Json,
        None => Read::Plain,
    }
}

/// Whether a type has a reference or a lifetime other than `'static` in it.
fn borrows(ty: TokenStream) -> bool {
    let mut apostrophe = false;
    ty.into_iter().any(|token| match token {
        TokenTree::Group(group) => borrows(group.stream()),
        TokenTree::Punct(punct) => {
            apostrophe = punct.as_char() == '\'';
            punct.as_char() == '&'
        }
        TokenTree::Ident(ident) => std::mem::take(&mut apostrophe) && ident != "static",
        TokenTree::Literal(_) => false,
    })
}

/// The `T` of a type that is written as an `Option<T>`.
pub(crate) fn inside_option(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Group(group) => return inside_option(&group.elem),
        Type::Paren(paren) => return inside_option(&paren.elem),
        Type::Path(path) if path.qself.is_none() => &path.path,
        _ => return None,
    };
    let last = path
        .segments
        .last()
        .filter(|segment| segment.ident == "Option")?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => {
            match arguments.args.first()? {
                GenericArgument::Type(inner) => Some(inner),
                _ => None,
            }
        }
        _ => None,
    }
}

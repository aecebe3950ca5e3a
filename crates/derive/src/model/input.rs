use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::{DeriveInput, LitStr, Path, Visibility};

use super::check::Check;
use super::column::{self, Column};
use super::foreign_key::ForeignKey;
use super::index::Index;
use super::partition::Partition;
use super::primary_key::PrimaryKey;
use super::scope::{Scope, ScopeField};
use super::unique::Unique;
use crate::attribute::{Errors, Names};
use crate::element::{Argument, Arguments, Element, Given, Site, elements, often, once};
use crate::field::{Source, Struct};
use crate::rename::Case;

pub(crate) const ARGUMENTS: &[Argument] = &[
    once("crate", "crate = \"underpin\""),
    once("table", "table = \"users\""),
    once("schema", "schema = \"shop\""),
    once("primary_key", "primary_key(a, b)"),
    often("unique", "unique(a, b)"),
    often("check", "check = \"a < b\""),
    often("index", "index(a, b)"),
    often("foreign_key", "foreign_key(a, b, references = Order)"),
    once("partition_by", "partition_by(range(created_at))"),
    once("comment", "comment = \"…\""),
    once("renamed_from", "renamed_from = \"people\""),
    once("sqlite", "sqlite(strict)"),
];
static STRUCT: Site = Site {
    of: "`#[model(…)]` on the struct",
    known: ARGUMENTS,
    elsewhere: &[(column::ARGUMENTS, "on a field, not on the struct")],
};
static SQLITE: Site = Site {
    of: "`sqlite(…)` on the struct",
    known: &[
        once("strict", "strict"),
        once("without_rowid", "without_rowid"),
        once("autoincrement", "autoincrement"),
        once("checked_types", "checked_types"),
    ],
    elsewhere: &[],
};

/// A struct that stands for a table.
pub(crate) struct Input<'a> {
    pub(crate) krate: Path,
    pub(crate) ident: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) table: LitStr,
    pub(crate) schema: Option<LitStr>,
    pub(crate) columns: Vec<Column<'a>>,
    pub(crate) scope: Scope,
    pub(crate) primary_key: Option<PrimaryKey>,
    pub(crate) uniques: Vec<Unique>,
    pub(crate) checks: Vec<Check>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) partition_by: Option<Partition>,
    pub(crate) comment: Option<LitStr>,
    pub(crate) renamed_from: Option<LitStr>,
    pub(crate) sqlite: Sqlite,
}

/// Options that only SQLite has.
#[derive(Default)]
pub(crate) struct Sqlite {
    pub(crate) strict: bool,
    pub(crate) without_rowid: bool,
    pub(crate) autoincrement: bool,
    pub(crate) checked_types: bool,
}

impl<'a> Input<'a> {
    pub(crate) fn parse(input: &'a DeriveInput) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let mut columns = columns(input, &mut errors)?;
        if let Some(parameter) = input.generics.params.first() {
            let message = "a model describes one table, so it cannot have generic parameters";
            errors.push(syn::Error::new_spanned(parameter, message));
        }
        let mut on_struct = OnStruct::take(elements(&input.attrs, &mut errors));
        let rest = std::mem::take(&mut on_struct.rest);
        let arguments = Arguments::check(rest, &STRUCT, &mut errors);
        let scope = Scope {
            fields: columns.iter().map(scope_field).collect(),
        };
        let keys = columns.iter().enumerate();
        let keys = keys.filter(|(_, column)| column.primary_key.is_some());
        let keys = keys.map(|(at, _)| at).collect();
        let primary_key = PrimaryKey::parse(on_struct.primary_key, keys, &scope, &mut errors);
        check_counters(&columns, primary_key.as_ref(), &mut errors);
        let partition_by = on_struct.partition_by;
        let partition_by = partition_by.and_then(|one| Partition::parse(one, &scope, &mut errors));
        if let Some(partition) = &partition_by {
            partition.check(primary_key.as_ref(), &scope, &mut errors);
        }
        let lists = Lists::parse(on_struct.lists, &mut columns, &scope, &mut errors);
        lists.check_names(&mut errors);
        let name = Case::Snake.apply(&input.ident.unraw().to_string());
        let table = arguments.text("table", &mut errors);
        let model = Input {
            krate: krate(&arguments, &mut errors),
            ident: &input.ident,
            vis: &input.vis,
            table: table.unwrap_or_else(|| LitStr::new(&name, input.ident.span())),
            schema: arguments.text("schema", &mut errors),
            columns,
            scope,
            primary_key,
            uniques: lists.uniques,
            checks: lists.checks,
            indexes: lists.indexes,
            foreign_keys: lists.foreign_keys,
            partition_by,
            comment: arguments.text("comment", &mut errors),
            renamed_from: arguments.text("renamed_from", &mut errors),
            sqlite: Sqlite::parse(&arguments, &mut errors),
        };
        errors.finish()?;
        Ok(model)
    }
}

fn krate(arguments: &Arguments, errors: &mut Errors) -> Path {
    let text = arguments.text("crate", errors);
    let path = text.and_then(|text| {
        let message = format!("{:?} is not a path", text.value());
        let path = text.parse_with(Path::parse_mod_style);
        errors.take(path.map_err(|_| syn::Error::new(text.span(), message)))
    });
    path.unwrap_or_else(|| syn::parse_quote!(::underpin))
}

/// The fields that have a column.
fn columns<'a>(input: &'a DeriveInput, errors: &mut Errors) -> syn::Result<Vec<Column<'a>>> {
    let row = Struct::parse(input)?;
    let syn::Data::Struct(data) = &input.data else {
        return Ok(Vec::new());
    };
    let mut columns = Vec::new();
    for (field, read) in data.fields.iter().zip(row.fields) {
        let Some(ident) = &field.ident else {
            let message = "a model names its columns: use a struct with named fields";
            return Err(syn::Error::new(input.ident.span(), message));
        };
        match read.source {
            Source::Skipped => {
                for element in elements(&field.attrs, errors) {
                    errors.at(element.span(), "a skipped field has no column");
                }
            }
            Source::Nested => errors.at(
                ident.span(),
                "a flattened field has no column of its own: name the columns in the model, and \
                 read joins as a struct with `#[derive(FromRow)]`",
            ),
            Source::Named { name, read, .. } => {
                columns.push(Column::parse(field, ident, name, read, errors));
            }
            Source::At { .. } => {}
        }
    }
    Ok(columns)
}

fn scope_field(column: &Column<'_>) -> ScopeField {
    ScopeField {
        name: column.name(),
        column: column.column.clone(),
        nullable: column.nullable(),
    }
}

/// SQLite counts the primary key alone.
fn check_counters(columns: &[Column<'_>], key: Option<&PrimaryKey>, errors: &mut Errors) {
    let counted = columns.iter().filter(|column| column.counter.is_some());
    if let Some(second) = counted.clone().nth(1) {
        errors.at(
            second.ident.span(),
            "a second column of the table has generated numbers; SQLite generates them for one \
             column, the primary key",
        );
    }
    if let (Some(first), None) = (counted.clone().next(), key) {
        errors.at(
            first.ident.span(),
            "a column with generated numbers must be the primary key: add `primary_key`",
        );
    }
}

impl Sqlite {
    fn parse(arguments: &Arguments, errors: &mut Errors) -> Self {
        let Some(element) = arguments.get("sqlite") else {
            return Sqlite::default();
        };
        let Given::List(list) = &element.given else {
            errors.at(element.span(), "`sqlite` is written `sqlite(strict)`");
            return Sqlite::default();
        };
        let own = Arguments::check(list.clone(), &SQLITE, errors);
        Sqlite {
            strict: own.flag("strict", errors),
            without_rowid: own.flag("without_rowid", errors),
            autoincrement: own.flag("autoincrement", errors),
            checked_types: own.flag("checked_types", errors),
        }
    }
}

/// The arguments on the struct that name fields, and the rest.
#[derive(Default)]
struct OnStruct {
    primary_key: Option<Element>,
    partition_by: Option<Element>,
    lists: Vec<Element>,
    rest: Vec<Element>,
}

impl OnStruct {
    fn take(all: Vec<Element>) -> Self {
        let mut taken = OnStruct::default();
        for element in all {
            match element.name().map(ToString::to_string).as_deref() {
                Some("primary_key") if taken.primary_key.is_none() => {
                    taken.primary_key = Some(element);
                }
                Some("partition_by") if taken.partition_by.is_none() => {
                    taken.partition_by = Some(element);
                }
                Some("unique" | "check" | "index" | "foreign_key") => taken.lists.push(element),
                _ => taken.rest.push(element),
            }
        }
        taken
    }
}

/// The constraints and indexes, of the struct and of its fields.
#[derive(Default)]
struct Lists {
    uniques: Vec<Unique>,
    checks: Vec<Check>,
    indexes: Vec<Index>,
    foreign_keys: Vec<ForeignKey>,
}

impl Lists {
    /// Those of the fields come first, in the order of the fields.
    fn parse(
        on_struct: Vec<Element>,
        columns: &mut [Column<'_>],
        scope: &Scope,
        errors: &mut Errors,
    ) -> Self {
        let mut lists = Lists::default();
        for (at, column) in columns.iter_mut().enumerate() {
            for element in std::mem::take(&mut column.uniques) {
                let read = Unique::parse(element, Some(at), scope, errors);
                lists.uniques.extend(read);
            }
            for element in std::mem::take(&mut column.checks) {
                lists.checks.extend(Check::parse(element, Some(at), errors));
            }
            for element in std::mem::take(&mut column.indexes) {
                let read = Index::parse(element, Some(at), scope, errors);
                lists.indexes.extend(read);
            }
            if let Some(element) = column.references.take() {
                let read = ForeignKey::on_field(element, at, scope, errors);
                lists.foreign_keys.extend(read);
            }
        }
        for element in on_struct {
            match element.name().map(ToString::to_string).as_deref() {
                Some("unique") => {
                    let read = Unique::parse(element, None, scope, errors);
                    lists.uniques.extend(read);
                }
                Some("check") => lists.checks.extend(Check::parse(element, None, errors)),
                Some("index") => {
                    let read = Index::parse(element, None, scope, errors);
                    lists.indexes.extend(read);
                }
                _ => {
                    let read = ForeignKey::on_struct(element, scope, errors);
                    lists.foreign_keys.extend(read);
                }
            }
        }
        lists
    }

    /// No two of one name.
    fn check_names(&self, errors: &mut Errors) {
        let uniques = self
            .uniques
            .iter()
            .map(|one| (&one.name, one.span, "unique"));
        let checks = self.checks.iter().map(|one| (&one.name, one.span, "check"));
        let indexes = self
            .indexes
            .iter()
            .map(|one| (&one.name, one.span, "index"));
        let keys = self.foreign_keys.iter();
        let keys = keys.map(|one| (&one.name, one.span, "foreign key"));
        let all = uniques.chain(checks).chain(indexes).chain(keys);
        let all: Vec<(&Option<LitStr>, Span, &str)> = all.collect();
        let mut names = Names::default();
        for (name, _, of) in all {
            if let Some(name) = name {
                names.take("name", name, of.to_owned(), errors);
            }
        }
    }
}

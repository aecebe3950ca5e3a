//! What is compared as a whole: everything but tables.

use std::collections::BTreeMap;

use super::normal::{same_expression, same_expressions, same_type};
use super::part::{self, comment};
use super::{Hints, Sides, sides};
use crate::{
    Change, CommentOn, Domain, Expression, Extension, FunctionKind, ObjectName, Schema,
    SequenceOptions, View, ViewColumn,
};

/// The namespace that every PostgreSQL database has, and the comment that it has there.
const PUBLIC: &str = "public";
const COMMENT_ON_PUBLIC: &str = "standard public schema";

pub(super) fn namespaces(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.namespaces, &to.namespaces) {
        let name = name.clone();
        match of {
            Sides::From(_) if name == PUBLIC => {}
            Sides::From(from) => out.push(Change::DropNamespace {
                name,
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateNamespace {
                name,
                to: to.clone(),
            }),
            Sides::Both(from, to) => {
                let usual = |of: &Option<String>| {
                    let usual = name == PUBLIC && of.as_deref() == Some(COMMENT_ON_PUBLIC);
                    of.clone().filter(|_| !usual)
                };
                let (from, to) = (usual(&from.comment), usual(&to.comment));
                comment(CommentOn::Namespace(name), &from, &to, out);
            }
        }
    }
}

pub(super) fn extensions(from: &Schema, to: &Schema, hints: &Hints, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.extensions, &to.extensions) {
        let name = name.clone();
        match of {
            Sides::From(from) => out.push(Change::DropExtension {
                name,
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateExtension {
                name,
                to: to.clone(),
            }),
            Sides::Both(from, to) => {
                let on = CommentOn::Extension(name.clone());
                comment(on, &from.comment, &to.comment, out);
                // No extension goes back to an older version.
                let said = hints.versions.as_ref();
                let said = said.is_none_or(|said| said.contains(&name));
                let version = match !said || older(&to.version, &from.version) {
                    true => &from.version,
                    false => &to.version,
                };
                if (&from.version, &from.namespace) != (version, &to.namespace) {
                    let version = version.clone();
                    let (from, to) = (
                        from.clone(),
                        Extension {
                            version,
                            ..to.clone()
                        },
                    );
                    out.push(Change::AlterExtension { name, from, to });
                }
            }
        }
    }
}

/// Whether one version is before another, number by number, as far as they are numbers.
fn older(one: &str, other: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    match (numbers(one), numbers(other)) {
        (Some(one), Some(other)) => one < other,
        _ => false,
    }
}

pub(super) fn enums(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.enums, &to.enums) {
        let name = name.clone();
        match of {
            Sides::From(from) => out.push(Change::DropEnum {
                name,
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateEnum {
                name,
                to: to.clone(),
            }),
            Sides::Both(from, to) => {
                let on = CommentOn::Enum(name.clone());
                comment(on, &from.comment, &to.comment, out);
                if from.labels != to.labels {
                    let (from, to) = (from.clone(), to.clone());
                    out.push(Change::AlterEnum { name, from, to });
                }
            }
        }
    }
}

pub(super) fn domains(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.domains, &to.domains) {
        match of {
            Sides::From(from) => out.push(Change::DropDomain {
                name: name.clone(),
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateDomain {
                name: name.clone(),
                to: to.clone(),
            }),
            Sides::Both(from, to) => domain(name, from, to, out),
        }
    }
}

fn domain(name: &ObjectName, from: &Domain, to: &Domain, out: &mut Vec<Change>) {
    let on = CommentOn::Domain(name.clone());
    comment(on, &from.comment, &to.comment, out);
    if !same_type(&from.base, &to.base) || from.collation != to.collation {
        out.push(Change::SetDomainType {
            name: name.clone(),
            from: from.clone(),
            to: to.clone(),
        });
    }
    if !same_expressions(&from.default, &to.default) {
        out.push(Change::SetDomainDefault {
            name: name.clone(),
            from: from.default.clone(),
            to: to.default.clone(),
        });
    }
    if from.not_null != to.not_null {
        out.push(Change::SetDomainNotNull {
            name: name.clone(),
            from: from.not_null,
            to: to.not_null,
        });
    }
    part::domain_checks(name, &from.checks, &to.checks, out);
}

pub(super) fn defined(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.defined, &to.defined) {
        let name = name.clone();
        match of {
            Sides::From(from) => out.push(Change::DropDefined {
                name,
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateDefined {
                name,
                to: to.clone(),
            }),
            Sides::Both(from, to) => {
                let on = CommentOn::Defined(name.clone());
                comment(on, &from.comment, &to.comment, out);
                if from.definition != to.definition {
                    let (from, to) = (from.clone(), to.clone());
                    out.push(Change::AlterDefined { name, from, to });
                }
            }
        }
    }
}

pub(super) fn sequences(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.sequences, &to.sequences) {
        let name = name.clone();
        match of {
            Sides::From(from) => out.push(Change::DropSequence {
                name,
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateSequence {
                name,
                to: to.clone(),
            }),
            Sides::Both(from, to) => {
                let on = CommentOn::Sequence(name.clone());
                comment(on, &from.comment, &to.comment, out);
                if !same_options(&from.options, &to.options) {
                    out.push(Change::SetSequenceOptions {
                        name: name.clone(),
                        from: from.options.clone(),
                        to: to.options.clone(),
                    });
                }
                if from.persistence != to.persistence {
                    out.push(Change::SetSequencePersistence {
                        name: name.clone(),
                        from: from.persistence,
                        to: to.persistence,
                    });
                }
                if from.owned_by != to.owned_by {
                    let (from, to) = (from.owned_by.clone(), to.owned_by.clone());
                    out.push(Change::SetSequenceOwner { name, from, to });
                }
            }
        }
    }
}

pub(super) fn same_options(from: &SequenceOptions, to: &SequenceOptions) -> bool {
    let with_type = |of: &SequenceOptions| SequenceOptions {
        data_type: super::normal::normal_type(&of.data_type),
        ..of.clone()
    };
    from == to || with_type(from) == with_type(to)
}

pub(super) fn functions(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.functions, &to.functions) {
        let name = name.clone();
        match of {
            Sides::From(from) => out.push(Change::DropFunction {
                name,
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateFunction {
                name,
                to: to.clone(),
            }),
            Sides::Both(from, to) => {
                let on = match to.kind {
                    FunctionKind::Function => CommentOn::Function(name.clone()),
                    FunctionKind::Procedure => CommentOn::Procedure(name.clone()),
                };
                comment(on, &from.comment, &to.comment, out);
                let head =
                    |of: &crate::Function| (of.kind, of.arguments.clone(), of.returns.clone());
                let same = same_text(&from.definition, &to.definition);
                if !same || head(from) != head(to) {
                    let (from, to) = (from.clone(), to.clone());
                    out.push(Change::AlterFunction { name, from, to });
                }
            }
        }
    }
}

/// Whether two definitions are the same but for space around them and the way in which lines end.
fn same_text(from: &Expression, to: &Expression) -> bool {
    let bare = |text: &Expression| {
        let text = text.as_str().replace("\r\n", "\n");
        text.trim().trim_end_matches(';').trim().to_owned()
    };
    from == to || bare(from) == bare(to)
}

pub(super) fn views(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.views, &to.views) {
        match of {
            Sides::From(from) => out.push(Change::DropView {
                name: name.clone(),
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateView {
                name: name.clone(),
                to: to.clone(),
            }),
            Sides::Both(from, to) => view(name, from, to, out),
        }
    }
}

fn view(name: &ObjectName, from: &View, to: &View, out: &mut Vec<Change>) {
    let on = CommentOn::View(name.clone());
    comment(on, &from.comment, &to.comment, out);
    let same = same_text(&from.definition, &to.definition)
        && same_columns(&from.columns, &to.columns)
        && from.options == to.options;
    if !same {
        out.push(Change::AlterView {
            name: name.clone(),
            from: from.clone(),
            to: to.clone(),
        });
    }
    view_columns(name, &from.columns, &to.columns, out);
    part::triggers(name, &from.triggers, &to.triggers, out);
}

fn same_columns(from: &[ViewColumn], to: &[ViewColumn]) -> bool {
    let mut pairs = from.iter().zip(to);
    from.len() == to.len()
        && pairs.all(|(from, to)| from.name == to.name && same_type(&from.data_type, &to.data_type))
}

/// The defaults, options and comments of the columns, those of new ones too.
fn view_columns(view: &ObjectName, from: &[ViewColumn], to: &[ViewColumn], out: &mut Vec<Change>) {
    let before: BTreeMap<&String, &ViewColumn> = from.iter().map(|one| (&one.name, one)).collect();
    for column in to {
        let was = before.get(&column.name);
        let default = was.and_then(|was| was.default.clone());
        let same = match (&default, &column.default) {
            (Some(from), Some(to)) => same_expression(from, to),
            (from, to) => from == to,
        };
        if !same {
            out.push(Change::SetViewDefault {
                view: view.clone(),
                column: column.name.clone(),
                from: default,
                to: column.default.clone(),
            });
        }
        let options = was.map(|was| was.options.clone()).unwrap_or_default();
        if options != column.options {
            out.push(Change::SetColumnOptions {
                table: view.clone(),
                column: column.name.clone(),
                from: options,
                to: column.options.clone(),
            });
        }
        let on = CommentOn::Column(view.clone(), column.name.clone());
        let was = was.and_then(|was| was.comment.clone());
        comment(on, &was, &column.comment, out);
    }
}

pub(super) fn materialized_views(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.materialized_views, &to.materialized_views) {
        let name = name.clone();
        match of {
            Sides::From(from) => out.push(Change::DropMaterializedView {
                name,
                from: from.clone(),
            }),
            Sides::To(to) => out.push(Change::CreateMaterializedView {
                name,
                to: to.clone(),
            }),
            Sides::Both(from, to) => {
                let on = CommentOn::MaterializedView(name.clone());
                comment(on, &from.comment, &to.comment, out);
                let same = same_text(&from.definition, &to.definition)
                    && same_columns(&from.columns, &to.columns)
                    && from.options == to.options;
                if !same {
                    out.push(Change::AlterMaterializedView {
                        name: name.clone(),
                        from: from.clone(),
                        to: to.clone(),
                    });
                }
                view_columns(&name, &from.columns, &to.columns, out);
                part::indexes(&name, &from.indexes, &to.indexes, out);
            }
        }
    }
}

//! Owners and privileges.

use std::collections::{BTreeMap, BTreeSet};

use underpin_core::{Result, quote};

use super::defined::keyword;
use crate::{Access, AccessOn, DefinedKind, Future, Grant, Grantee, ObjectRef};

/// A statement about an owner or about privileges, and the one that takes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What it does, in words.
    pub words: String,
    /// The statements, of which those beside the middle one change the role for it.
    pub sql: Vec<String>,
    /// The statements that take it back.
    pub undo: Vec<String>,
}

/// What leads from one owner and privileges to another: what is taken away first, then the owner,
/// then what is granted.
///
/// # Errors
/// For a name that cannot be one.
pub fn acts(on: &AccessOn, from: &Access, to: &Access) -> Result<Vec<Act>> {
    let differ = |one: &BTreeSet<Grant>, other: &BTreeSet<Grant>| -> BTreeSet<Grant> {
        one.difference(other).cloned().collect()
    };
    let (mut take, mut give) = (
        differ(&from.granted, &to.granted),
        differ(&to.granted, &from.granted),
    );
    take.extend(differ(&to.revoked, &from.revoked));
    give.extend(differ(&from.revoked, &to.revoked));
    let mut acts = Vec::new();
    // What others granted is taken away before what they had it from, and all of it before a new
    // owner comes, whose privileges become those of the owner.
    for (who, privileges) in grouped(take).into_iter().rev() {
        acts.push(act(on, from.owner.as_deref(), (&who, &privileges), false)?);
    }
    if from.owner != to.owner
        && let Some(object) = on.object()
    {
        let set = |owner: &Option<String>| own(object, owner.as_deref());
        let words = match &to.owner {
            Some(owner) => format!("Let {} own {on}", crate::plain(owner)),
            None => format!("Own {on}"),
        };
        acts.push(Act {
            words,
            sql: vec![set(&to.owner)?],
            undo: vec![set(&from.owner)?],
        });
    }
    for (who, privileges) in grouped(give) {
        acts.push(act(on, to.owner.as_deref(), (&who, &privileges), true)?);
    }
    Ok(acts)
}

/// The statements alone, for something that is new.
///
/// # Errors
/// For a name that cannot be one.
pub fn statements(on: &AccessOn, from: &Access, to: &Access) -> Result<Vec<String>> {
    Ok(acts(on, from, to)?
        .into_iter()
        .flat_map(|act| act.sql)
        .collect())
}

/// By grantor and grantee, and whether they may be granted on: the privileges.
type Groups = BTreeMap<(Option<String>, Grantee, bool), Vec<String>>;

fn grouped(grants: BTreeSet<Grant>) -> Groups {
    let mut groups = Groups::new();
    for grant in grants {
        let key = (grant.grantor, grant.grantee, grant.grantable);
        groups.entry(key).or_default().push(grant.privilege);
    }
    groups
}

fn act(
    on: &AccessOn,
    owner: Option<&str>,
    (who, privileges): (&(Option<String>, Grantee, bool), &[String]),
    gives: bool,
) -> Result<Act> {
    let (grantor, grantee, grantable) = who;
    let what = privileges.join(", ");
    let words = match gives {
        true => format!("Grant {what} on {on} to {grantee}"),
        false => format!("Revoke {what} on {on} from {grantee}"),
    };
    let one = |gives: bool| {
        let sql = privilege(on, owner, (grantee, *grantable, privileges), gives)?;
        Ok::<_, underpin_core::Error>(match grantor {
            None => vec![sql],
            Some(role) => vec![
                format!("SET ROLE {}", quote::identifier(role)?),
                sql,
                "RESET ROLE".to_owned(),
            ],
        })
    };
    Ok(Act {
        words,
        sql: one(gives)?,
        undo: one(!gives)?,
    })
}

fn privilege(
    on: &AccessOn,
    owner: Option<&str>,
    (grantee, grantable, privileges): (&Grantee, bool, &[String]),
    gives: bool,
) -> Result<String> {
    let role = match grantee {
        Grantee::Public => "PUBLIC".to_owned(),
        Grantee::Owner => role(owner)?,
        Grantee::Role(name) => quote::identifier(name)?,
    };
    let (column, target) = match on {
        AccessOn::Object(object) => (None, target(object)?),
        AccessOn::Column(object, name) => (Some(quote::identifier(name)?), target(object)?),
        AccessOn::Future(future) => (None, future.objects.clone()),
    };
    let privileges: Vec<String> = match column {
        Some(column) => privileges
            .iter()
            .map(|one| format!("{one} ({column})"))
            .collect(),
        None => privileges.to_vec(),
    };
    let before = match on {
        AccessOn::Future(future) => default_privileges(future)?,
        _ => String::new(),
    };
    let privileges = privileges.join(", ");
    Ok(match gives {
        true => {
            let option = if grantable { " WITH GRANT OPTION" } else { "" };
            format!("{before}GRANT {privileges} ON {target} TO {role}{option}")
        }
        false => format!("{before}REVOKE {privileges} ON {target} FROM {role}"),
    })
}

fn default_privileges(future: &Future) -> Result<String> {
    let mut sql = "ALTER DEFAULT PRIVILEGES ".to_owned();
    if let Some(role) = &future.role {
        sql += &format!("FOR ROLE {} ", quote::identifier(role)?);
    }
    if let Some(namespace) = &future.namespace {
        sql += &format!("IN SCHEMA {} ", quote::identifier(namespace)?);
    }
    Ok(sql)
}

fn role(name: Option<&str>) -> Result<String> {
    match name {
        Some(name) => quote::identifier(name),
        None => Ok("CURRENT_USER".to_owned()),
    }
}

/// `ALTER … OWNER TO`.
fn own(object: &ObjectRef, owner: Option<&str>) -> Result<String> {
    // In a new database, this schema belongs to the owner of the database.
    let owner = match (object, owner) {
        (ObjectRef::Namespace(name), None) if name == "public" => {
            quote::identifier("pg_database_owner")?
        }
        (_, owner) => role(owner)?,
    };
    let (kind, name) = named(object)?;
    Ok(format!("ALTER {kind} {name} OWNER TO {owner}"))
}

/// The object as `GRANT … ON` has it.
fn target(object: &ObjectRef) -> Result<String> {
    let (kind, name) = named(object)?;
    let kind = match object {
        ObjectRef::View(_) | ObjectRef::MaterializedView(_) => "TABLE",
        ObjectRef::Enum(_) | ObjectRef::Domain(_) => "TYPE",
        ObjectRef::Defined(of) if of.kind == DefinedKind::Aggregate => "FUNCTION",
        _ => kind,
    };
    let name = match object {
        // Without the word that says in which order its arguments come.
        ObjectRef::Defined(of) if of.kind == DefinedKind::Aggregate => {
            name.replace("(*)", "()").replace(" ORDER BY ", ", ")
        }
        _ => name,
    };
    Ok(format!("{kind} {name}"))
}

fn named(object: &ObjectRef) -> Result<(&'static str, String)> {
    Ok(match object {
        ObjectRef::Namespace(name) => ("SCHEMA", quote::identifier(name)?),
        ObjectRef::Extension(name) => ("EXTENSION", quote::identifier(name)?),
        ObjectRef::Enum(name) => ("TYPE", name.quoted()?),
        ObjectRef::Domain(name) => ("DOMAIN", name.quoted()?),
        ObjectRef::Defined(name) => (keyword(name.kind), name.identity.clone()),
        ObjectRef::Sequence(name) => ("SEQUENCE", name.quoted()?),
        ObjectRef::Function(name) => ("ROUTINE", name.quoted()?),
        ObjectRef::Table(name) => ("TABLE", name.quoted()?),
        ObjectRef::View(name) => ("VIEW", name.quoted()?),
        ObjectRef::MaterializedView(name) => ("MATERIALIZED VIEW", name.quoted()?),
    })
}

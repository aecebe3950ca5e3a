use serde_json::Value;
use underpin::schema::{
    Domain, EnumType, Function, FunctionName, MaterializedView, ObjectName, Schema, Sequence,
    Table, View, name_matches,
};

/// Something of a schema that has a name of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found<'s> {
    Table(&'s ObjectName, &'s Table),
    View(&'s ObjectName, &'s View),
    MaterializedView(&'s ObjectName, &'s MaterializedView),
    Enum(&'s ObjectName, &'s EnumType),
    Domain(&'s ObjectName, &'s Domain),
    Sequence(&'s ObjectName, &'s Sequence),
    Function(&'s FunctionName, &'s Function),
}

/// Everything, in the order in which it is listed.
pub(super) fn all(schema: &Schema) -> impl Iterator<Item = Found<'_>> {
    let tables = schema
        .tables
        .iter()
        .map(|(name, of)| Found::Table(name, of));
    let views = schema.views.iter().map(|(name, of)| Found::View(name, of));
    let filled = schema.materialized_views.iter();
    let filled = filled.map(|(name, of)| Found::MaterializedView(name, of));
    let enums = schema.enums.iter().map(|(name, of)| Found::Enum(name, of));
    let domains = schema.domains.iter();
    let domains = domains.map(|(name, of)| Found::Domain(name, of));
    let sequences = schema.sequences.iter();
    let sequences = sequences.map(|(name, of)| Found::Sequence(name, of));
    let functions = schema.functions.iter();
    let functions = functions.map(|(name, of)| Found::Function(name, of));
    let relations = tables.chain(views).chain(filled);
    let types = enums.chain(domains);
    relations.chain(types).chain(sequences).chain(functions)
}

/// What a name or pattern means: `users`, `shop.users`, `user*`. Capitals count where that
/// finds something.
pub(super) fn named<'s>(schema: &'s Schema, wanted: &str) -> Vec<Found<'s>> {
    let exact: Vec<Found<'_>> = all(schema).filter(|one| one.is_called(wanted)).collect();
    if !exact.is_empty() {
        return exact;
    }
    let folded = wanted.to_lowercase();
    all(schema)
        .filter(|one| {
            let (namespace, name) = one.path();
            let (namespace, name) = (namespace.to_lowercase(), name.to_lowercase());
            called(&folded, &namespace, &name)
        })
        .collect()
}

fn called(wanted: &str, namespace: &str, name: &str) -> bool {
    name_matches(wanted, name) || name_matches(wanted, &format!("{namespace}.{name}"))
}

/// Advice for a name that means nothing: those that have its beginning or end in common.
pub(super) fn near(schema: &Schema, wanted: &str) -> String {
    const SHOWN: usize = 5;
    let bare = wanted.rsplit('.').next().unwrap_or(wanted).to_lowercase();
    let begin: String = bare.chars().take(3).collect();
    let near = all(schema).filter(|one| {
        let name = one.path().1.to_lowercase();
        !begin.is_empty() && (name.contains(&begin) || bare.contains(&name))
    });
    let near: Vec<String> = near.map(|one| one.name()).take(SHOWN).collect();
    match near.is_empty() {
        true => "`schema show` lists all objects.".to_owned(),
        false => format!("There is {}.", near.join(", ")),
    }
}

impl Found<'_> {
    fn is_called(&self, wanted: &str) -> bool {
        let (namespace, name) = self.path();
        called(wanted, namespace, name) || self.name() == wanted
    }

    fn path(&self) -> (&str, &str) {
        match self {
            Found::Table(name, _)
            | Found::View(name, _)
            | Found::MaterializedView(name, _)
            | Found::Enum(name, _)
            | Found::Domain(name, _)
            | Found::Sequence(name, _) => (&name.namespace, &name.name),
            Found::Function(name, _) => (&name.namespace, &name.name),
        }
    }

    /// Its whole name, as a person would write it.
    pub(super) fn name(&self) -> String {
        match self {
            Found::Table(name, _)
            | Found::View(name, _)
            | Found::MaterializedView(name, _)
            | Found::Enum(name, _)
            | Found::Domain(name, _)
            | Found::Sequence(name, _) => name.to_string(),
            Found::Function(name, _) => name.to_string(),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Found::Table(_, table) => match (&table.partition_of, &table.partition_by) {
                (Some(_), _) => "partition",
                (None, Some(_)) => "partitioned table",
                (None, None) => "table",
            },
            Found::View(..) => "view",
            Found::MaterializedView(..) => "materialized view",
            Found::Enum(..) => "enum",
            Found::Domain(..) => "domain",
            Found::Sequence(..) => "sequence",
            Found::Function(_, function) => match function.returns {
                Some(_) => "function",
                None => "procedure",
            },
        }
    }

    pub(super) fn comment(&self) -> Option<&str> {
        let comment = match self {
            Found::Table(_, of) => &of.comment,
            Found::View(_, of) => &of.comment,
            Found::MaterializedView(_, of) => &of.comment,
            Found::Enum(_, of) => &of.comment,
            Found::Domain(_, of) => &of.comment,
            Found::Sequence(_, of) => &of.comment,
            Found::Function(_, of) => &of.comment,
        };
        comment.as_deref()
    }

    /// All of it.
    pub(super) fn whole(&self) -> serde_json::Result<Value> {
        match self {
            Found::Table(_, of) => serde_json::to_value(of),
            Found::View(_, of) => serde_json::to_value(of),
            Found::MaterializedView(_, of) => serde_json::to_value(of),
            Found::Enum(_, of) => serde_json::to_value(of),
            Found::Domain(_, of) => serde_json::to_value(of),
            Found::Sequence(_, of) => serde_json::to_value(of),
            Found::Function(_, of) => serde_json::to_value(of),
        }
    }
}

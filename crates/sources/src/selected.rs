use underpin_schema::{AccessOn, ObjectName, ObjectRef, Schema, Selection, name_matches};

/// What [`introspect`](crate::introspect()) would have read of the schema, but for what is
/// unsupported or unlisted, which stays.
pub(crate) fn selected(mut schema: Schema, selection: &Selection) -> Schema {
    let inside = |namespace: &str| {
        let all = selection.namespaces.is_empty();
        all || selection.namespaces.iter().any(|name| name == namespace)
    };
    let relation = |name: &ObjectName| {
        let like = |patterns: &[String]| patterns.iter().any(|one| name_matches(one, &name.name));
        let picked = selection.tables.is_empty() || like(&selection.tables);
        inside(&name.namespace) && picked && !like(&selection.exclude)
    };
    let whole = selection.tables.is_empty();
    let object = |namespace: &str| whole && inside(namespace);
    schema.namespaces.retain(|name, _| object(name));
    schema.extensions.retain(|_, of| object(&of.namespace));
    schema.enums.retain(|name, _| object(&name.namespace));
    schema.domains.retain(|name, _| object(&name.namespace));
    schema.functions.retain(|name, _| object(&name.namespace));
    schema.sequences.retain(|name, of| match &of.owned_by {
        Some(owner) => relation(&owner.table),
        None => object(&name.namespace),
    });
    schema.defined.retain(|name, of| match &of.on {
        Some(ObjectRef::Table(on) | ObjectRef::View(on) | ObjectRef::MaterializedView(on)) => {
            relation(on)
        }
        _ if name.name.namespace.is_empty() => whole && selection.namespaces.is_empty(),
        _ => object(&name.name.namespace),
    });
    schema
        .settings
        .retain(|setting, _| relation(setting.relation()));
    schema.tables.retain(|name, _| relation(name));
    schema.views.retain(|name, _| relation(name));
    schema.materialized_views.retain(|name, _| relation(name));
    let mut access = std::mem::take(&mut schema.access);
    access.retain(|on, _| match on {
        AccessOn::Future(of) => match &of.namespace {
            Some(namespace) => object(namespace),
            None => whole && selection.namespaces.is_empty(),
        },
        on => on.object().is_some_and(|object| has(&schema, object)),
    });
    schema.access = access;
    schema
}

/// Whether a schema has the object.
fn has(schema: &Schema, object: &ObjectRef) -> bool {
    match object {
        ObjectRef::Namespace(name) => schema.namespaces.contains_key(name),
        ObjectRef::Extension(name) => schema.extensions.contains_key(name),
        ObjectRef::Enum(name) => schema.enums.contains_key(name),
        ObjectRef::Domain(name) => schema.domains.contains_key(name),
        ObjectRef::Defined(name) => schema.defined.contains_key(name),
        ObjectRef::Sequence(name) => schema.sequences.contains_key(name),
        ObjectRef::Function(name) => schema.functions.contains_key(name),
        ObjectRef::Table(name) => schema.tables.contains_key(name),
        ObjectRef::View(name) => schema.views.contains_key(name),
        ObjectRef::MaterializedView(name) => schema.materialized_views.contains_key(name),
    }
}

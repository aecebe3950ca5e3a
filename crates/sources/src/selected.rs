use underpin_schema::{ObjectName, Schema, Selection, name_matches};

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
    schema.tables.retain(|name, _| relation(name));
    schema.views.retain(|name, _| relation(name));
    schema.materialized_views.retain(|name, _| relation(name));
    schema
}

use std::collections::BTreeMap;

use underpin::schema::{
    Bound, Column, Deferral, FunctionKind, Index, KeyTarget, Match, PartitionStrategy, Persistence,
    Schema, Table,
};

/// Every kind of thing that a schema can hold and that the generator has to make.
pub(crate) const KINDS: [&str; 60] = [
    "namespaces",
    "extensions",
    "enums",
    "domains",
    "domain checks",
    "domains over arrays",
    "sequences",
    "owned sequences",
    "functions",
    "overloaded functions",
    "procedures",
    "functions over tables",
    "tables",
    "unlogged tables",
    "columns",
    "defaults",
    "identity columns",
    "generated columns",
    "collations",
    "array columns",
    "enum columns",
    "domain columns",
    "primary keys",
    "keys of several columns",
    "included columns",
    "uniques",
    "nulls not distinct",
    "deferrable constraints",
    "checks",
    "checks not valid",
    "checks not inherited",
    "foreign keys",
    "foreign keys to themselves",
    "foreign keys not valid",
    "foreign keys match full",
    "foreign keys that set columns",
    "exclusions",
    "indexes",
    "indexes of other methods",
    "expressions in indexes",
    "operator classes",
    "orders of indexes",
    "predicates",
    "storage options",
    "invalid indexes",
    "range partitions",
    "list partitions",
    "hash partitions",
    "partitions of partitions",
    "default partitions",
    "inherited columns",
    "views",
    "materialized views",
    "indexes of views",
    "triggers",
    "triggers of views",
    "policies",
    "row security",
    "comments",
    "names in quotes",
];

/// How many there are of each kind.
pub(crate) fn count(schema: &Schema) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::from([
        ("namespaces", schema.namespaces.len() - 1),
        ("extensions", schema.extensions.len()),
        ("enums", schema.enums.len()),
        ("domains", schema.domains.len()),
        (
            "domain checks",
            schema
                .domains
                .values()
                .map(|domain| domain.checks.len())
                .sum(),
        ),
        (
            "domains over arrays",
            schema
                .domains
                .values()
                .filter(|domain| domain.base.array)
                .count(),
        ),
        ("sequences", schema.sequences.len()),
        (
            "owned sequences",
            schema
                .sequences
                .values()
                .filter(|one| one.owned_by.is_some())
                .count(),
        ),
        ("views", schema.views.len()),
        (
            "triggers of views",
            schema.views.values().map(|view| view.triggers.len()).sum(),
        ),
        ("materialized views", schema.materialized_views.len()),
        (
            "indexes of views",
            schema
                .materialized_views
                .values()
                .map(|view| view.indexes.len())
                .sum(),
        ),
    ]);
    counts.extend(of_columns(schema));
    counts.extend(routines(schema));
    counts.extend(of_tables(schema));
    counts.extend(constraints(schema));
    counts.extend(indexes(schema));
    let json = serde_json::to_string(schema).unwrap();
    counts.insert("comments", json.matches("\"comment\":\"").count());
    counts.insert(
        "names in quotes",
        schema
            .tables
            .keys()
            .filter(|name| name.to_string().contains('"'))
            .count(),
    );
    counts
}

fn of_columns(schema: &Schema) -> Vec<(&'static str, usize)> {
    let columns = || schema.tables.values().flat_map(|table| &table.columns);
    let of = |column: &Column, is: &dyn Fn(&underpin::schema::ObjectName) -> bool| {
        let data_type = &column.data_type;
        let namespace = data_type.namespace.clone();
        namespace.is_some_and(|one| is(&underpin::schema::ObjectName::new(one, &data_type.name)))
    };
    vec![
        ("columns", columns().count()),
        (
            "defaults",
            columns().filter(|column| column.default.is_some()).count(),
        ),
        (
            "identity columns",
            columns().filter(|column| column.identity.is_some()).count(),
        ),
        (
            "generated columns",
            columns()
                .filter(|column| column.generated.is_some())
                .count(),
        ),
        (
            "collations",
            columns()
                .filter(|column| column.collation.is_some())
                .count(),
        ),
        (
            "array columns",
            columns().filter(|column| column.data_type.array).count(),
        ),
        (
            "enum columns",
            columns()
                .filter(|one| of(one, &|name| schema.enums.contains_key(name)))
                .count(),
        ),
        (
            "domain columns",
            columns()
                .filter(|one| of(one, &|name| schema.domains.contains_key(name)))
                .count(),
        ),
        (
            "inherited columns",
            columns().filter(|column| column.inherited).count(),
        ),
    ]
}

fn routines(schema: &Schema) -> Vec<(&'static str, usize)> {
    let all = || schema.functions.iter();
    let plain = all().filter(|(_, of)| of.kind == FunctionKind::Function);
    let overloaded = all().filter(|(name, _)| {
        all().any(|(other, _)| {
            (&other.namespace, &other.name) == (&name.namespace, &name.name) && other != *name
        })
    });
    vec![
        ("functions", plain.count()),
        ("overloaded functions", overloaded.count()),
        (
            "procedures",
            all()
                .filter(|(_, of)| of.kind == FunctionKind::Procedure)
                .count(),
        ),
        (
            "functions over tables",
            all().filter(|(_, of)| !of.depends_on.is_empty()).count(),
        ),
    ]
}

fn of_tables(schema: &Schema) -> Vec<(&'static str, usize)> {
    let sum = |of: fn(&Table) -> usize| schema.tables.values().map(of).sum();
    let by = |strategy: PartitionStrategy| {
        let split = |table: &&Table| {
            table
                .partition_by
                .as_ref()
                .is_some_and(|by| by.strategy == strategy)
        };
        schema.tables.values().filter(split).count()
    };
    let bound = |table: &Table| table.partition_of.as_ref().map(|of| of.bound.clone());
    vec![
        ("tables", schema.tables.len()),
        (
            "unlogged tables",
            sum(|table| usize::from(table.persistence == Persistence::Unlogged)),
        ),
        ("triggers", sum(|table| table.triggers.len())),
        ("policies", sum(|table| table.policies.len())),
        (
            "row security",
            sum(|table| usize::from(table.row_security.enabled || table.row_security.forced)),
        ),
        ("range partitions", by(PartitionStrategy::Range)),
        ("list partitions", by(PartitionStrategy::List)),
        ("hash partitions", by(PartitionStrategy::Hash)),
        (
            "partitions of partitions",
            sum(|table| usize::from(table.partition_of.is_some() && table.partition_by.is_some())),
        ),
        (
            "default partitions",
            schema
                .tables
                .values()
                .filter(|one| bound(one) == Some(Bound::Default))
                .count(),
        ),
    ]
}

fn constraints(schema: &Schema) -> Vec<(&'static str, usize)> {
    let tables = || schema.tables.values();
    let keys = || tables().filter_map(|table| table.primary_key.as_ref());
    let uniques = || tables().flat_map(|table| table.uniques.values());
    let checks = || tables().flat_map(|table| table.checks.values());
    let foreign = || tables().flat_map(|table| table.foreign_keys.values());
    let deferrable = uniques()
        .map(|one| one.deferral)
        .chain(foreign().map(|one| one.deferral));
    let own = schema.tables.iter().flat_map(|(name, table)| {
        table
            .foreign_keys
            .values()
            .filter(move |key| key.references == *name)
    });
    vec![
        ("primary keys", keys().count()),
        (
            "keys of several columns",
            keys().filter(|key| key.columns.len() > 1).count(),
        ),
        (
            "included columns",
            keys().map(|key| key.include.len()).sum(),
        ),
        ("uniques", uniques().count()),
        (
            "nulls not distinct",
            uniques().filter(|one| one.nulls_not_distinct).count(),
        ),
        (
            "deferrable constraints",
            deferrable
                .filter(|one| *one != Deferral::NotDeferrable)
                .count(),
        ),
        ("checks", checks().count()),
        (
            "checks not valid",
            checks().filter(|check| check.not_valid).count(),
        ),
        (
            "checks not inherited",
            checks().filter(|check| check.no_inherit).count(),
        ),
        ("foreign keys", foreign().count()),
        ("foreign keys to themselves", own.count()),
        (
            "foreign keys not valid",
            foreign().filter(|key| key.not_valid).count(),
        ),
        (
            "foreign keys match full",
            foreign().filter(|key| key.matching == Match::Full).count(),
        ),
        (
            "foreign keys that set columns",
            foreign()
                .filter(|key| !key.on_delete_columns.is_empty())
                .count(),
        ),
        (
            "exclusions",
            tables().map(|table| table.exclusions.len()).sum(),
        ),
    ]
}

fn indexes(schema: &Schema) -> Vec<(&'static str, usize)> {
    let indexes = || {
        schema
            .tables
            .values()
            .flat_map(|table| table.indexes.values())
    };
    let any = |is: fn(&Index) -> bool| indexes().filter(|index| is(index)).count();
    let options = schema
        .tables
        .values()
        .filter(|table| !table.options.is_empty());
    vec![
        ("indexes", indexes().count()),
        (
            "indexes of other methods",
            any(|index| index.method != "btree"),
        ),
        (
            "expressions in indexes",
            any(|index| {
                index
                    .keys
                    .iter()
                    .any(|key| matches!(key.target, KeyTarget::Expression(_)))
            }),
        ),
        (
            "operator classes",
            any(|index| index.keys.iter().any(|key| key.operator_class.is_some())),
        ),
        (
            "orders of indexes",
            any(|index| {
                index
                    .keys
                    .iter()
                    .any(|key| key.descending || key.nulls_first)
            }),
        ),
        ("predicates", any(|index| index.predicate.is_some())),
        ("storage options", options.count()),
        ("invalid indexes", any(|index| !index.valid)),
    ]
}

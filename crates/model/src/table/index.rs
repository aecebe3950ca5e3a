use std::collections::BTreeMap;

use underpin_schema::{Expression, Index, IndexKey, ObjectName, OperatorClass};

use crate::description::{self, Over};
use crate::dialect::ModelDialect;

/// The index on an engine.
pub(super) fn index(of: &description::Index, dialect: &ModelDialect) -> Index {
    let owned = |name: &&str| (*name).to_owned();
    Index {
        method: of.method.unwrap_or("btree").to_owned(),
        unique: of.unique,
        keys: of.keys.iter().map(|one| key(one, dialect)).collect(),
        include: match dialect.index_options {
            true => of.include.iter().map(owned).collect(),
            false => Vec::new(),
        },
        nulls_not_distinct: of.nulls_not_distinct,
        predicate: of.predicate.on(dialect.name).map(Expression::from),
        ..Index::default()
    }
}

/// What PostgreSQL calls the keys in the name of an index.
pub(super) fn names(of: &description::Index) -> Vec<String> {
    let each = of.keys.iter().map(|key| match key.over {
        Over::Column(name) => name.to_owned(),
        Over::Expression(_) => "expr".to_owned(),
    });
    each.collect()
}

fn key(of: &description::IndexKey, dialect: &ModelDialect) -> IndexKey {
    let class = of.operator_class.filter(|_| dialect.index_options);
    let class = class.map(|class| match class.split_once('.') {
        Some((schema, name)) => ObjectName::new(schema, name),
        None => ObjectName::new("pg_catalog", class),
    });
    IndexKey {
        operator_class: class.map(|name| OperatorClass {
            name,
            options: BTreeMap::new(),
        }),
        descending: of.descending,
        nulls_first: match of.nulls_first {
            Some(first) if dialect.index_options => first,
            _ => of.descending,
        },
        ..match of.over {
            Over::Column(name) => IndexKey::column(name),
            Over::Expression(text) => IndexKey::expression(text),
        }
    }
}

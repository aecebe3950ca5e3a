use std::collections::BTreeMap;

use underpin_core::Engine;
use underpin_schema::{Expression, Index, IndexKey, ObjectName, OperatorClass};

use crate::description::{self, Over};

/// The index on an engine.
pub(super) fn index(of: &description::Index, engine: Engine) -> Index {
    let owned = |name: &&str| (*name).to_owned();
    Index {
        method: of.method.unwrap_or("btree").to_owned(),
        unique: of.unique,
        keys: of.keys.iter().map(|one| key(one, engine)).collect(),
        include: match engine {
            Engine::Postgres => of.include.iter().map(owned).collect(),
            _ => Vec::new(),
        },
        nulls_not_distinct: of.nulls_not_distinct,
        predicate: of.predicate.on(engine).map(Expression::from),
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

fn key(of: &description::IndexKey, engine: Engine) -> IndexKey {
    let class = of.operator_class.filter(|_| engine == Engine::Postgres);
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
        // SQLite gives no choice.
        nulls_first: match engine {
            Engine::Postgres => of.nulls_first.unwrap_or(of.descending),
            _ => of.descending,
        },
        ..match of.over {
            Over::Column(name) => IndexKey::column(name),
            Over::Expression(text) => IndexKey::expression(text),
        }
    }
}

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Statement;

use crate::column::Described;
use crate::kind::Kind;
use crate::sql::Nature;
use crate::statement_limit::Setting;

/// A statement that the server has prepared, and all that is worked out once for it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) params: Box<[Kind]>,
    pub(crate) result: Described,
    pub(crate) nature: Nature,
    pub(crate) limit: Option<Setting>,
}

impl Prepared {
    pub(crate) fn new(statement: Statement, sql: &str) -> Self {
        Prepared {
            params: statement.params().iter().map(Kind::of).collect(),
            result: Described::new(statement.columns()),
            nature: Nature::of(sql),
            limit: Setting::of(sql),
            statement,
        }
    }
}

/// The prepared statements of one connection, by their text. Beyond its size, the one that
/// was used longest ago goes.
#[derive(Debug)]
pub(crate) struct Statements {
    size: usize,
    clock: u64,
    kept: HashMap<Box<str>, Kept>,
}

#[derive(Debug)]
struct Kept {
    prepared: Arc<Prepared>,
    used: u64,
}

impl Statements {
    pub(crate) fn new(size: usize) -> Self {
        Statements {
            size,
            clock: 0,
            kept: HashMap::new(),
        }
    }

    pub(crate) fn get(&mut self, sql: &str) -> Option<Arc<Prepared>> {
        self.clock += 1;
        let kept = self.kept.get_mut(sql)?;
        kept.used = self.clock;
        Some(Arc::clone(&kept.prepared))
    }

    pub(crate) fn insert(&mut self, sql: &str, prepared: Arc<Prepared>) {
        if self.size == 0 {
            return;
        }
        while self.kept.len() >= self.size && !self.kept.contains_key(sql) {
            // A look at each is nothing beside the round trip that led here.
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
            let Some(oldest) = oldest.map(|(sql, _)| sql.clone()) else {
                break;
            };
            self.kept.remove(&oldest);
        }
        self.clock += 1;
        self.kept.insert(
            sql.into(),
            Kept {
                prepared,
                used: self.clock,
            },
        );
    }

    /// Forgets a statement, unless it has been prepared anew meanwhile.
    pub(crate) fn evict(&mut self, sql: &str, stale: &Arc<Prepared>) {
        if self
            .kept
            .get(sql)
            .is_some_and(|kept| Arc::ptr_eq(&kept.prepared, stale))
        {
            self.kept.remove(sql);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }
}

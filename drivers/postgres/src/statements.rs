use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use postgres_types::Type;

use crate::column::Described;
use crate::kind::Kind;
use crate::leaves::Leaves;
use crate::search_path::may_choose;
use crate::sql::Nature;
use crate::statement_limit::Setting;
use crate::verdicts::{Verdict, Verdicts};
use crate::wire::body::Field;
use crate::wire::shared::Wire;

/// A statement that the server has prepared, and the facts that are determined once for it. The
/// server forgets it when this is dropped.
pub(crate) struct Prepared {
    pub(crate) name: StatementName,
    pub(crate) types: Box<[Type]>,
    pub(crate) kinds: Box<[Kind]>,
    pub(crate) fields: Box<[Field]>,
    pub(crate) field_types: Box<[Type]>,
    pub(crate) result: Described,
    pub(crate) nature: Nature,
    pub(crate) limit: Option<Setting>,
    /// Whether it may choose another `search_path`.
    pub(crate) chooses_path: bool,
    /// The server's verdict on its names, if the rest of its text leaves the session unchanged.
    pub(crate) verdict: Option<Arc<Verdict>>,
}

/// The name of a prepared statement, which the server forgets when this is dropped.
pub(crate) struct StatementName {
    pub(crate) number: u64,
    pub(crate) text: Box<str>,
    wire: Weak<Wire>,
}

impl StatementName {
    /// A new name, which the server does not know yet.
    pub(crate) fn new(wire: &Arc<Wire>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        StatementName {
            number,
            text: format!("s{number}").into(),
            wire: Arc::downgrade(wire),
        }
    }
}

impl Drop for StatementName {
    fn drop(&mut self) {
        if let Some(wire) = self.wire.upgrade().filter(|wire| !wire.is_broken()) {
            wire.tell(|machine| machine.forget(b'S', &self.text));
        }
    }
}

impl Prepared {
    pub(crate) fn new(
        name: StatementName,
        sql: &str,
        types: Vec<Type>,
        fields: Vec<Field>,
        field_types: Vec<Type>,
        verdicts: &Verdicts,
    ) -> Self {
        let nature = Nature::of(sql);
        Prepared {
            name,
            kinds: types.iter().map(Kind::of).collect(),
            types: types.into(),
            result: Described::new(fields.iter().zip(&field_types)),
            fields: fields.into(),
            field_types: field_types.into(),
            verdict: verdict_of(nature, sql, verdicts),
            nature,
            limit: Setting::of(sql),
            chooses_path: may_choose(sql),
        }
    }
}

/// The verdict on a text whose names decide in which state it leaves the session.
pub(crate) fn verdict_of(nature: Nature, sql: &str, verdicts: &Verdicts) -> Option<Arc<Verdict>> {
    (nature.leaves == Leaves::ByName).then(|| verdicts.of(sql))
}

/// The prepared statements of one connection, by their text. Beyond the maximum, the least recently
/// used one is dropped.
pub(crate) struct Statements {
    size: usize,
    clock: u64,
    kept: HashMap<Box<str>, Kept>,
}

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
            // A look at each costs nothing compared to the round trip that led here.
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

    /// Forgets a statement, unless it has been prepared again meanwhile.
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

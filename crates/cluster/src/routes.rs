use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Statements that only read, as the engine reported for each. Bounded: a program that writes
/// values into its SQL loses all entries now and then, and the engine is asked again.
#[derive(Default)]
pub(crate) struct Routes(RwLock<HashMap<Box<str>, bool>>);

const MOST: usize = 1024;

impl Routes {
    pub(crate) fn get(&self, sql: &str) -> Option<bool> {
        // A bulk insert and a ping have no statement of their own.
        if sql.is_empty() {
            return Some(false);
        }
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .copied()
    }

    pub(crate) fn set(&self, sql: &str, reads: bool) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(sql.into(), reads);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_within_bounds() {
        let routes = Routes::default();
        assert_eq!(routes.get(""), Some(false));
        assert_eq!(routes.get("SELECT 1"), None);
        routes.set("SELECT 1", true);
        assert_eq!(routes.get("SELECT 1"), Some(true));
        for n in 0..3 * MOST {
            routes.set(&format!("SELECT {n}"), true);
        }
        assert!(routes.0.read().unwrap().len() <= MOST);
    }
}

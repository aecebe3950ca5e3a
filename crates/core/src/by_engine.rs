use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::engine::Engine;

/// One value of a kind for each engine, such as its dialect of schemas. Values that are known when
/// the program is compiled are found without a lock.
pub struct ByEngine<T: 'static> {
    known: &'static [(Engine, &'static T)],
    added: RwLock<Vec<(Engine, &'static T)>>,
}

impl<T> ByEngine<T> {
    /// The values of these engines.
    pub const fn new(known: &'static [(Engine, &'static T)]) -> Self {
        ByEngine {
            known,
            added: RwLock::new(Vec::new()),
        }
    }

    /// The value of an engine, if it has one.
    pub fn get(&self, engine: Engine) -> Option<&'static T> {
        let of = |all: &[(Engine, &'static T)]| {
            let mut all = all.iter();
            all.find(|(of, _)| *of == engine).map(|(_, value)| *value)
        };
        of(self.known).or_else(|| of(&self.added.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Adds the value of another engine. An engine that has one keeps it.
    pub fn add(&self, engine: Engine, value: &'static T) {
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.known.iter().chain(added.iter());
        if all.all(|(of, _)| *of != engine) {
            added.push((engine, value));
        }
    }
}

impl<T> fmt::Debug for ByEngine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        let engines = self.known.iter().chain(added.iter());
        f.debug_set().entries(engines.map(|(of, _)| of)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_keeps_its_first_value() {
        static NAMES: ByEngine<&str> = ByEngine::new(&[(Engine::POSTGRES, &"known")]);
        assert_eq!(NAMES.get(Engine::SQLITE), None);
        NAMES.add(Engine::SQLITE, &"added");
        NAMES.add(Engine::SQLITE, &"again");
        NAMES.add(Engine::POSTGRES, &"again");
        assert_eq!(NAMES.get(Engine::SQLITE), Some(&"added"));
        assert_eq!(NAMES.get(Engine::POSTGRES), Some(&"known"));
    }
}

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use underpin_core::Value;

/// Identifies how a transaction has chosen its `search_path`, so that a statement prepared under
/// one path is not used under another, under which its names may refer to other tables.
#[derive(Default)]
pub(crate) struct SearchPath {
    is_chosen: AtomicBool,
    chosen: Mutex<Option<Choice>>,
}

struct Choice {
    transaction: u64,
    /// The statement that chose it, and its parameters.
    by: String,
}

/// Whether a statement may choose the path.
pub(crate) fn may_choose(sql: &str) -> bool {
    const NAME: &[u8] = b"search_path";
    let mut windows = sql.as_bytes().windows(NAME.len());
    windows.any(|part| part.eq_ignore_ascii_case(NAME))
}

impl SearchPath {
    /// The cache key of a statement in this transaction.
    pub(crate) fn key<'a>(&self, transaction: Option<u64>, sql: &'a str) -> Cow<'a, str> {
        if !self.is_chosen.load(Ordering::Acquire) {
            return Cow::Borrowed(sql);
        }
        match (&*self.chosen(), transaction) {
            (Some(choice), Some(number)) if choice.transaction == number => {
                Cow::Owned(format!("{}\0{sql}", choice.by))
            }
            _ => Cow::Borrowed(sql),
        }
    }

    /// Records that a statement which may choose the path runs in this transaction.
    pub(crate) fn note(&self, transaction: Option<u64>, sql: &str, params: &[Value]) {
        let Some(transaction) = transaction else {
            return;
        };
        let mut by = sql.to_owned();
        for value in params {
            by.push('\0');
            by.push_str(&value.to_text().unwrap_or_default());
        }
        *self.chosen() = Some(Choice { transaction, by });
        self.is_chosen.store(true, Ordering::Release);
    }

    /// Records that a part of the transaction may be undone, and its choice with it.
    pub(crate) fn turn_back(&self) {
        if self.is_chosen.load(Ordering::Acquire)
            && let Some(choice) = &mut *self.chosen()
        {
            choice.by.push('\0');
        }
    }

    fn chosen(&self) -> MutexGuard<'_, Option<Choice>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_of_a_transaction_has_keys_of_its_own() {
        let path = SearchPath::default();
        assert_eq!(path.key(Some(1), "TABLE t"), "TABLE t");
        path.note(None, "SET search_path = a", &[]);
        assert_eq!(path.key(Some(1), "TABLE t"), "TABLE t");
        path.note(Some(1), "SET LOCAL search_path = a", &[]);
        let first = path.key(Some(1), "TABLE t").into_owned();
        assert_ne!(first, "TABLE t");
        assert_eq!(path.key(Some(3), "TABLE t"), "TABLE t");
        path.note(Some(3), "SET LOCAL search_path = a", &[]);
        assert_eq!(path.key(Some(3), "TABLE t"), first);
        path.turn_back();
        assert_ne!(path.key(Some(3), "TABLE t"), first);
        let choose = "SELECT set_config('search_path', $1, true)";
        path.note(Some(5), choose, &[Value::Text("a".into())]);
        let first = path.key(Some(5), "TABLE t").into_owned();
        path.note(Some(5), choose, &[Value::Text("b".into())]);
        assert_ne!(path.key(Some(5), "TABLE t"), first);
    }

    #[test]
    fn statements_that_name_it_may_choose_it() {
        assert!(may_choose("set local Search_Path to a"));
        assert!(!may_choose("SET LOCAL search = 'path'"));
    }
}

use std::sync::OnceLock;

/// The name of the pool in messages and logs. Names are added and never dropped, so that the
/// current one can be borrowed without a lock; a pool is renamed only a few times in its life.
#[derive(Debug)]
pub(crate) struct Name {
    text: String,
    next: OnceLock<Box<Name>>,
}

impl Name {
    pub(crate) fn new(text: String) -> Self {
        Name {
            text,
            next: OnceLock::new(),
        }
    }

    /// The current name.
    pub(crate) fn get(&self) -> &str {
        &self.last().text
    }

    /// Changes the name. Of two simultaneous changes, either may come last.
    pub(crate) fn set(&self, text: &str) {
        while self.get() != text {
            let next = Box::new(Name::new(text.to_owned()));
            let _ = self.last().next.set(next);
        }
    }

    fn last(&self) -> &Name {
        let mut name = self;
        while let Some(next) = name.next.get() {
            name = next;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lent_out_outlives_its_successors() {
        let name = Name::new("db1".to_owned());
        let before = name.get();
        name.set("db2");
        name.set("db2");
        name.set("db3");
        assert_eq!((before, name.get()), ("db1", "db3"));
        let second = name.next.get().expect("it was renamed");
        assert_eq!(
            second.next.get().map(|third| third.text.as_str()),
            Some("db3")
        );
    }
}

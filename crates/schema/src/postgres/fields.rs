use underpin_core::{FromValue, Result, ValueRow};

/// The fields of one row, read in the order of the SELECT list.
pub(super) struct Fields<'r> {
    row: &'r ValueRow,
    next: usize,
}

impl<'r> Fields<'r> {
    pub(super) fn of(row: &'r ValueRow) -> Self {
        Fields { row, next: 0 }
    }

    pub(super) fn next<T: FromValue<'r>>(&mut self) -> Result<T> {
        let value = self.row.read(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// Two fields that are a namespace and a name, both or neither.
    pub(super) fn name(&mut self) -> Result<Option<crate::ObjectName>> {
        let (namespace, name): (Option<String>, Option<String>) = (self.next()?, self.next()?);
        Ok(namespace
            .zip(name)
            .map(|(namespace, name)| crate::ObjectName { namespace, name }))
    }

    /// An array of texts; NULL is none.
    pub(super) fn texts(&mut self) -> Result<Vec<String>> {
        Ok(self.next::<Option<_>>()?.unwrap_or_default())
    }
}

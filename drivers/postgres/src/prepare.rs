use std::sync::Arc;

use underpin_core::{Class, Error, Value};

use crate::call::{Call, Failure};
use crate::classify;
use crate::param::Param;
use crate::statements::Prepared;

/// A prepared statement on its way to being run, and whether it was just prepared.
pub(crate) struct Ready {
    pub(crate) prepared: Arc<Prepared>,
    fresh: bool,
}

impl Call {
    /// The statement from the cache, or prepared and put there.
    pub(crate) async fn prepare(&self, sql: &str) -> Result<Ready, Failure> {
        let cached = self.session().statements().get(sql);
        if let Some(prepared) = cached {
            return Ok(Ready {
                prepared,
                fresh: false,
            });
        }
        let statement = self.wait(self.session().client.prepare(sql)).await?;
        let prepared = Arc::new(Prepared::new(statement, sql));
        self.session()
            .statements()
            .insert(sql, Arc::clone(&prepared));
        Ok(Ready {
            prepared,
            fresh: true,
        })
    }

    /// Whether the statement failed because the server has outgrown what was prepared, so
    /// that it can be run again: it has done nothing, and no transaction has failed.
    pub(crate) async fn can_try_anew(&self, sql: &str, ready: &Ready, failure: &Failure) -> bool {
        let Failure::Native(error) = failure else {
            return false;
        };
        let Some(said) = error.as_db_error() else {
            return false;
        };
        let code = said.code().code();
        let outgrown = classify::is_outgrown(said);
        if code == "26000" {
            self.session().statements().clear();
        } else if outgrown || code.starts_with("42") {
            self.session().statements().evict(sql, &ready.prepared);
        }
        if !outgrown || ready.fresh || self.in_transaction() {
            return false;
        }
        self.settle().await;
        true
    }
}

impl Ready {
    /// The parameters on their way, once their number is right.
    pub(crate) fn params<'a>(
        &'a self,
        params: &'a [Value],
    ) -> Result<impl ExactSizeIterator<Item = Param<'a>> + Send + 'a, Failure> {
        let kinds = &self.prepared.params;
        if params.len() != kinds.len() {
            return Err(Failure::Ours(Error::new(
                Class::Data,
                format!(
                    "The statement has {}, and {} given.",
                    counted(kinds.len(), "parameter", "parameters"),
                    counted(params.len(), "value was", "values were"),
                ),
            )));
        }
        Ok(params
            .iter()
            .zip(kinds)
            .enumerate()
            .map(|(at, (value, kind))| Param {
                value,
                kind: Some(*kind),
                number: at + 1,
            }))
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

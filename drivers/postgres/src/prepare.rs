use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use underpin_core::{Class, Error, Value};

use crate::call::{Call, Failure};
use crate::classify;
use crate::client_error::Kind;
use crate::join::SKIPPED;
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
            self.note_limit(prepared.limit);
            return Ok(Ready {
                prepared,
                fresh: false,
            });
        }
        self.prepare_anew(sql).await
    }

    /// In a box, since it is large, and rarely run.
    #[cold]
    fn prepare_anew<'a>(
        &'a self,
        sql: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Ready, Failure>> + Send + 'a>> {
        Box::pin(async move {
            self.begin_for_harmless().await?;
            let prepared = self.wait(pin!(self.session().client.prepare(sql))).await;
            let statement = self.behind_begin(prepared).await?;
            let prepared = Arc::new(Prepared::new(statement, sql));
            self.note_limit(prepared.limit);
            self.session()
                .statements()
                .insert(sql, Arc::clone(&prepared));
            Ok(Ready {
                prepared,
                fresh: true,
            })
        })
    }

    /// Whether the statement failed because the server has outgrown what was prepared, so
    /// that it can be run again: it has done nothing, and no transaction has failed. Or it was
    /// not run at all.
    pub(crate) async fn can_try_anew(&self, sql: &str, ready: &Ready, failure: &Failure) -> bool {
        let Failure::Native(error) = failure else {
            return false;
        };
        let said = error.as_db_error();
        let code = said.map_or("", |said| said.code().code());
        if code == SKIPPED {
            return true;
        }
        if code == "26000" {
            self.session().statements().clear();
        }
        let outgrown = said.is_some_and(classify::is_outgrown);
        let doubtful = Kind::of(error) == Kind::Misfit || code.starts_with("42") || code == "22P02";
        if outgrown || doubtful {
            self.session().statements().evict(sql, &ready.prepared);
        }
        // Nothing can be tried in a transaction that has failed; a misfit was never sent.
        if ready.fresh || (said.is_some() && self.in_transaction()) {
            return false;
        }
        if outgrown {
            self.settle().await;
            return true;
        }
        doubtful && self.expects_other_types(sql, ready, said.is_some()).await
    }

    /// Whether the server, asked again, expects other types than when the statement was
    /// prepared: its tables were changed meanwhile.
    async fn expects_other_types(&self, sql: &str, ready: &Ready, was_sent: bool) -> bool {
        if was_sent {
            self.settle().await;
        }
        match self.prepare(sql).await {
            Ok(anew) => anew.prepared.statement.params() != ready.prepared.statement.params(),
            Err(_) => false,
        }
    }
}

impl Ready {
    /// Whether it was prepared just now, so that its columns are those of today's tables.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

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

//! The columns of statements that are sent without a name, as behind a pooler. Their types are
//! queried ahead of the first run, so that values are read like those of prepared statements.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::call::{Call, Failure};
use crate::column::Described;
use crate::session::{Session, answered};
use crate::wire::answer::Broken;
use crate::wire::body::{Field, fields};
use crate::wire::put;
use crate::wire::request::steps;

/// The columns of the texts that a connection has sent.
#[derive(Default)]
pub(crate) struct Unnamed(Mutex<HashMap<Box<str>, Arc<Described>>>);

/// Maximum number of texts that are remembered.
const MOST: usize = 256;

/// The columns that a text is expected to return.
pub(crate) struct Expected {
    pub(crate) described: Arc<Described>,
    /// Whether they were queried just now.
    pub(crate) fresh: bool,
}

impl Unnamed {
    fn get(&self, sql: &str) -> Option<Arc<Described>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(sql).cloned()
    }

    fn insert(&self, sql: &str, described: &Arc<Described>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(sql.into(), Arc::clone(described));
    }

    /// The columns that arrived when some were expected. If they differ, they are queried again the
    /// next time.
    pub(crate) fn as_came(
        &self,
        sql: &str,
        expected: &Arc<Described>,
        fields: &[Field],
    ) -> Arc<Described> {
        let described = expected.or_others(fields);
        if !Arc::ptr_eq(&described, expected) {
            self.forget(sql);
        }
        described
    }

    /// Forgets a text whose columns have changed.
    pub(crate) fn forget(&self, sql: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(sql);
    }
}

impl Call {
    /// The columns of a statement that is about to be sent without a name.
    pub(crate) async fn expected(&self, sql: &str) -> Result<Expected, Failure> {
        let session = self.session();
        if let Some(described) = session.unnamed.get(sql) {
            return Ok(Expected {
                described,
                fresh: false,
            });
        }
        let described = self.wait(pin!(describe(session, sql))).await?;
        let described = Arc::new(described);
        session.unnamed.insert(sql, &described);
        Ok(Expected {
            described,
            fresh: true,
        })
    }
}

impl Call {
    /// Whether a statement failed because its result now has another number of columns, so that it
    /// can be sent again: it has done nothing, and no transaction has failed.
    pub(crate) fn expected_others(&self, sql: &str, had: &Expected, failure: &Failure) -> bool {
        self.session().unnamed.forget(sql);
        let Failure::Broken(Broken::Refused { error, .. }) = failure else {
            return false;
        };
        error.code() == "08P01" && !had.fresh && !self.in_transaction()
    }
}

async fn describe(session: &Session, sql: &str) -> Result<Described, Failure> {
    let asked = session.wire.ask(|machine, reply| {
        machine.extended(reply, None, |out| {
            put::parse(out, "", sql, [].into_iter())?;
            put::describe(out, b'S', "");
            Ok(steps::PARSE | steps::PARAMETERS | steps::COLUMNS)
        })
    });
    let mut answer = answered(asked)?;
    let mut columns = Vec::new();
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            if frame.tag == b'T' {
                columns = fields(frame.body).map_err(|why| session.spoiled(why))?;
            }
        }
    }
    let mut types = Vec::new();
    for field in &columns {
        types.push(
            session
                .catalog
                .type_of(&session.wire, field.type_oid)
                .await?,
        );
    }
    Ok(Described::new(columns.iter().zip(&types)))
}

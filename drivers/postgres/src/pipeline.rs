use std::fmt;
use std::sync::Arc;

use underpin_core::{Class, Effect, Error, Result};

use crate::call::Failure;
use crate::client::{Client, ClientRow, Parameter, Query, bound};
use crate::statements::Prepared;
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::affected;
use crate::wire::request::{Progress, steps};

/// Statements that are sent together, and answered in one round trip. Outside a transaction they
/// take effect together or not at all.
#[must_use = "a pipeline sends nothing before it is run"]
pub struct Pipeline<'c> {
    client: &'c Client,
    asked: Vec<Asked<'c>>,
}

struct Asked<'c> {
    query: Query<'c>,
    params: Vec<Parameter<'c>>,
}

/// The result of one statement in a [`Pipeline`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answered {
    /// Its rows.
    pub rows: Vec<ClientRow>,
    /// The number of rows that it returned or changed.
    pub count: u64,
}

impl<'c> Pipeline<'c> {
    pub(crate) fn new(client: &'c Client) -> Self {
        let asked = Vec::new();
        Pipeline { client, asked }
    }

    /// Adds a statement.
    pub fn query(mut self, query: impl Into<Query<'c>>, params: &[Parameter<'c>]) -> Self {
        self.asked.push(Asked {
            query: query.into(),
            params: params.to_vec(),
        });
        self
    }

    /// Sends all statements, and returns the result of each.
    ///
    /// # Errors
    /// The error of the first statement that failed; later statements are not run, and outside a
    /// transaction, earlier ones are undone.
    ///
    /// # Cancel safety
    /// If the future is dropped, the statements may still take effect.
    pub async fn run(self) -> Result<Vec<Answered>> {
        let mut call = self.client.open().await?;
        let (mut messages, mut statements) = (Vec::new(), Vec::new());
        for asked in &self.asked {
            let ready = match self.client.ready(&call, asked.query).await {
                Ok(ready) => ready,
                Err(failure) => return Err(call.fail(failure).await),
            };
            let nature = ready.prepared.nature;
            if nature.commits_itself || nature.controls_transaction {
                return Err(call.refuse(alone()));
            }
            match bound(&ready.prepared, &asked.params) {
                Ok(bytes) => messages.push((bytes, steps::BIND | steps::EXECUTE)),
                Err(error) => return Err(call.refuse(error)),
            }
            match call.check(nature) {
                Ok(nature) => call.submit_known(nature, ready.prepared.verdict.as_ref()),
                Err(error) => return Err(call.refuse(error)),
            }
            statements.push(ready.prepared);
        }
        let Some(answers) = self.client.session().wire.ask_all(&messages) else {
            let lost = Broken::Lost(Progress::Unwritten);
            return Err(call.fail(Failure::Broken(lost)).await);
        };
        let mut answered = Vec::new();
        for (answer, prepared) in answers.into_iter().zip(statements) {
            match call.wait(read(answer, &prepared)).await {
                Ok(one) => answered.push(one),
                Err(failure) => return Err(call.fail(failure).await),
            }
        }
        call.done().map(|()| answered)
    }
}

impl fmt::Debug for Pipeline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("len", &self.asked.len())
            .finish_non_exhaustive()
    }
}

async fn read(mut answer: Answer, prepared: &Arc<Prepared>) -> Result<Answered, Broken> {
    let (mut rows, mut count) = (Vec::new(), 0);
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            match frame.tag {
                b'D' => {
                    let length = frame.body.len();
                    rows.push(ClientRow::of(&answer, length, prepared));
                }
                b'C' => count = affected(frame.body),
                _ => {}
            }
        }
    }
    Ok(Answered { rows, count })
}

#[cold]
fn alone() -> Error {
    Error::new(
        Class::Unsupported,
        "A pipeline cannot contain a statement that begins, ends or needs its own transactions.",
    )
    .with_effect(Effect::NotSent)
    .with_hint("Use begin and commit of the connection around the pipeline.")
}

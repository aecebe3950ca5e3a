use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::types::Type;
use underpin_core::driver::Call as Asked;
use underpin_core::{Deadline, Result, Value};

use crate::call::Call;
use crate::connection::Connection;
use crate::param::Param;
use crate::sql::Nature;
use crate::statement_limit::Setting;

impl Connection {
    pub(crate) async fn run_execute(&self, asked: Asked<'_>) -> Result<u64> {
        let mut call = Call::open_for(self.session(), &asked)?;
        if !self.session().settings.options.owns_session() {
            return Box::pin(run_unnamed(call, asked.sql, asked.params)).await;
        }
        loop {
            let ready = match call.prepare(asked.sql).await {
                Ok(ready) => ready,
                Err(failure) => return Err(call.fail(failure).await),
            };
            let params = match ready.params(asked.params) {
                Ok(params) => params,
                Err(failure) => return Err(call.fail(failure).await),
            };
            match call.check(ready.prepared.nature) {
                Ok(nature) => call.submit(nature),
                Err(error) => return Err(call.refuse(error)),
            }
            let client = &self.session().client;
            let work = client.execute_raw(&ready.prepared.statement, params);
            let failure = match call.run(pin!(work)).await {
                Ok(count) => return call.done().map(|()| count),
                Err(failure) => failure,
            };
            if !Box::pin(call.can_try_anew(asked.sql, &ready, &failure)).await {
                return Err(call.fail(failure).await);
            }
        }
    }

    pub(crate) async fn run_batch(&self, sql: &str, deadline: Deadline) -> Result<()> {
        let mut call = Call::open(self.session(), deadline)?;
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        match call.check(Nature::of(sql)) {
            Ok(nature) => call.submit_simple(nature),
            Err(error) => return Err(call.refuse(error)),
        }
        call.note_limit(Setting::of(sql));
        match call
            .wait(pin!(self.session().client.batch_execute(sql)))
            .await
        {
            Ok(()) => call.done(),
            Err(failure) => {
                let limit = &self.session().limit;
                if let Some(setting) = Setting::of(sql)
                    && !call.in_transaction()
                {
                    limit.note_failed(setting);
                }
                let error = call.fail(failure).await;
                limit.take_failed();
                Err(error)
            }
        }
    }
}

async fn run_unnamed(mut call: Call, sql: &str, params: &[Value]) -> Result<u64> {
    if let Err(failure) = call.begin().await {
        return Err(call.fail(failure).await);
    }
    call.note_limit(Setting::of(sql));
    match call.check(Nature::of(sql)) {
        Ok(nature) => call.submit(nature),
        Err(error) => return Err(call.refuse(error)),
    }
    let session = call.session().clone();
    let work = async {
        let mut rows = pin!(session.client.query_typed_raw(sql, as_text(params)).await?);
        while rows.try_next().await?.is_some() {}
        Ok(rows.rows_affected().unwrap_or(0))
    };
    match call.wait(work).await {
        Ok(count) => call.done().map(|()| count),
        Err(failure) => Err(call.fail(failure).await),
    }
}

/// The parameters as texts whose types the server infers, for statements that are not prepared.
pub(crate) fn as_text(params: &[Value]) -> impl ExactSizeIterator<Item = (Param<'_>, Type)> + Send {
    params.iter().enumerate().map(|(at, value)| {
        (
            Param {
                value,
                kind: None,
                number: at + 1,
            },
            Type::UNKNOWN,
        )
    })
}

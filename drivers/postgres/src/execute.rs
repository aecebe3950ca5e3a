use std::pin::pin;

use underpin_core::driver::Call as Asked;
use underpin_core::{Deadline, Result, Value};

use crate::call::{Call, Failure};
use crate::connection::Connection;
use crate::prepare::run_unnamed;
use crate::sql::Nature;
use crate::statement_limit::Setting;
use crate::statements::verdict_of;
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::affected;
use crate::wire::put::Format;

impl Connection {
    pub(crate) async fn run_execute(&self, asked: Asked<'_>) -> Result<u64> {
        let mut call = Call::open_statement(self.session(), &asked)?;
        if !self.session().settings.options.owns_session() {
            return Box::pin(execute_unnamed(call, asked.sql, asked.params)).await;
        }
        loop {
            let ready = match call.prepare(asked.sql).await {
                Ok(ready) => ready,
                Err(failure) => return Err(call.fail(failure).await),
            };
            if let Err(failure) = ready.check(asked.params) {
                return Err(call.fail(failure).await);
            }
            match call.check(ready.prepared.nature) {
                Ok(nature) => call.submit_ready(nature, &ready, &asked),
                Err(error) => return Err(call.refuse(error)),
            }
            let joins = asked.shared.then_some(ready.prepared.name.number);
            let run = call.ask(joins, |out| ready.run(asked.params, out));
            let ended = match run.await {
                Ok(answer) => call.behind_begin(call.wait(pin!(count(answer))).await),
                Err(failure) => Err(failure),
            };
            let failure = match ended {
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
            Ok(nature) => call.submit_text(nature, sql),
            Err(error) => return Err(call.refuse(error)),
        }
        call.note_limit(Setting::of(sql));
        match call.wait(pin!(self.session().run_simple(sql))).await {
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

/// Waits for the end of a statement, and returns its number of rows.
pub(crate) async fn count(mut answer: Answer) -> Result<u64, Broken> {
    let mut count = 0;
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            if frame.tag == b'C' {
                count = affected(frame.body);
            }
        }
    }
    Ok(count)
}

async fn execute_unnamed(mut call: Call, sql: &str, params: &[Value]) -> Result<u64> {
    if let Err(failure) = call.begin().await {
        return Err(call.fail(failure).await);
    }
    let answer = match ask_unnamed(&mut call, sql, params, &[]) {
        Ok(answer) => answer,
        Err(failure) => return Err(call.fail(failure).await),
    };
    match call.wait(pin!(count(answer))).await {
        Ok(count) => call.done().map(|()| count),
        Err(failure) => Err(call.fail(failure).await),
    }
}

/// Sends a statement without a name, if no transaction is owed. Its columns come as texts if
/// requested.
pub(crate) fn ask_unnamed(
    call: &mut Call,
    sql: &str,
    params: &[Value],
    formats: &[Format],
) -> Result<Answer, Failure> {
    if !call.in_transaction() {
        call.session().ask_process();
    }
    call.note_limit(Setting::of(sql));
    let nature = call.check(Nature::of(sql)).map_err(Failure::Ours)?;
    let verdict = verdict_of(nature, sql, &call.session().settings.verdicts);
    call.submit_known(nature, verdict.as_ref());
    call.ask_settled(None, |out| run_unnamed(sql, params, formats, out))
}

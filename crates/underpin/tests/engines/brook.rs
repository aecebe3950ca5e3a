//! Brook: SQL with names in brackets and parameters such as `@p1`. It refuses names in double
//! quotes and parameters of other forms. Its databases are SQLite files.

use std::sync::{LazyLock, Mutex, Once};
use std::time::Duration;

use underpin::driver::{
    AnyConnector, BoxFuture, BulkTarget, Call, Connection, Connector, Fetching, Pooled, RowSink,
    RowSource, SessionState,
};
use underpin::engine::{
    AddressForm, Capabilities, Dialect, Dialects, EngineDriver, EngineInfo, MigrationDialect,
    ModelDialect, NewMember, Opened, PoolOptions, SchemaDialect,
};
use underpin::schema::{Catalog, ScratchRules, sqlite as schema};
use underpin::{
    Class, Columns, Config, Deadline, Effect, Endpoint, Engine, Error, Result, Role,
    TransactionOptions,
};
use underpin_core::{Address, StatementDescription};
use underpin_sql::{Kind, Lexer, Lexis, Parameter, ParameterForm, Quotes, Rules, SQLITE};

static INFO: EngineInfo = EngineInfo {
    name: "brook",
    title: "Brook",
    aliases: &["brookdb"],
    address: AddressForm::File,
    extensions: &[],
    keys: &["busy_timeout", "read_only"],
    pool_size: 3,
    longest_statement_secs: None,
};

const BRACKETS: Quotes = Quotes {
    open: b'[',
    close: b']',
    doubled: true,
};

/// Double quotes are read as names, so that they can be refused.
const RULES: Rules = Rules {
    names: &[BRACKETS, Quotes::of(b'"')],
    parameters: &[Parameter {
        sign: b'@',
        form: ParameterForm::Name,
    }],
    trigger_bodies: true,
    ..Rules::STANDARD
};

static DIALECT: LazyLock<Dialect> = LazyLock::new(|| Dialect {
    name: "Brook",
    lexis: Lexis::new(RULES),
    quotes: BRACKETS,
    placeholder: |number| format!("@p{number}"),
    ..SQLITE
});

static SCHEMA: LazyLock<SchemaDialect> = LazyLock::new(|| SchemaDialect {
    catalog: Catalog {
        statements: |version, selection| {
            let mut all = (schema::DIALECT.catalog.statements)(version, selection)?;
            for statement in &mut all {
                statement.sql = with_parameters(&in_brackets(&statement.sql));
            }
            Ok(all)
        },
        ..schema::DIALECT.catalog
    },
    dump: |of| {
        Ok((schema::DIALECT.dump)(of)?
            .iter()
            .map(|sql| in_brackets(sql))
            .collect())
    },
    scratch: ScratchRules::Memory {
        url: "brook::memory:",
    },
    ..schema::DIALECT
});

static MODELS: LazyLock<ModelDialect> = LazyLock::new(|| ModelDialect {
    name: "brook",
    sql: &DIALECT,
    ..underpin::model::sqlite::DIALECT
});

static MIGRATIONS: LazyLock<MigrationDialect> = LazyLock::new(|| MigrationDialect {
    sql: &DIALECT,
    foreign_keys: None,
    ..underpin_migrate::sqlite::DIALECT
});

/// Registers Brook, once.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| underpin::engine::register(Brook).unwrap());
}

/// A statement that is refused because the server is busy, and the number of refusals left.
static BUSY: Mutex<Option<(&str, u32)>> = Mutex::new(None);

/// Refuses this statement, which changes rows, this many times.
pub(crate) fn fail_next_with_busy(sql: &'static str, count: u32) {
    *BUSY.lock().unwrap() = Some((sql, count));
}

fn is_busy(sql: &str) -> bool {
    match &mut *BUSY.lock().unwrap() {
        Some((refused, left)) if *refused == sql && *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    }
}

pub(crate) struct Brook;

impl EngineDriver for Brook {
    fn engine(&self) -> Engine {
        Engine::register(&INFO)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            pipelining: false,
            transactions: true,
            notifications: false,
            roles_change: false,
            positions: false,
        }
    }

    fn dialects(&self) -> Option<Dialects> {
        Some(Dialects {
            sql: &DIALECT,
            schema: &SCHEMA,
            models: &MODELS,
            migrations: &MIGRATIONS,
        })
    }

    fn open(&self, config: &Config) -> Result<Opened> {
        let endpoint = config.endpoints()[0].clone();
        let in_memory = endpoint.address == Address::Memory;
        let options = PoolOptions {
            min: 0,
            max: if in_memory { 1 } else { config.pool_max_size() },
            idle_timeout: Duration::MAX,
            max_lifetime: Duration::MAX,
            ..PoolOptions::new(endpoint.to_string())
        };
        let native = underpin::sqlite::Options {
            read_only: config.read_only(),
            ..underpin::sqlite::Options::writer()
        };
        let connector = BrookConnector(underpin::sqlite::Connector::new(endpoint.clone(), native));
        let member = NewMember::new(endpoint.clone(), AnyConnector::new(connector), options);
        Ok(Opened::Members(vec![member]))
    }
}

struct BrookConnector(underpin::sqlite::Connector);

impl Connector for BrookConnector {
    type Connection = BrookConnection;

    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<BrookConnection>> {
        Box::pin(async move { self.0.connect(deadline).await.map(BrookConnection) })
    }
}

struct BrookConnection(underpin::sqlite::Connection);

/// The statement in SQLite's dialect.
fn translated(sql: &str) -> Result<String> {
    let mut text = String::with_capacity(sql.len());
    for token in Lexer::new(sql, &DIALECT.lexis) {
        match token.kind {
            Kind::Parameter => {
                let number = token
                    .text
                    .strip_prefix("@p")
                    .ok_or_else(|| refused(token.text))?;
                text.push('?');
                text.push_str(number);
            }
            Kind::Name if token.text.starts_with('"') => return Err(refused(token.text)),
            _ => text.push_str(token.text),
        }
    }
    Ok(text)
}

/// The statement with all names in double quotes put in brackets.
fn in_brackets(sql: &str) -> String {
    let tokens = Lexer::new(sql, &DIALECT.lexis);
    tokens
        .map(|token| match token.text.strip_prefix('"') {
            Some(name) if token.kind == Kind::Name => {
                let name = name.trim_end_matches('"').replace("\"\"", "\"");
                DIALECT.identifier(&name).expect("the name was one before")
            }
            _ => token.text.to_owned(),
        })
        .collect()
}

/// The statement with SQLite's parameters, `$1`, written as Brook's.
fn with_parameters(sql: &str) -> String {
    let tokens = Lexer::new(sql, &SQLITE.lexis);
    tokens
        .map(|token| match (token.kind, token.text.strip_prefix('$')) {
            (Kind::Parameter, Some(number)) => format!("@p{number}"),
            _ => token.text.to_owned(),
        })
        .collect()
}

fn refused(token: &str) -> Error {
    Error::new(Class::Syntax, format!("Brook does not read {token}.")).with_effect(Effect::NotSent)
}

impl Pooled for BrookConnection {
    fn state(&self) -> SessionState {
        self.0.state()
    }

    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.0.ping(deadline)
    }

    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.0.reset(deadline)
    }

    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()> {
        Box::new(self.0).close(deadline)
    }
}

impl Connection for BrookConnection {
    fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }

    fn role(&self) -> Role {
        Role::Primary
    }

    fn in_flight(&self) -> usize {
        self.0.in_flight()
    }

    fn execute<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let sql = translated(call.sql)?;
            if is_busy(call.sql) {
                return Err(
                    Error::new(Class::Conflict, "Brook is busy.").with_effect(Effect::RolledBack)
                );
            }
            self.0.execute(Call { sql: &sql, ..call }).await
        })
    }

    fn fetch<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<Box<dyn RowSink>>> {
        Box::pin(async move {
            let sql = translated(call.sql)?;
            self.0.fetch(Call { sql: &sql, ..call }, sink).await
        })
    }

    fn fetch_stream<'a>(
        &'a self,
        call: Call<'a>,
        sink: Box<dyn RowSink>,
    ) -> BoxFuture<'a, Result<(Columns, Fetching)>> {
        Box::pin(async move {
            let sql = translated(call.sql)?;
            self.0.fetch_stream(Call { sql: &sql, ..call }, sink).await
        })
    }

    fn batch<'a>(&'a self, sql: &'a str, deadline: Deadline) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.0.batch(&translated(sql)?, deadline).await })
    }

    fn insert_rows<'a>(
        &'a self,
        target: BulkTarget<'a>,
        rows: &'a mut dyn RowSource,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<u64>> {
        self.0.insert_rows(target, rows, deadline)
    }

    fn begin(&self, options: TransactionOptions, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.0.begin(options, deadline)
    }

    fn commit(&self) -> BoxFuture<'_, Result<()>> {
        self.0.commit()
    }

    fn rollback(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.0.rollback(deadline)
    }

    fn describe<'a>(
        &'a self,
        sql: &'a str,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<StatementDescription>> {
        Box::pin(async move { self.0.describe(&translated(sql)?, deadline).await })
    }

    fn only_reads<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async { Ok(None) })
    }
}

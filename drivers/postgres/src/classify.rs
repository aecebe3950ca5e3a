use std::collections::BTreeSet;
use std::io;

use underpin_core::{Class, Code, ConstraintKind, Endpoint, Error, Existence, Stage};
use underpin_sql::constraint_name;

use crate::options::Options;
use crate::statement_limit::INTERRUPTS;
use crate::wire::server_error::ServerError;
use crate::wire::startup::Fault;

/// SQLSTATEs and their classes. A two-character entry stands for a whole SQLSTATE class, below the
/// codes that are listed in full.
const TABLE: &[(&str, Class)] = &[
    ("02000", Class::NotFound),
    ("03", Class::Connect),
    ("08", Class::Connect),
    ("08P01", Class::Protocol),
    ("0A", Class::Unsupported),
    ("0L", Class::Permission),
    ("0P", Class::Permission),
    ("20", Class::Data),
    ("21", Class::Data),
    ("22", Class::Data),
    ("23", Class::Constraint),
    ("25006", Class::ReadOnly),
    ("25P01", Class::Closed),
    ("25P02", Class::Closed),
    (
        "25P03",
        Class::Timeout {
            stage: Stage::Statement,
        },
    ),
    (
        "25P04",
        Class::Timeout {
            stage: Stage::Statement,
        },
    ),
    ("28", Class::Auth),
    ("34", Class::Missing),
    ("3D", Class::Missing),
    ("3F", Class::Missing),
    ("40", Class::Conflict),
    ("40002", Class::Constraint),
    ("42", Class::Syntax),
    ("42501", Class::Permission),
    ("42P01", Class::Missing),
    ("44", Class::Constraint),
    ("53", Class::Resource),
    ("53300", Class::Busy),
    ("54", Class::Unsupported),
    ("55006", Class::Busy),
    ("55P03", Class::Busy),
    ("55P04", Class::Unsupported),
    ("57014", Class::Canceled),
    ("57P01", Class::Connect),
    ("57P02", Class::Connect),
    ("57P03", Class::Busy),
    ("57P04", Class::Missing),
    ("57P05", Class::Connect),
    ("72", Class::Conflict),
    ("P0002", Class::NotFound),
    ("P0003", Class::Data),
    ("XX001", Class::Corrupt),
    ("XX002", Class::Corrupt),
];

/// The class of a SQLSTATE; [`Class::Server`] if it is not in the table.
pub(crate) fn class_of(code: &str) -> Class {
    let find = |key: &str| {
        TABLE
            .iter()
            .find(|(state, _)| *state == key)
            .map(|(_, class)| *class)
    };
    find(code)
        .or_else(|| find(code.get(..2)?))
        .unwrap_or(Class::Server)
}

/// The class of a server error about a statement. A statement that the server canceled needs more
/// than the code: [`statement_limit::class`](crate::statement_limit::class).
pub(crate) fn class_of_error(error: &ServerError) -> Class {
    match error.code() {
        // Other routines report NOWAIT.
        "55P03" if error.routine() == Some(INTERRUPTS) => Class::Timeout { stage: Stage::Lock },
        // The transaction can be retried: by then the statement is prepared again.
        "0A000" if is_outgrown(error) => Class::Conflict,
        code => class_of(code),
    }
}

/// Whether the object that the statement names already exists, or does not exist, if the SQLSTATE
/// says so.
fn existence(code: &str) -> Option<Existence> {
    Some(match code {
        // A database, a namespace, a relation, a column, another object, a function.
        "42P04" | "42P06" | "42P07" | "42701" | "42710" | "42723" => Existence::Exists,
        "3D000" | "3F000" | "42P01" | "42703" | "42704" | "42883" => Existence::Missing,
        _ => return None,
    })
}

/// The kind of the violated constraint, if the SQLSTATE says so.
fn constraint_kind(code: &str) -> Option<ConstraintKind> {
    Some(match code {
        "23505" => ConstraintKind::Unique,
        // A RESTRICT has its own code.
        "23503" | "23001" => ConstraintKind::ForeignKey,
        // So does a view WITH CHECK OPTION.
        "23514" | "44000" => ConstraintKind::Check,
        "23502" => ConstraintKind::NotNull,
        "23P01" => ConstraintKind::Exclusion,
        _ => return None,
    })
}

/// The error for a server error about a statement; the caller sets the effect. The server's detail
/// may contain values of a row, and is part of the message only if `with_detail`.
pub(crate) fn refused(error: &ServerError, class: Class, with_detail: bool) -> Error {
    let said = match with_detail {
        true => error.message().into(),
        false => error.message_without_values(),
    };
    let mut message = format!("PostgreSQL refused the statement: {}", sentence(&said));
    if let Some(detail) = error.detail().filter(|_| with_detail) {
        message.push(' ');
        message.push_str(&sentence(detail));
    }
    let position = error.position();
    let at = position.map_or_else(String::new, |at| format!(", at character {at}"));
    message.push_str(&format!(" (SQLSTATE {}{at}.)", error.code()));
    let mut failed = Error::new(class, message);
    if let Some(position) = position {
        failed = failed.with_position(position);
    }
    described(failed, error)
}

/// Advice for a pooler that passes the server's session from one client to the next.
pub(crate) const BEHIND_A_POOLER: &str = "Set statement_cache_size = 0 if a pooler in transaction mode, \
    such as PgBouncer, is in front of the server: statements are then sent unnamed, and the \
    default of statement_timeout is not sent at startup.";

/// Advice if such a pooler refuses configured settings.
const REFUSED_BY_A_POOLER: &str = "Leave out statement_timeout and options, and set them on the server \
    for the user: ALTER ROLE … SET statement_timeout = '5s'.";

/// Whether the server does not have a prepared statement, or already has one of that name, and no
/// code within the server named it.
pub(crate) fn is_about_a_name(error: &ServerError) -> bool {
    matches!(error.code(), "26000" | "42P05") && error.context().is_none()
}

fn described(mut failed: Error, error: &ServerError) -> Error {
    let code = error.code();
    failed = failed.with_code(Code::from_sqlstate(code));
    if let Some(existence) = existence(code) {
        failed = failed.with_existence(existence);
    }
    if let Some(kind) = constraint_kind(code) {
        failed = failed.with_constraint_kind(kind);
    }
    if let Some(namespace) = error.schema() {
        failed = failed.with_namespace(namespace);
    }
    if let Some(table) = error.table() {
        failed = failed.with_table(table);
    }
    if let Some(column) = error.column() {
        failed = failed.with_column(column);
    }
    if let Some(data_type) = error.data_type() {
        failed = failed.with_data_type(data_type);
    }
    let whole = error.message();
    let quotes = error.message_without_values() != whole;
    match error.detail() {
        Some(detail) if quotes => failed = failed.with_detail(format!("{whole}. {detail}")),
        Some(detail) => failed = failed.with_detail(detail),
        None if quotes => failed = failed.with_detail(whole),
        None => {}
    }
    if let Some(constraint) = error.constraint() {
        failed = failed.with_constraint(constraint);
    } else if let ("23502", Some(table), Some(column)) = (code, error.table(), error.column()) {
        // Before PostgreSQL 18 it has no name of its own; PostgreSQL 18 gives it this one.
        let columns = [column.to_owned()];
        failed = failed.with_constraint(constraint_name(
            table,
            &columns,
            "not_null",
            &BTreeSet::new(),
        ));
    }
    match (failed.hint(), error.hint(), error.routine()) {
        (None, Some(hint), _) => failed.with_hint(sentence(hint)),
        (None, None, Some("getTypeBinaryOutputInfo")) => {
            failed.with_hint("Cast the column to text in the statement: column::text.")
        }
        _ => failed,
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', ')']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Whether a prepared statement no longer fits the tables that it uses, or is gone.
pub(crate) fn is_outgrown(error: &ServerError) -> bool {
    match error.code() {
        "0A000" => error.routine() == Some("RevalidateCachedQuery"),
        "26000" => true,
        _ => false,
    }
}

/// The error for a stream that could not be opened.
pub(crate) fn dial_failed(error: io::Error, endpoint: &Endpoint) -> Error {
    let (message, hint) = match error.kind() {
        io::ErrorKind::NotFound
            if matches!(endpoint.address, underpin_core::Address::Tcp { .. }) =>
        {
            (
                format!("The host of {endpoint} cannot be found: {error}."),
                "Check the host name, and that this machine can resolve names.",
            )
        }
        io::ErrorKind::NotFound => (
            format!("The socket {endpoint} does not exist: {error}."),
            "Check that the server is running on this machine, and check the directory and port of the socket.",
        ),
        io::ErrorKind::ConnectionRefused => (
            format!("Nothing accepts connections at {endpoint}: {error}."),
            "Check that the server is running, and check host and port.",
        ),
        _ => (
            format!("The server at {endpoint} cannot be reached: {error}."),
            "Check host and port, the network, and any firewall in between.",
        ),
    };
    Error::new(Class::Connect, message)
        .with_hint(hint)
        .with_source(error)
}

/// The error for an endpoint at which another program answers.
pub(crate) fn alien(endpoint: &Endpoint) -> Error {
    Error::new(
        Class::Protocol,
        format!("The server at {endpoint} does not speak PostgreSQL's protocol."),
    )
    .with_hint("Check host and port.")
}

/// The error for a failed login.
pub(crate) fn login_failed(fault: Fault, endpoint: &Endpoint, options: &Options) -> Error {
    let user = &options.user;
    let failed = match &fault {
        Fault::Refused(said) => described(login_refused(said, endpoint, options), said),
        Fault::PasswordMissing => Error::new(
            Class::Auth,
            format!("The server at {endpoint} asks for the password of the user {user:?}, but none is set."),
        )
        .with_hint("Set the password."),
        Fault::Unbound => Error::new(
            Class::Auth,
            format!(
                "The server at {endpoint} did not bind the login of the user {user:?} to the encrypted \
                 connection, but channel_binding=require requires that."
            ),
        )
        .with_hint(
            "The server must ask for scram-sha-256 in its pg_hba.conf, store the password in that form, and \
             be connected by TLS without anything in between.",
        ),
        Fault::Cleartext => Error::new(
            Class::Auth,
            format!(
                "The server at {endpoint} asks for the password of the user {user:?} in clear text, \
                 but the connection is not encrypted."
            ),
        )
        .with_hint(
            "Encrypt the connection, use scram-sha-256 in the server's pg_hba.conf, or set \
             allow_cleartext_password.",
        ),
        Fault::Authentication(how) => Error::new(
            Class::Auth,
            format!("The login of the user {user:?} at {endpoint} failed: {how}."),
        )
        .with_hint("Check the password, and the method that the server's pg_hba.conf asks for."),
        Fault::Violation(_) => alien(endpoint),
        Fault::Unsendable => Error::new(
            Class::Config,
            format!("The login at {endpoint} cannot be sent: {fault}."),
        )
        .with_hint("Check the user, password, database and settings."),
    };
    match fault {
        Fault::Refused(said) => failed.with_source(*said),
        fault => failed.with_source(fault),
    }
}

/// The error for a stream that ended before the login was complete.
pub(crate) fn login_ended(error: io::Error, endpoint: &Endpoint) -> Error {
    if matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    ) {
        return alien(endpoint).with_source(error);
    }
    Error::new(
        Class::Connect,
        format!(
            "The server at {endpoint} ended the connection before the login was complete: {error}."
        ),
    )
    .with_hint("Check that it is a PostgreSQL server, and look at its log.")
    .with_source(error)
}

/// The error for a login that a pooler refuses because of the settings sent with it.
pub(crate) fn settings_refused(
    said: &ServerError,
    endpoint: &Endpoint,
    options: &Options,
) -> Error {
    let (words, code) = (sentence(said.message()), said.code());
    let refused = Error::new(
        Class::Config,
        format!(
            "The server at {endpoint} is a pooler that does not accept the settings sent \
             at startup: {words} (SQLSTATE {code}.)"
        ),
    )
    .with_hint(match options.owns_session() {
        true => BEHIND_A_POOLER,
        false => REFUSED_BY_A_POOLER,
    });
    described(refused, said).with_source(said.clone())
}

fn login_refused(said: &ServerError, endpoint: &Endpoint, options: &Options) -> Error {
    let (user, database) = (&options.user, options.database_name());
    let words = sentence(said.message());
    match said.code() {
        "28P01" => Error::new(
            Class::Auth,
            format!("The server at {endpoint} refused the password of the user {user:?} for the database {database:?}."),
        )
        .with_hint(if options.password.is_empty() {
            "No password is set. Set it."
        } else {
            "Check the user's name and the password."
        }),
        "28000" => Error::new(
            Class::Auth,
            format!("The server at {endpoint} does not let the user {user:?} into the database {database:?}: {words}"),
        )
        .with_hint(
            "Check the user's name; the server's pg_hba.conf must allow this user, database, \
             address and encryption.",
        ),
        "3D000" => Error::new(
            Class::Missing,
            format!("The server at {endpoint} has no database {database:?} (requested by the user {user:?})."),
        )
        .with_hint("Check the database's name, or create it."),
        "53300" => Error::new(
            Class::Busy,
            format!("The server at {endpoint} accepts no more connections of the user {user:?}: {words}"),
        )
        .with_hint("Use a smaller pool, or raise the server's max_connections."),
        "57P03" => {
            Error::new(Class::Busy, format!("The server at {endpoint} accepts no connections yet: {words}"))
        }
        code => Error::new(
            class_of(code),
            format!(
                "The server at {endpoint} refused the user {user:?} for the database {database:?}: \
                 {words} (SQLSTATE {code}.)"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use underpin_core::driver::{Call, Connection as _, Connector as _};
    use underpin_core::{Deadline, Secret, TlsMode, TlsOptions, Value};
    use underpin_testkit::{Postgres, Proxy, or_skip};

    use super::*;
    use crate::{Connection, Connector};

    #[test]
    fn each_row_of_the_table_is_found() {
        for (state, class) in TABLE {
            let code = if state.len() == 5 {
                (*state).to_owned()
            } else {
                format!("{state}ZZZ")
            };
            assert_eq!(class_of(&code), *class, "{state}");
        }
    }

    #[test]
    fn the_most_frequent_codes_are_classified() {
        let timeout = Class::Timeout {
            stage: Stage::Statement,
        };
        for (code, class) in [
            ("08006", Class::Connect),
            ("08P01", Class::Protocol),
            ("0A000", Class::Unsupported),
            ("22003", Class::Data),
            ("22P02", Class::Data),
            ("23505", Class::Constraint),
            ("23503", Class::Constraint),
            ("23502", Class::Constraint),
            ("23514", Class::Constraint),
            ("23P01", Class::Constraint),
            ("25006", Class::ReadOnly),
            ("25P04", timeout),
            ("28P01", Class::Auth),
            ("28000", Class::Auth),
            ("3D000", Class::Missing),
            ("3F000", Class::Missing),
            ("40001", Class::Conflict),
            ("40P01", Class::Conflict),
            ("42501", Class::Permission),
            ("42601", Class::Syntax),
            ("42703", Class::Syntax),
            ("42P01", Class::Missing),
            ("42883", Class::Syntax),
            ("53100", Class::Resource),
            ("53200", Class::Resource),
            ("53300", Class::Busy),
            ("55P03", Class::Busy),
            ("55006", Class::Busy),
            ("57014", Class::Canceled),
            ("57P01", Class::Connect),
            ("57P02", Class::Connect),
            ("57P03", Class::Busy),
            ("58030", Class::Server),
            ("XX000", Class::Server),
            ("XX001", Class::Corrupt),
            ("XX002", Class::Corrupt),
            ("P0001", Class::Server),
            ("25P02", Class::Closed),
            ("", Class::Server),
            ("é", Class::Server),
        ] {
            assert_eq!(class_of(code), class, "{code}");
        }
    }

    #[test]
    fn no_row_is_there_twice() {
        for (at, (state, _)) in TABLE.iter().enumerate() {
            assert!(
                TABLE[..at].iter().all(|(other, _)| other != state),
                "{state}"
            );
        }
    }

    /// The facts in an error after a function of the server raises this code.
    async fn raised(connection: &Connection, code: &str) -> String {
        let params = [Value::Text(code.into())];
        let call = Call {
            sql: "SELECT raises($1)",
            params: &params,
            deadline: Deadline::after(Instant::now(), Duration::from_secs(20)),
            shared: false,
        };
        let error = connection.execute(call).await.unwrap_err();
        let names = (
            error.constraint(),
            error.namespace(),
            error.table(),
            error.column(),
            error.data_type(),
        );
        let kind = (error.class(), error.effect(), error.existence());
        format!(
            "{:?} {kind:?} {names:?} {}",
            error.code(),
            error.position().is_some()
        )
    }

    #[tokio::test]
    async fn each_row_is_the_same_in_another_language() {
        let server = or_skip!(Postgres::shared());
        let database = server.database("classify_translated");
        let function = "CREATE FUNCTION raises(code text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
            RAISE 'canceling statement due to statement timeout' USING ERRCODE = code,
                DETAIL = 'cached plan must not change result type', CONSTRAINT = 'c',
                SCHEMA = 's', TABLE = 't', COLUMN = 'k', DATATYPE = 'd';
            END $$";
        database
            .client()
            .await
            .batch_execute(function)
            .await
            .unwrap();
        let proxy = Proxy::before(server);
        proxy.translate();
        let connect = async |port| {
            let options = Options {
                database: Some(database.name().to_owned()),
                user: server.user().to_owned(),
                password: Secret::new(server.password()),
                tls: TlsOptions::new(TlsMode::Disable),
                ..Options::default()
            };
            let connector = Connector::new([Endpoint::tcp(server.host(), port)], options).unwrap();
            connector.connect(Deadline::NONE).await.unwrap()
        };
        let english = connect(server.port()).await;
        let translated = connect(proxy.port()).await;
        for (state, class) in TABLE {
            let code = format!("{state:0<5}");
            let told = raised(&english, &code).await;
            assert!(told.contains(&format!("{class:?}")), "{code}: {told}");
            assert!(
                told.contains("Some(\"c\"), Some(\"s\"), Some(\"t\")"),
                "{code}: {told}"
            );
            assert_eq!(raised(&translated, &code).await, told, "{code}");
        }
    }
}

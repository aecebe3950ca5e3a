//! The same string for psql and for Underpin: both connect, or neither does, and the server sees
//! the same session.

use std::path::PathBuf;
use std::process::Command;

use underpin::{Class, Database};
use underpin_testkit::postgres::program;
use underpin_testkit::{Postgres, TestDatabase, or_skip};

use crate::place::small;

const SESSION: &str = "SELECT concat_ws('|', a.application_name, s.ssl, \
    CASE WHEN $1 THEN s.version END, current_setting('geqo'), current_setting('TimeZone'), \
    current_setting('client_encoding'), current_user, current_database()) \
    FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE pid = pg_backend_pid()";

/// The answer of psql, or that it could not connect.
fn asked_psql(psql: &PathBuf, text: &str, sql: &str) -> Result<String, String> {
    let output = Command::new(psql)
        .args(["-XAtc", sql, text])
        .env_clear()
        .output()
        .expect("psql runs");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

async fn asked_underpin(text: &str, sql: &str, params: (bool,)) -> Result<String, underpin::Error> {
    let config = underpin::Config::from_url(text)?.to_builder();
    let config = config.max_retries(0).pool_max_size(1).pool_min_size(0);
    let db = Database::connect(config.build()?).await?;
    db.query_scalar(sql, params).await
}

/// Parameters, and whether psql connects with them.
fn parameters() -> Vec<(&'static str, bool)> {
    vec![
        ("application_name=till&keepalives=0", true),
        (
            "fallback_application_name=other&application_name=till",
            true,
        ),
        (
            "application_name=till&keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=3",
            true,
        ),
        ("application_name=till&tcp_user_timeout=5000", true),
        ("application_name=till&connect_timeout=7", true),
        ("application_name=till&client_encoding=UTF8", true),
        (
            "application_name=till&options=-c%20geqo%3Doff%20-c%20timezone%3DAsia/Tokyo",
            true,
        ),
        ("application_name=till&gssencmode=disable", true),
        ("application_name=till&gssencmode=prefer", true),
        ("application_name=till&target_session_attrs=any", true),
        (
            "application_name=till&target_session_attrs=read-write",
            true,
        ),
        ("application_name=till&target_session_attrs=primary", true),
        ("application_name=till&sslcompression=0", true),
        ("application_name=till&replication=false", true),
        ("application_name=till&hostaddr=127.0.0.1", true),
        ("application_name=till&hostaddr=127.0.0.99", false),
        ("application_name=till&sslmode=require", true),
        ("application_name=till&sslmode=require&sslsni=0", true),
        (
            "application_name=till&sslmode=require&channel_binding=require",
            true,
        ),
        (
            "application_name=till&sslmode=require&channel_binding=prefer",
            true,
        ),
        (
            "application_name=till&sslmode=require&channel_binding=disable",
            true,
        ),
        (
            "application_name=till&sslmode=disable&channel_binding=require",
            false,
        ),
        (
            "application_name=till&sslmode=require&ssl_min_protocol_version=TLSv1.3",
            true,
        ),
        (
            "application_name=till&sslmode=require&ssl_max_protocol_version=TLSv1.2",
            true,
        ),
        (
            "application_name=till&sslmode=verify-ca&sslrootcert=CA",
            true,
        ),
        (
            "application_name=till&sslmode=verify-full&sslrootcert=CA",
            true,
        ),
        ("application_name=till&ssl=true", true),
        ("dbname=no_such_database", false),
    ]
}

/// A URL with these parameters, without those that the URL has itself.
fn url(database: &TestDatabase, server: &Postgres, parameters: &str, ca: &str) -> String {
    let own = database.url();
    let (place, _) = own.split_once('?').unwrap_or((&own, ""));
    let place = match parameters.contains("dbname=") {
        true => place.rsplit_once('/').unwrap().0.to_owned() + "/",
        false => place.to_owned(),
    };
    let host = server.host();
    let place = match parameters.contains("hostaddr=") {
        true => place.replace(&format!("@{host}:"), "@db.invalid:"),
        false => place,
    };
    let has_mode = ["sslmode", "ssl=", "sslrootcert"]
        .iter()
        .any(|key| parameters.contains(key));
    let mode = if has_mode { "" } else { "&sslmode=disable" };
    format!("{place}?{}{mode}", parameters.replace("CA", ca))
}

#[tokio::test]
async fn a_libpq_string_means_the_same_as_to_psql() {
    let server = or_skip!(Postgres::shared());
    let psql = or_skip!(program("psql"));
    let ca = or_skip!(server.ca_certificate());
    let ca = ca.display().to_string().replace('/', "%2F");
    let database = server.database("libpq_same");
    for (parameters, connects) in parameters() {
        let url = url(&database, server, parameters, &ca);
        let versions = parameters.contains("_protocol_version");
        let theirs = asked_psql(&psql, &url, &SESSION.replace("$1", &versions.to_string()));
        assert_eq!(theirs.is_ok(), connects, "{parameters}: {theirs:?}");
        let ours = asked_underpin(&url, SESSION, (versions,)).await;
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => assert_eq!(ours, theirs, "{parameters}"),
            (Err(_), Err(_)) => {}
            (theirs, ours) => panic!("{parameters}: psql {theirs:?}, Underpin {ours:?}"),
        }
    }
}

#[tokio::test]
async fn channel_binding_is_required_if_configured() {
    let lines = "host all without_scram all trust";
    let server = or_skip!(Postgres::builder().hba(lines).start());
    let psql = or_skip!(program("psql"));
    let database = server.database("libpq_binding");
    let client = database.client().await;
    client
        .batch_execute("CREATE ROLE without_scram LOGIN")
        .await
        .unwrap();
    let (host, port, name) = (server.host(), server.port(), database.name());
    let url = |mode: &str| {
        format!(
            "postgres://without_scram@{host}:{port}/{name}?sslmode=require&channel_binding={mode}"
        )
    };
    for (mode, connects) in [("disable", true), ("prefer", true), ("require", false)] {
        let theirs = asked_psql(&psql, &url(mode), "SELECT 1");
        assert_eq!(theirs.is_ok(), connects, "{mode}: {theirs:?}");
        let ours = asked_underpin(&url(mode), "SELECT 'x' WHERE $1", (true,)).await;
        assert_eq!(ours.is_ok(), connects, "{mode}: {ours:?}");
        if let Err(error) = ours {
            assert_eq!(error.class(), Class::Auth, "{error}");
            assert!(
                error.to_string().contains("channel_binding=require"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_is_read_only_by_default_is_not_one_for_writes() {
    let server = or_skip!(Postgres::shared());
    let psql = or_skip!(program("psql"));
    let database = server.database("libpq_read_only");
    let client = database.client().await;
    let name = database.name();
    client
        .batch_execute(&format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = on"
        ))
        .await
        .unwrap();
    for (target, connects) in [("any", true), ("read-write", false), ("primary", true)] {
        let url = format!("{}&target_session_attrs={target}", database.url());
        let theirs = asked_psql(&psql, &url, "SELECT 1");
        assert_eq!(theirs.is_ok(), connects, "{target}: {theirs:?}");
        let ours = asked_underpin(&url, "SELECT 'x' WHERE $1", (true,)).await;
        assert_eq!(ours.is_ok(), connects, "{target}: {ours:?}");
        if let Err(error) = ours {
            assert!(error.to_string().contains("takes no writes"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_string_in_words_connects() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("libpq_words");
    let text = format!(
        "host={} port={} dbname={} user={} password='{}' sslmode=disable application_name='a b'",
        server.host(),
        server.port(),
        database.name(),
        server.user(),
        server.password()
    );
    let db = small(&text, 1).await;
    let name: String = db
        .query_scalar("SELECT current_setting('application_name')", ())
        .await
        .unwrap();
    assert_eq!(name, "a b");
}

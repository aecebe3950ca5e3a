//! Each fault that a user may see is a sentence that says what, where and what to do, with the
//! right class and effect, and without a secret in it.

use underpin::{Class, Config, Connection, Database, Effect, Error, Stage};
use underpin_testkit::{
    NotADatabase, Postgres, ServerCertificate, SqliteFile, closed_port, or_skip, secrets,
};

/// The error of connecting, without retries, which would take seconds.
async fn refused(url: &str) -> Error {
    let config = Config::from_url(url)
        .unwrap()
        .to_builder()
        .max_retries(0)
        .build()
        .unwrap();
    let pooled = Database::connect(&config)
        .await
        .expect_err("connecting fails");
    let single = Connection::connect(&config)
        .await
        .expect_err("connecting fails");
    assert_eq!(pooled.class(), single.class(), "{pooled} / {single}");
    for error in [&pooled, &single] {
        // To the run's output, which is searched for secrets.
        println!("{error}\n{error:?}\n{error:#?}");
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            println!("  because of: {cause} {cause:?}");
            source = cause.source();
        }
    }
    assert_eq!(pooled.effect(), Effect::NotSent);
    pooled
}

fn assert_says(error: &Error, class: Class, parts: &[&str]) {
    assert_eq!(error.class(), class, "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
    assert!(error.hint().is_some(), "{text:?} does not say what to do");
    assert!(error.message().ends_with('.'), "{text:?} is not a sentence");
}

#[tokio::test]
async fn wrong_password() {
    let server = or_skip!(Postgres::shared());
    let wrong = secrets::password();
    let url = server.url("postgres").replace(server.password(), &wrong);
    let error = refused(&url).await;
    let place = format!("{}:{}", server.host(), server.port());
    assert_says(&error, Class::Auth, &[&place, server.user(), "password"]);
    assert!(!format!("{error} {error:?}").contains(&wrong));
}

#[tokio::test]
async fn unknown_host() {
    let secret = secrets::password();
    let url = format!("postgres://app:{secret}@no-such-host.invalid/shop?sslmode=disable");
    let error = refused(&url).await;
    assert_says(&error, Class::Connect, &["no-such-host.invalid"]);
}

#[tokio::test]
async fn closed_port_() {
    let secret = secrets::password();
    let port = closed_port();
    let url = format!("postgres://app:{secret}@127.0.0.1:{port}/shop");
    let error = refused(&url).await;
    assert_says(
        &error,
        Class::Connect,
        &[&format!("127.0.0.1:{port}"), "refused"],
    );
}

#[tokio::test]
async fn unknown_database() {
    let server = or_skip!(Postgres::shared());
    let error = refused(&server.url("no_such_database")).await;
    assert_says(&error, Class::Missing, &["no_such_database"]);
    assert_eq!(error.sqlstate(), Some("3D000"));
}

#[tokio::test]
async fn expired_certificate_wrong_host_name_and_unknown_authority() {
    let cases = [
        (ServerCertificate::Expired, "expired"),
        (ServerCertificate::WrongHost, "127.0.0.1"),
        (ServerCertificate::UnknownAuthority, "authority"),
    ];
    for (certificate, says) in cases {
        let server = or_skip!(Postgres::builder().certificate(certificate).start());
        let ca = server.ca_certificate().unwrap().display().to_string();
        let url = server
            .url("postgres")
            .replace("sslmode=disable", "sslmode=verify-full");
        let url = format!("{url}&sslrootcert={ca}");
        let error = refused(&url).await;
        assert_says(&error, Class::Auth, &["certificate", says]);
    }
}

#[tokio::test]
async fn a_server_without_tls_where_it_is_required() {
    let server = or_skip!(Postgres::builder().setting("ssl", "off").start());
    let url = server
        .url("postgres")
        .replace("sslmode=disable", "sslmode=require");
    let error = refused(&url).await;
    assert_says(&error, Class::Config, &["encryption", "sslmode=require"]);
}

#[tokio::test]
async fn a_server_that_speaks_something_else() {
    for other in [
        NotADatabase::http(),
        NotADatabase::ssh(),
        NotADatabase::closing(),
    ] {
        for mode in ["disable", "prefer", "verify-full"] {
            let secret = secrets::password();
            let url = format!(
                "postgres://app:{secret}@{}/shop?sslmode={mode}",
                other.address()
            );
            let error = refused(&url).await;
            assert!(
                matches!(error.class(), Class::Protocol | Class::Connect),
                "{:?} {error}",
                error.class()
            );
            assert!(
                error.to_string().contains(&other.address().to_string()),
                "{error}"
            );
            assert!(error.hint().is_some(), "{error}");
        }
    }
    let silent = NotADatabase::silent();
    let url = format!(
        "postgres://app@{}/shop?connection_timeout=200ms",
        silent.address()
    );
    let error = refused(&url).await;
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Connect
        },
        "{error}"
    );
}

#[tokio::test]
async fn every_way_to_connect_that_should_work_does() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("ways");
    let mut urls = vec![database.url(), or_skip!(database.socket_url())];
    for mode in ["allow", "prefer", "require", "verify-ca", "verify-full"] {
        urls.push(or_skip!(database.url_tls(mode)));
    }
    // The first host does not exist; the second does.
    let address = format!("{}:{}", server.host(), server.port());
    let several = format!("127.0.0.1:{},{address}", closed_port());
    urls.push(database.url().replace(&address, &several));
    for (at, url) in urls.iter().enumerate() {
        let db = Database::connect(url)
            .await
            .unwrap_or_else(|error| panic!("{at}: {error}"));
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let encrypted: bool = db.query_scalar(sql, ()).await.unwrap();
        assert_eq!(encrypted, (3..=6).contains(&at), "number {at}");
    }
}

fn sqlite_config(file: &SqliteFile) -> String {
    file.url()
}

#[tokio::test]
async fn read_only_file() {
    let mut file = SqliteFile::new();
    let db = Database::connect(file.url()).await.unwrap();
    db.execute("CREATE TABLE t (n INTEGER)", ()).await.unwrap();
    db.close(std::time::Duration::from_secs(5)).await.unwrap();
    or_skip!(file.read_only());
    let error = match Database::connect(sqlite_config(&file)).await {
        Ok(db) => db
            .execute("INSERT INTO t VALUES (1)", ())
            .await
            .unwrap_err(),
        Err(error) => error,
    };
    println!("{error} {error:?}");
    assert_says(
        &error,
        Class::ReadOnly,
        &[&file.path().display().to_string()],
    );
    assert!(matches!(
        error.effect(),
        Effect::NotSent | Effect::RolledBack
    ));
}

#[tokio::test]
async fn corrupt_file_and_no_database_at_all() {
    for header in [false, true] {
        let file = SqliteFile::new();
        let db = Database::connect(file.url()).await.unwrap();
        db.execute("CREATE TABLE t (n INTEGER, pad TEXT)", ())
            .await
            .unwrap();
        let rows = (0..2000).map(|n| (n, "x".repeat(200)));
        db.bulk_insert("t", &["n", "pad"], rows).await.unwrap();
        db.close(std::time::Duration::from_secs(5)).await.unwrap();
        if header {
            file.replace_header()
        } else {
            file.corrupt()
        }
        let error = match Database::connect(sqlite_config(&file)).await {
            Ok(db) => db
                .query("SELECT sum(n), max(pad) FROM t", ())
                .await
                .unwrap_err(),
            Err(error) => error,
        };
        println!("{error} {error:?}");
        assert_says(
            &error,
            Class::Corrupt,
            &[&file.path().display().to_string()],
        );
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there() {
    let error = Database::connect("sqlite:////no/such/directory/shop.db")
        .await
        .unwrap_err();
    println!("{error} {error:?}");
    assert_says(&error, Class::Missing, &["/no/such/directory"]);
}

#[tokio::test]
async fn full_disk() {
    let file = or_skip!(SqliteFile::small_tmpfs(1 << 20));
    let db = Database::connect(file.url()).await.unwrap();
    db.execute("CREATE TABLE t (n INTEGER, pad TEXT)", ())
        .await
        .unwrap();
    db.execute("INSERT INTO t VALUES (1, 'kept')", ())
        .await
        .unwrap();
    let rows = (0..10_000).map(|n| (n, "x".repeat(1000)));
    let error = db.bulk_insert("t", &["n", "pad"], rows).await.unwrap_err();
    println!("{error} {error:?}");
    assert_says(
        &error,
        Class::Resource,
        &[&file.path().display().to_string(), "full"],
    );
    assert_eq!(error.effect(), Effect::RolledBack);
    let kept: Vec<String> = db.query_as("SELECT pad FROM t", ()).await.unwrap();
    assert_eq!(kept, ["kept"]);
}

#[tokio::test]
async fn statements_that_cannot_be() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("statements");
    let db = Database::connect(database.url()).await.unwrap();
    let cases = [
        ("SELEC 1", Class::Syntax, "42601"),
        ("SELECT nothing FROM pg_class", Class::Syntax, "42703"),
        ("SELECT 1/0", Class::Data, "22012"),
        (
            "SET TRANSACTION ISOLATION LEVEL serializable; SELECT 1",
            Class::Syntax,
            "42601",
        ),
    ];
    for (sql, class, state) in cases {
        let error = db.execute(sql, ()).await.unwrap_err();
        println!("{error} {error:?}");
        assert_eq!(
            (error.class(), error.sqlstate()),
            (class, Some(state)),
            "{error}"
        );
        assert_eq!(error.effect(), Effect::RolledBack);
    }
    let error = db
        .execute("SELECT $1::int4", (1i64 << 40,))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent),
        "{error}"
    );
    assert!(error.to_string().contains("1099511627776"), "{error}");
    let error = db.execute("SELECT $1::int4", ()).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent),
        "{error}"
    );
    // No connection was lost by these errors.
    crate::place::eventually("the pool is full and has closed nothing", async || {
        let metrics = db.metrics();
        metrics.pool_size == 5 && metrics.total_connections == 5
    })
    .await;
}

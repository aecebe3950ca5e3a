use std::path::PathBuf;
use std::time::Duration;

use underpin_core::driver::{
    Connection as _, ConnectionExt as _, Connector as _, Pooled as _, SessionState,
};
use underpin_core::{
    Class, Deadline, Effect, Endpoint, Error, Secret, Stage, TlsMode, TlsNegotiation, TlsOptions,
};
use underpin_postgres::{Connection, Connector, Credentials, Dial, Dialing, Options};
use underpin_testkit::{NotADatabase, Postgres, TestDatabase, closed_port, or_skip};

use crate::place::{call, connect_with, endpoint, eventually, options, soon, within};

async fn attempt(endpoint: Endpoint, options: Options) -> Result<Connection, Error> {
    Connector::new([endpoint], options)?
        .connect(within(1_500))
        .await
}

/// The error of an attempt that must fail, checked for the properties of every such error.
async fn failure(endpoint: Endpoint, options: Options) -> Error {
    let secret = options.password.expose().to_owned();
    let place = endpoint.to_string();
    let error = attempt(endpoint, options).await.unwrap_err();
    let all = format!("{error} {error:?}");
    assert!(
        secret.is_empty() || !all.contains(&secret),
        "{}",
        error.class() == Class::Auth
    );
    assert!(
        error.to_string().contains(&place),
        "{error} does not name {place}"
    );
    assert!(error.hint().is_some(), "{error}");
    assert_eq!(error.effect(), Effect::NotSent, "{error}");
    error
}

fn encrypted(
    server: &Postgres,
    database: &TestDatabase,
    mode: TlsMode,
    roots: Option<PathBuf>,
) -> Options {
    let mut tls = TlsOptions::new(mode);
    tls.root_certificates = roots;
    Options {
        tls,
        ..options(server, database)
    }
}

async fn is_encrypted(connection: &Connection) -> bool {
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    connection.query::<bool>(call(sql, &[]), 1).await.unwrap()[0]
}

#[tokio::test]
async fn each_way_to_fail_is_a_sentence() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("login");
    let good = options(server, &database);
    let at = || endpoint(server);

    let guess = "not-the-password-4711";
    underpin_testkit::secrets::register(guess);
    let wrong = Options {
        password: Secret::new(guess),
        ..good.clone()
    };
    let error = failure(at(), wrong).await;
    assert_eq!(
        (error.class(), error.sqlstate()),
        (Class::Auth, Some("28P01")),
        "{error}"
    );
    assert!(
        error.to_string().contains(server.user()) && error.to_string().contains(database.name())
    );

    let none = Options {
        password: Secret::default(),
        ..good.clone()
    };
    let error = failure(at(), none).await;
    assert_eq!(error.class(), Class::Auth, "{error}");
    assert!(error.to_string().contains("none is set"), "{error}");

    let nobody = Options {
        user: "nobody_at_all".into(),
        ..good.clone()
    };
    let error = failure(at(), nobody).await;
    assert_eq!(error.class(), Class::Auth, "{error}");

    let nowhere = Options {
        database: Some("no_such_database".into()),
        ..good.clone()
    };
    let error = failure(at(), nowhere).await;
    assert_eq!(
        (error.class(), error.sqlstate()),
        (Class::Missing, Some("3D000")),
        "{error}"
    );
    assert!(
        error.to_string().contains("\"no_such_database\""),
        "{error}"
    );

    let error = failure(Endpoint::tcp("127.0.0.1", closed_port()), good.clone()).await;
    assert_eq!(error.class(), Class::Connect, "{error}");
    assert!(
        error.to_string().contains("Nothing accepts connections"),
        "{error}"
    );

    let error = failure(Endpoint::tcp("no-such-host.invalid", 5432), good.clone()).await;
    assert_eq!(error.class(), Class::Connect, "{error}");
    assert!(error.to_string().contains("cannot be found"), "{error}");

    let error = failure(Endpoint::unix("/no/such/directory", 5432), good.clone()).await;
    assert_eq!(error.class(), Class::Connect, "{error}");
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn another_protocol_is_reported() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("aliens");
    for mode in [TlsMode::Disable, TlsMode::Prefer, TlsMode::Require] {
        if mode != TlsMode::Disable && cfg!(not(feature = "tls")) {
            continue;
        }
        let options = encrypted(server, &database, mode, None);
        for (alien, class) in [
            (NotADatabase::http(), Class::Protocol),
            (NotADatabase::ssh(), Class::Protocol),
            (NotADatabase::closing(), Class::Connect),
            (
                NotADatabase::silent(),
                Class::Timeout {
                    stage: Stage::Connect,
                },
            ),
        ] {
            let error = failure(Endpoint::tcp("127.0.0.1", alien.port()), options.clone()).await;
            assert_eq!(error.class(), class, "{mode} {alien:?}: {error}");
        }
    }
}

#[tokio::test]
async fn the_deadline_bounds_a_connection() {
    let silent = NotADatabase::silent();
    let connector = Connector::new(
        [Endpoint::tcp("127.0.0.1", silent.port())],
        Options::default(),
    );
    let connector = match connector {
        Ok(connector) => connector,
        // Without encryption, the default requires too much.
        Err(error) => return assert_eq!(error.class(), Class::Unsupported),
    };
    let error = connector.connect(within(200)).await.unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout {
            stage: Stage::Connect
        },
        "{error}"
    );
}

#[tokio::test]
async fn of_several_servers_the_one_that_answers_is_used() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("several");
    let silent = NotADatabase::silent();
    let dead = Endpoint::tcp("127.0.0.1", closed_port());
    let mute = Endpoint::tcp("127.0.0.1", silent.port());
    let good = options(server, &database);
    let connector =
        Connector::new([dead.clone(), mute.clone(), endpoint(server)], good.clone()).unwrap();
    let connection = connector.connect(within(3_000)).await.unwrap();
    assert_eq!(*connection.endpoint(), endpoint(server));
    assert_eq!(connection.role(), underpin_core::Role::Primary);

    let connector = Connector::new([dead.clone(), mute.clone()], good).unwrap();
    let error = connector.connect(within(500)).await.unwrap_err();
    assert_eq!(error.class(), Class::Connect, "{error}");
    for place in [dead, mute] {
        assert!(error.to_string().contains(&place.to_string()), "{error}");
    }
}

#[tokio::test]
async fn wrong_configurations_are_refused_at_once() {
    let error = Connector::new([], Options::default()).unwrap_err();
    assert_eq!(error.class(), Class::Config);
    let error = Connector::new([Endpoint::memory()], Options::default()).unwrap_err();
    assert_eq!(error.class(), Class::Config, "{error}");
    if cfg!(feature = "tls") {
        let mut options = Options::default();
        options.tls.root_certificates = Some("/no/such/file.pem".into());
        let error = Connector::new([Endpoint::tcp("a", 1)], options).unwrap_err();
        assert_eq!(error.class(), Class::Config, "{error}");
        assert!(error.to_string().contains("/no/such/file.pem"), "{error}");
    }
}

#[tokio::test]
async fn a_unix_socket_is_never_encrypted() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("socket");
    let directory = or_skip!(server.socket_directory());
    let options = encrypted(server, &database, TlsMode::VerifyFull, None);
    let connection = connect_with(Endpoint::unix(directory, server.port()), options).await;
    assert!(!is_encrypted(&connection).await);
}

#[derive(Debug)]
struct Tunnel(Endpoint);

impl Dial for Tunnel {
    fn dial<'a>(&'a self, asked: &'a Endpoint) -> Dialing<'a> {
        assert_eq!(asked.to_string(), "behind.the.tunnel:1");
        Box::pin(async {
            let stream = tokio::net::TcpStream::connect(self.0.to_string()).await?;
            Ok(Box::new(stream) as Box<dyn underpin_postgres::Stream>)
        })
    }
}

#[tokio::test]
async fn a_password_is_not_sent_in_clear_text() {
    let in_clear = "local all all trust\nhost all all 127.0.0.1/32 password";
    let server = or_skip!(Postgres::builder().hba(in_clear).start());
    let database = server.database("clear_text");
    let error = failure(endpoint(&server), options(&server, &database)).await;
    assert_eq!(error.class(), Class::Auth, "{error}");
    assert!(error.to_string().contains("clear text"), "{error}");
    let allowed = Options {
        allow_cleartext_password: true,
        ..options(&server, &database)
    };
    connect_with(endpoint(&server), allowed).await;
    if cfg!(feature = "tls") {
        let encrypted = encrypted(&server, &database, TlsMode::Require, None);
        connect_with(endpoint(&server), encrypted).await;
    }
}

#[tokio::test]
async fn a_password_that_the_server_keeps_as_md5_is_hashed_for_it() {
    let hashed = "local all all trust\nhost all all 127.0.0.1/32 md5";
    let builder = Postgres::builder().setting("password_encryption", "md5");
    let server = or_skip!(builder.hba(hashed).start());
    let database = server.database("md5");
    let password = underpin_testkit::secrets::password();
    let create = format!("CREATE ROLE old LOGIN PASSWORD '{password}'");
    let client = database.client().await;
    client.batch_execute(&create).await.unwrap();
    let kept = client
        .query_one(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'old'",
            &[],
        )
        .await
        .unwrap();
    assert!(kept.get::<_, &str>(0).starts_with("md5"));
    let old = |password: &str| Options {
        user: "old".into(),
        password: Secret::new(password),
        ..options(&server, &database)
    };
    connect_with(endpoint(&server), old(&password)).await;
    let wrong = underpin_testkit::secrets::password();
    let error = failure(endpoint(&server), old(&wrong)).await;
    assert_eq!(error.class(), Class::Auth, "{error}");
}

#[tokio::test]
async fn a_pooler_that_knows_only_protocol_3_0_gets_that() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
    use tokio::net::{TcpListener, TcpStream};
    let server = or_skip!(Postgres::shared());
    let database = server.database("old_protocol");
    // Some hang up; PgBouncer and pgpool have their own codes.
    for code in [None, Some("08P01"), Some("0A000"), Some("XX000")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = (server.host().to_owned(), server.port());
        let (begun, mut versions) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut first = [0; 8];
                client.read_exact(&mut first).await.unwrap();
                begun.send(first[7]).unwrap();
                if first[7] != 0 {
                    if let Some(code) = code {
                        let body = format!("SERROR\0C{code}\0Mno\0\0");
                        let length = body.len() as u32 + 4;
                        let message = [b"E", &length.to_be_bytes()[..], body.as_bytes()].concat();
                        client.write_all(&message).await.unwrap();
                    }
                    continue;
                }
                let mut server = TcpStream::connect(to.clone()).await.unwrap();
                server.write_all(&first).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        });
        let connector = Connector::new(
            [Endpoint::tcp("127.0.0.1", port)],
            options(server, &database),
        )
        .unwrap();
        for _ in 0..2 {
            let connection = connector.connect(soon()).await.unwrap();
            assert_eq!(connection.client().protocol(), (3, 0), "{code:?}");
        }
        // The second time, the newer version is not attempted again.
        let asked: Vec<u8> = std::iter::from_fn(|| versions.try_recv().ok()).collect();
        assert_eq!(asked, [2, 0, 0], "{code:?}");
    }
}

#[tokio::test]
async fn a_message_beyond_the_limit_ends_the_connection() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("message_limit");
    let limited = Options {
        message_limit: 100_000,
        tcp: underpin_postgres::TcpOptions {
            user_timeout: Some(Duration::from_secs(30)),
            ..Default::default()
        },
        ..options(server, &database)
    };
    let connection = connect_with(endpoint(server), limited).await;
    for (length, fits) in [(90_000, true), (110_000, false)] {
        let sql = format!("SELECT repeat('x', {length})");
        let read = connection.query::<String>(call(&sql, &[]), 1).await;
        match read {
            Ok(rows) => assert!(fits && rows[0].len() == length),
            Err(error) => {
                assert!(!fits);
                assert_eq!(error.class(), Class::Connect, "{error}");
                let words = "the server announced DataRow of 110010 bytes";
                assert!(error.to_string().contains(words), "{error}");
            }
        }
    }
    assert_eq!(connection.state(), SessionState::Broken);
}

#[tokio::test]
async fn a_dialer_of_the_callers_own() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("dialer");
    let connector = Connector::new(
        [Endpoint::tcp("behind.the.tunnel", 1)],
        options(server, &database),
    );
    let connector = connector.unwrap().with_dialer(Tunnel(endpoint(server)));
    let connection = connector.connect(soon()).await.unwrap();
    connection.ping(soon()).await.unwrap();
    Box::new(connection).close(Deadline::NONE).await;
}

#[tokio::test]
async fn a_closed_connection_is_gone_from_the_server() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("closing");
    let admin = server.admin().await;
    let connection = connect_with(endpoint(server), options(server, &database)).await;
    let pid: Vec<i32> = connection
        .query(call("SELECT pg_backend_pid()", &[]), 1)
        .await
        .unwrap();
    Box::new(connection).close(soon()).await;
    for _ in 0..500 {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        if admin
            .query_one(sql, &[&pid[0]])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 0
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the session is still there");
}

#[tokio::test]
async fn a_server_that_stops_says_why() {
    let mut server = or_skip!(Postgres::start());
    let database = server.database("stopping");
    let connection = connect_with(endpoint(&server), options(&server, &database)).await;
    server.stop();
    eventually("the loss", || connection.state() == SessionState::Broken).await;
    let error = connection.execute(call("SELECT 1", &[])).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Connect, Effect::NotSent),
        "{error}"
    );
    assert!(error.to_string().contains("57P01"), "{error}");
    let error = failure(endpoint(&server), options(&server, &database)).await;
    assert_eq!(error.class(), Class::Connect, "{error}");
    server.restart();
    let connection = connect_with(endpoint(&server), options(&server, &database)).await;
    connection.ping(soon()).await.unwrap();
}

#[cfg(feature = "tls")]
mod encryption {
    use underpin_testkit::ServerCertificate;

    use super::*;

    #[tokio::test]
    async fn each_mode_with_each_certificate() {
        use ServerCertificate::{Expired, Good, UnknownAuthority, WrongHost};
        for certificate in [Good, Expired, WrongHost, UnknownAuthority] {
            let server = or_skip!(Postgres::builder().certificate(certificate).start());
            let database = server.database("certificates");
            let ca = or_skip!(server.ca_certificate()).to_owned();
            for mode in TlsMode::ALL {
                for roots in [None, Some(ca.clone())] {
                    let checked = match mode {
                        TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer => false,
                        TlsMode::Require => roots.is_some(),
                        TlsMode::VerifyCa | TlsMode::VerifyFull => true,
                    };
                    let trusted = roots.is_some() && certificate != UnknownAuthority;
                    let accepted = !checked
                        || (trusted
                            && match certificate {
                                Good => true,
                                WrongHost => mode != TlsMode::VerifyFull,
                                _ => false,
                            });
                    let what = format!("{certificate:?} {mode} {roots:?}");
                    let options = encrypted(&server, &database, mode, roots);
                    if accepted {
                        let connection = attempt(endpoint(&server), options).await;
                        let connection =
                            connection.unwrap_or_else(|error| panic!("{what}: {error}"));
                        let plain = matches!(mode, TlsMode::Disable | TlsMode::Allow);
                        assert_eq!(is_encrypted(&connection).await, !plain, "{what}");
                        Box::new(connection).close(soon()).await;
                    } else {
                        let error = failure(endpoint(&server), options).await;
                        assert_eq!(error.class(), Class::Auth, "{what}: {error}");
                        let fault = match certificate {
                            Expired => "has expired",
                            WrongHost if trusted => "is for another host name",
                            _ => "authority that is not trusted",
                        };
                        assert!(error.to_string().contains(fault), "{what}: {error}");
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn the_requirements_of_pg_hba_are_detected() {
        let only_encrypted = "local all all trust\nhostnossl all all 127.0.0.1/32 reject";
        let server = or_skip!(Postgres::builder().hba(only_encrypted).start());
        let database = server.database("hba");
        for (mode, works) in [
            (TlsMode::Disable, false),
            (TlsMode::Allow, true),
            (TlsMode::Prefer, true),
            (TlsMode::Require, true),
        ] {
            let attempt =
                attempt(endpoint(&server), encrypted(&server, &database, mode, None)).await;
            match attempt {
                Ok(connection) => assert!(works && is_encrypted(&connection).await, "{mode}"),
                Err(error) => {
                    assert!(!works, "{mode}: {error}");
                    assert_eq!(error.class(), Class::Auth, "{error}");
                }
            }
        }
        drop(database);
        drop(server);

        let only_plain = "local all all trust\nhostssl all all 127.0.0.1/32 reject";
        let server = or_skip!(Postgres::builder().hba(only_plain).start());
        let database = server.database("hba");
        for (mode, works) in [
            (TlsMode::Disable, true),
            (TlsMode::Allow, true),
            (TlsMode::Prefer, true),
            (TlsMode::Require, false),
        ] {
            let attempt =
                attempt(endpoint(&server), encrypted(&server, &database, mode, None)).await;
            match attempt {
                Ok(connection) => assert!(works && !is_encrypted(&connection).await, "{mode}"),
                Err(error) => assert!(!works, "{mode}: {error}"),
            }
        }
    }

    #[tokio::test]
    async fn a_server_without_encryption() {
        let server = or_skip!(Postgres::builder().setting("ssl", "off").start());
        let database = server.database("no_ssl");
        for mode in [TlsMode::Disable, TlsMode::Allow, TlsMode::Prefer] {
            let options = encrypted(&server, &database, mode, None);
            let connection = attempt(endpoint(&server), options).await.unwrap();
            assert!(!is_encrypted(&connection).await);
        }
        let options = encrypted(&server, &database, TlsMode::Require, None);
        let error = failure(endpoint(&server), options).await;
        assert_eq!(error.class(), Class::Config, "{error}");
        assert!(error.to_string().contains("sslmode=require"), "{error}");
    }

    #[tokio::test]
    async fn a_client_shows_its_certificate_in_place_of_a_password() {
        let by_certificate = "local all all trust\nhostssl all all 127.0.0.1/32 cert";
        let server = or_skip!(Postgres::builder().hba(by_certificate).start());
        let database = server.database("client_certificate");
        let (certificate, key) = or_skip!(server.client_certificate());
        let mut shown = encrypted(&server, &database, TlsMode::Require, None);
        shown.password = Secret::default();
        let error = failure(endpoint(&server), shown.clone()).await;
        assert_eq!(error.class(), Class::Auth, "{error}");
        shown.tls.client_certificate = Some(certificate);
        shown.tls.client_key = Some(key);
        let connection = connect_with(endpoint(&server), shown.clone()).await;
        let who = "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let who: Vec<String> = connection.query(call(who, &[]), 1).await.unwrap();
        assert!(who[0].contains(server.user()), "{who:?}");
        // It belongs to one user only.
        shown.user = "somebody".into();
        let error = failure(endpoint(&server), shown).await;
        assert_eq!(error.class(), Class::Auth, "{error}");
    }

    #[tokio::test]
    async fn a_request_to_cancel_is_encrypted_as_the_session_is() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
        use tokio::net::{TcpListener, TcpStream};
        let server = or_skip!(Postgres::shared());
        let database = server.database("cancel_encrypted");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = (server.host().to_owned(), server.port());
        let (begun, mut beginnings) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut first = [0; 8];
                client.read_exact(&mut first).await.unwrap();
                begun.send(first).unwrap();
                let mut server = TcpStream::connect(to.clone()).await.unwrap();
                server.write_all(&first).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        });
        let options = encrypted(server, &database, TlsMode::Require, None);
        let connection = connect_with(Endpoint::tcp("127.0.0.1", port), options).await;
        let sleep = underpin_core::driver::Call {
            deadline: within(200),
            ..call("SELECT pg_sleep(60)", &[])
        };
        let error = connection.execute(sleep).await.unwrap_err();
        assert_eq!(error.effect(), Effect::RolledBack, "{error}");
        const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
        for _ in ["the session", "the request to cancel"] {
            assert_eq!(beginnings.recv().await, Some(SSL_REQUEST));
        }
    }

    #[tokio::test]
    async fn messages_inside_the_encryption_are_seen() {
        let server = or_skip!(Postgres::shared());
        let database = server.database("inside");
        let options = encrypted(server, &database, TlsMode::Require, None);
        let connection = attempt(endpoint(server), options).await.unwrap();
        connection.begin(Default::default(), soon()).await.unwrap();
        assert_eq!(connection.state(), SessionState::InTransaction);
        connection
            .execute(call("SELECT 1/0", &[]))
            .await
            .unwrap_err();
        assert_eq!(connection.state(), SessionState::Failed);
        let sleep = underpin_core::driver::Call {
            deadline: within(200),
            ..call("SELECT pg_sleep(9)", &[])
        };
        connection.rollback(soon()).await.unwrap();
        let error = connection.execute(sleep).await.unwrap_err();
        assert_eq!(error.effect(), Effect::RolledBack, "{error}");
        assert_eq!(connection.state(), SessionState::Clean);
    }
}

#[tokio::test]
async fn credentials_are_asked_for_by_each_connection() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("asked");
    let given = std::sync::Arc::new(std::sync::Mutex::new(Ok(Secret::new(server.password()))));
    let (answer, user) = (std::sync::Arc::clone(&given), server.user().to_owned());
    let configured = Options {
        user: "nobody".into(),
        password: Secret::default(),
        ..options(server, &database)
    };
    let connector = Connector::new([endpoint(server)], configured)
        .unwrap()
        .with_credentials(move || {
            let (answer, user) = (answer.lock().unwrap().clone(), user.clone());
            async move {
                let password = answer.map_err(|class| Error::new(class, "The vault is shut."))?;
                Ok(Credentials { user, password })
            }
        });
    let connection = connector.connect(within(5_000)).await.unwrap();
    let who = call("SELECT current_user::text", &[]);
    let who: Vec<String> = connection.query(who, 1).await.unwrap();
    assert_eq!(who, [server.user()]);

    let guess = underpin_testkit::secrets::password();
    *given.lock().unwrap() = Ok(Secret::new(&guess));
    let error = connector.connect(within(5_000)).await.unwrap_err();
    assert_eq!(error.class(), Class::Auth);
    assert!(error.to_string().contains(server.user()), "{error}");
    assert!(!format!("{error:?} {connector:?}").contains(&guess));

    *given.lock().unwrap() = Err(Class::Busy);
    let error = connector.connect(within(5_000)).await.unwrap_err();
    assert_eq!(error.class(), Class::Busy);
    let message = format!(
        "There are no credentials to log in to {}. The vault is shut.",
        endpoint(server)
    );
    assert_eq!(error.message(), message);

    let connector = connector.with_credentials(std::future::pending);
    let error = connector.connect(within(200)).await.unwrap_err();
    let stage = Stage::Connect;
    assert_eq!(error.class(), Class::Timeout { stage });
}

/// The first bytes that a client sends to a server that never answers.
async fn first_bytes(negotiation: TlsNegotiation) -> Vec<u8> {
    use tokio::io::AsyncReadExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tls = TlsOptions::new(TlsMode::Require);
    tls.negotiation = negotiation;
    let options = Options {
        tls,
        ..Options::default()
    };
    let client = tokio::spawn(attempt(Endpoint::tcp("127.0.0.1", port), options));
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = vec![0; 2048];
    let count = stream.read(&mut bytes).await.unwrap();
    bytes.truncate(count);
    drop(stream);
    assert!(client.await.unwrap().is_err());
    bytes
}

#[tokio::test]
async fn encryption_begins_at_once_or_after_a_question() {
    let asked = first_bytes(TlsNegotiation::Postgres).await;
    assert_eq!(asked, [0, 0, 0, 8, 4, 210, 22, 47]);
    // A TLS handshake, which names the protocol that follows.
    let direct = first_bytes(TlsNegotiation::Direct).await;
    assert_eq!(direct[0], 0x16);
    let name = b"\x00\x0b\x0apostgresql";
    assert!(direct.windows(name.len()).any(|bytes| bytes == name));
}

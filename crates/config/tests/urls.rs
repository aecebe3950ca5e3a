//! What URLs mean.

use std::time::Duration;

use underpin_config::{Config, HealthCheck, masked};
use underpin_core::{Class, Engine, TimeForm, TlsMode, UuidForm};

fn shape(url: &str) -> String {
    let config = Config::from_url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let endpoints: Vec<_> = config.endpoints().iter().map(ToString::to_string).collect();
    let user = config.user().unwrap_or("-");
    let (engine, database) = (config.engine(), config.database());
    format!("{engine} {user} {} {database}", endpoints.join(","))
}

#[test]
fn each_form_of_url() {
    let cases = [
        (
            "postgres://u:pw@h1:5433,h2,[::1]:5434/db",
            "postgres u h1:5433,h2:5432,[::1]:5434 db",
        ),
        ("postgresql://h/db", "postgres postgres h:5432 db"),
        ("postgresql+psycopg2://u@h", "postgres u h:5432 u"),
        ("POSTGRES://u@h", "postgres u h:5432 u"),
        ("postgres://", "postgres postgres localhost:5432 postgres"),
        ("postgres://:6000/db", "postgres postgres localhost:6000 db"),
        ("postgres://u%40x:p@h/d%2Fb", "postgres u@x h:5432 d/b"),
        (
            "postgres:///db?host=/var/run/pg",
            "postgres postgres /var/run/pg/.s.PGSQL.5432 db",
        ),
        (
            "postgres://%2Frun%2Fpg:6000/db",
            "postgres postgres /run/pg/.s.PGSQL.6000 db",
        ),
        (
            "postgres:///db?host=h1:1&host=h2:2",
            "postgres postgres h1:1,h2:2 db",
        ),
        (
            "postgres:///?host=h&port=7&user=u&dbname=d&password=x",
            "postgres u h:7 d",
        ),
        (
            "postgres://h1,h2/?port=7,8",
            "postgres postgres h1:7,h2:8 postgres",
        ),
        ("access:///old.accdb", "access - old.accdb old.accdb"),
        (
            "access:////data/old.mdb",
            "access - /data/old.mdb /data/old.mdb",
        ),
        (
            "access:/data/old.mdb",
            "access - /data/old.mdb /data/old.mdb",
        ),
        ("MsAccess:old%20one.mdb", "access - old one.mdb old one.mdb"),
        ("old.accdb", "access - old.accdb old.accdb"),
        (" /data/Old.MDB ", "access - /data/Old.MDB /data/Old.MDB"),
        (
            "C:\\data\\old.mdb",
            "access - C:\\data\\old.mdb C:\\data\\old.mdb",
        ),
        ("old.mdb?lenient=on", "access - old.mdb old.mdb"),
        ("odbc://shop", "odbc - shop shop"),
        ("odbc:shop", "odbc - shop shop"),
        ("access+odbc://old%20one/", "odbc - old one old one"),
        ("ODBC://app:pw@shop", "odbc app shop shop"),
        ("sqlite:old.mdb", "sqlite - old.mdb old.mdb"),
        ("sqlite:///relative.db", "sqlite - relative.db relative.db"),
        ("sqlite:////abs.db", "sqlite - /abs.db /abs.db"),
        ("sqlite://relative.db", "sqlite - relative.db relative.db"),
        (
            "sqlite:dir/file%20a.db",
            "sqlite - dir/file a.db dir/file a.db",
        ),
        ("sqlite:/abs.db", "sqlite - /abs.db /abs.db"),
        ("sqlite+pysqlite:///a.db", "sqlite - a.db a.db"),
        ("sqlite::memory:", "sqlite - :memory: :memory:"),
        ("sqlite://:memory:", "sqlite - :memory: :memory:"),
        ("sqlite:///:memory:", "sqlite - :memory: :memory:"),
        ("sqlite://", "sqlite - :memory: :memory:"),
        ("sqlite:a.db?mode=memory", "sqlite - :memory: :memory:"),
    ];
    for (url, expected) in cases {
        assert_eq!(shape(url), expected, "{url}");
    }
    let config = Config::from_url("postgres://u:pa%3Ass@h/db").unwrap();
    assert_eq!(config.password().expose(), "pa:ss");
}

#[test]
fn any_field_is_a_parameter() {
    let config = Config::from_url(
        "postgres://h/db?sslmode=require&application_name=a%20b&connect_timeout=10&\
         options=-c%20search_path%3Dshop&pool_max_size=7&statement_timeout=off&\
         health_check=never&pool_recycle=1h&statement_cache_size=0",
    )
    .unwrap();
    assert_eq!(config.sslmode(), Some(TlsMode::Require));
    assert_eq!(config.application_name(), Some("a b"));
    assert_eq!(config.connection_timeout(), Duration::from_secs(10));
    assert_eq!(config.options(), Some("-c search_path=shop"));
    assert_eq!((config.pool_max_size(), config.pool_min_size()), (7, 5));
    assert_eq!(config.statement_timeout(), None);
    assert_eq!(config.health_check(), HealthCheck::Never);
    assert_eq!(config.max_lifetime(), Some(Duration::from_secs(3600)));
    assert_eq!(config.statement_cache_size(), 0);
    let lite = Config::from_url("sqlite:a.db?mode=ro&busy_timeout=off").unwrap();
    assert!(lite.read_only());
    assert_eq!(lite.busy_timeout(), None);
}

#[test]
fn each_mode_of_a_file_is_read() {
    for (query, read_only, create, immutable) in [
        ("", false, false, false),
        ("?mode=ro", true, false, false),
        ("?mode=rw", false, false, false),
        ("?mode=rwc", false, true, false),
        ("?create=on", false, true, false),
        ("?immutable=1", false, false, true),
        ("?cache=private&mode=rwc", false, true, false),
    ] {
        let config = Config::from_url(&format!("sqlite:a.db{query}")).unwrap();
        let modes = (config.read_only(), config.create(), config.immutable());
        assert_eq!(modes, (read_only, create, immutable), "{query}");
        let again = Config::from_url(&config.to_url_masked()).unwrap();
        assert_eq!(
            (again.read_only(), again.create()),
            (read_only, create),
            "{query}"
        );
    }
    let forms = Config::from_url("sqlite:a.db?uuids=blob&times=rfc3339").unwrap();
    assert_eq!(
        (forms.uuids(), forms.times()),
        (UuidForm::Blob, TimeForm::Rfc3339)
    );
    for url in [
        "sqlite:file:shop?mode=memory&cache=shared",
        "sqlite:///file:shop?mode=memory&cache=shared",
        "sqlite:///shop?mode=memory&cache=shared",
    ] {
        let config = Config::from_url(url).unwrap();
        assert!(config.is_memory() && config.pool_max_size() == 1, "{url}");
        assert_eq!(config.database(), "file:shop?mode=memory&cache=shared");
        let again = Config::from_url(&config.to_url_masked()).unwrap();
        assert_eq!(again.database(), config.database());
    }
    let alone = Config::from_url("sqlite:///shop?mode=memory").unwrap();
    assert_eq!(alone.database(), ":memory:");
}

#[test]
fn mistakes_say_what_and_what_to_do() {
    let cases = [
        ("postgres://u:hunter2@h:99999/db", "is not a port"),
        ("postgres://u:hunter2@h:x/db", "is not a port"),
        ("postgres://u:hunter2", "is not a port"),
        (
            "postgres://u:hunter2@h/db?pool_max_sze=3",
            "nearest known key is `pool_max_size`",
        ),
        (
            "postgres://u:hunter2@h/db?sslmode=disable&channel_binding=require",
            "the connection is not encrypted",
        ),
        (
            "postgres://u:hunter2@h/db?pool_max_size=x",
            "`x`, which is not a whole number",
        ),
        (
            "postgres://u:hunter2@h/db?pool_max_size=1&pool_max_size=2",
            "is set twice",
        ),
        (
            "postgres://u:hunter2@h/db?sslmode=on",
            "disable, allow, prefer",
        ),
        ("postgres://u:hunter2@h/db?sslmode", "has no `=`"),
        ("postgres://u:hunter2@h/db?host=h2", "`host` is set twice"),
        (
            "postgres://u:hunter2@h/db?password=hunter2",
            "`password` is set twice",
        ),
        ("postgres://u:hunter2@h/a/b", "contains a `/`"),
        ("postgres://u:hun%ter2@h/db", "write the character"),
        ("postgres://u:hunter2@h1,,h2/db", "empty host name"),
        ("postgres://u:hunter2@[::1/db", "without a matching ]"),
        ("postgres://u:hun/ter2@h/db", "`@` after its host"),
        ("postgres://u:hun?ter2@h/db", "`@` after its host"),
        ("postgres://u:1/hunter2@h/db", "`@` after its host"),
        ("postgres:u:hunter2@h", "does not begin with a scheme"),
        ("u:hunter2@h", "does not begin with a scheme"),
        (
            "host=h password=hunter2 pot=1",
            "nearest known key is `port`",
        ),
        ("host=h password='hunter2", "is not closed"),
        ("host=h password=hunter2 x", "is not followed by `=`"),
        (
            "jdbc:oracle://h/x?password=hunter2",
            "`oracle`, is not an engine",
        ),
        ("jdbc:postgresql:hunter2", "JDBC URL without a host"),
        ("oracle://u:hunter2@h", "`oracle`, is not an engine"),
        (
            "mssql+pyodbc://u:hunter2@h/db",
            "`mssql+pyodbc`, is an engine without a driver in this build",
        ),
        (
            "postgres://u:hunter2@h/db?statement_timeout=0",
            "write `off` for no limit",
        ),
        (
            "postgres://u:hunter2@h/db?acquire_timeout=0",
            "is not greater than 0",
        ),
        (
            "postgres://u:hunter2@h/db?statement_timeout=25d",
            "longer than the maximum of PostgreSQL",
        ),
        ("postgres://u:hunter2@h/db?sslcert=a", "without `sslkey`"),
        (
            "postgres://u:hunter2@h/db?sslrootcert=system&sslmode=require",
            "too weak",
        ),
        (
            "postgres://u:hunter2@h/db?busy_timeout=1s",
            "does not apply to postgres",
        ),
        ("sqlite:a.db?sslmode=require", "does not apply to sqlite"),
        ("sqlite:a.db?mode=wr", "not one of ro, rw, rwc and memory"),
        ("sqlite:a.db?mode=rw&create=on", "`create` is set twice"),
        ("sqlite:a.db?cache=shared", "for a database in memory"),
        ("sqlite:a.db?uuids=bytes", "neither text nor blob"),
        (
            "sqlite:a.db?times=iso",
            "not one of text, offset, rfc3339 and unix",
        ),
        ("postgres://h/db?uuids=blob", "does not apply to postgres"),
        ("postgres://h/db?port=1,2", "has 2 ports for 1 hosts"),
        ("", "The URL is empty"),
    ];
    for (url, expected) in cases {
        let error = Config::from_url(url).expect_err(url);
        let text = format!("{error} {error:?}");
        assert!(
            text.to_lowercase().contains(&expected.to_lowercase()),
            "{url}: {error}"
        );
        assert!(
            !text.contains("hunter2") && !text.contains("hun?ter2"),
            "{url}: {text}"
        );
        let class = if url.starts_with("mssql") {
            Class::Unsupported
        } else {
            Class::Config
        };
        assert_eq!(error.class(), class);
    }
}

#[test]
fn tls_is_as_libpq_has_it_but_strict_where_nothing_is_said() {
    let cases = [
        ("postgres://db1", TlsMode::VerifyFull),
        ("postgres://localhost", TlsMode::Prefer),
        ("postgres://127.0.0.1", TlsMode::Prefer),
        ("postgres://[::1]", TlsMode::Prefer),
        ("postgres://%2Frun%2Fpg", TlsMode::Disable),
        (
            "postgres://localhost?sslmode=verify-full",
            TlsMode::VerifyFull,
        ),
        ("postgres://db1?sslmode=disable", TlsMode::Disable),
        ("postgres://db1?sslmode=require", TlsMode::Require),
        (
            "postgres://db1?sslmode=require&sslrootcert=ca.pem",
            TlsMode::VerifyCa,
        ),
        (
            "postgres://db1?sslmode=prefer&sslrootcert=ca.pem",
            TlsMode::Prefer,
        ),
        (
            "postgres://localhost?sslrootcert=system",
            TlsMode::VerifyFull,
        ),
        (
            "postgres://localhost?sslrootcert=ca.pem",
            TlsMode::VerifyFull,
        ),
    ];
    for (url, mode) in cases {
        let config = Config::from_url(url).unwrap();
        assert_eq!(config.tls(&config.endpoints()[0]).mode, mode, "{url}");
    }
}

#[test]
fn the_size_of_a_pool_is_the_engine_s() {
    let size = |url: &str| {
        let config = Config::from_url(url).unwrap();
        (
            config.pool_max_size(),
            config.pool_min_size(),
            config.max_overflow(),
        )
    };
    assert_eq!(size("postgres://h"), (20, 5, 0));
    assert_eq!(size("postgres://h?pool_max_size=3"), (3, 3, 0));
    assert_eq!(size("sqlite:a.db"), (4, 4, 0));
    assert_eq!(size("sqlite::memory:"), (1, 1, 0));
    assert_eq!(
        size("sqlite::memory:?pool_max_size=9&max_overflow=2&pool_min_size=0"),
        (1, 0, 0)
    );
    let config = Config::from_url("sqlite::memory:?pool_max_size=9").unwrap();
    let source = config.source("pool_max_size").to_string();
    assert!(source.contains("exactly one connection"), "{source}");
    let error = Config::from_url("postgres://h?pool_min_size=30")
        .unwrap_err()
        .to_string();
    assert!(error.contains("`pool_min_size` is 30 (URL), more than `pool_max_size`, which is 20"));
    assert!(Config::from_url("postgres://h?pool_max_size=0").is_err());
    let limited = |limit: &str| Config::from_url(&format!("postgres://h?message_limit={limit}"));
    assert_eq!(limited("65536").unwrap().message_limit(), 65_536);
    let error = limited("65535").unwrap_err();
    assert!(
        error.to_string().contains("`message_limit` is 65535 bytes"),
        "{error}"
    );
}

#[test]
fn shown_urls_hold_what_was_set() {
    let cases = [
        (
            "postgres://u:p@h1:5433,[::1]/d?sslmode=require",
            "postgres://u:***@h1:5433,[::1]:5432/d?sslmode=require",
        ),
        (
            "sqlite:////a b.db?mode=ro",
            "sqlite:////a%20b.db?read_only=on",
        ),
        ("sqlite:a.db", "sqlite:///a.db"),
        ("sqlite:", "sqlite::memory:"),
    ];
    for (url, shown) in cases {
        let config = Config::from_url(url).unwrap();
        assert_eq!(config.to_url_masked(), shown);
        assert_eq!(
            Config::from_url(shown).unwrap().endpoints(),
            config.endpoints()
        );
        assert_eq!(masked(shown), shown);
    }
    assert_eq!(
        Config::from_url("sqlite:").unwrap().engine(),
        Engine::SQLITE
    );
}

#[test]
fn an_access_file_has_one_connection_whatever_is_asked_for() {
    let config = Config::from_url("access:old.accdb?lenient=on&password=secret").unwrap();
    assert_eq!((config.pool_max_size(), config.pool_min_size()), (1, 1));
    assert!(config.lenient());
    assert_eq!(config.password().expose(), "secret");
    let more = "old.mdb?pool_max_size=8&pool_min_size=2&max_overflow=3";
    let config = Config::from_url(more).unwrap();
    let sizes = (
        config.pool_max_size(),
        config.pool_min_size(),
        config.max_overflow(),
    );
    assert_eq!(sizes, (1, 1, 0));
    let source = config.source("pool_max_size").to_string();
    assert!(source.contains("Access has one connection"), "{source}");
    let error = Config::from_url("sqlite:a.db?lenient=on").unwrap_err();
    assert!(
        error.to_string().contains("does not apply to sqlite"),
        "{error}"
    );
    let error = Config::from_url("old.mdb?host=db1").unwrap_err();
    assert!(
        error.to_string().contains("does not apply to access"),
        "{error}"
    );
}

#[test]
fn a_data_source_is_a_name_and_keeps_its_password() {
    let config = Config::from_url("odbc://app:hunter2@shop?pool_max_size=3").unwrap();
    assert_eq!(config.engine(), Engine::ODBC);
    assert_eq!(config.password().expose(), "hunter2");
    let masked = config.to_url_masked();
    assert_eq!(masked, "odbc://shop?user=app&password=***&pool_max_size=3");
    let error = Config::from_url("odbc://DRIVER={x};PWD=hunter2").unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(error.to_string().contains("connection string"), "{error}");
    let error = Config::from_url("odbc://").unwrap_err();
    assert!(error.to_string().contains("No data source"), "{error}");
    let error = Config::from_url("odbc://shop?host=db1").unwrap_err();
    assert!(
        error.to_string().contains("does not apply to odbc"),
        "{error}"
    );
}

//! What libpq's parameters, variables and files mean.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use underpin_config::{Config, Loader, Source};
use underpin_core::{Class, Result};

/// What comes of a parameter.
enum Comes {
    /// The key has this value.
    As(&'static str, &'static str),
    /// It asks for what happens anyway: no key has another value.
    Anyway,
    /// It is refused, and the error says this.
    Refused(&'static str),
}

use Comes::{Anyway, As, Refused};

const CLUSTER: &str = "only reads can go elsewhere";

/// A parameter, its variable, and values of it with what comes of each.
type Parameter = (&'static str, &'static str, Vec<(&'static str, Comes)>);

/// Every parameter that libpq documents up to PostgreSQL 18.
fn parameters() -> Vec<Parameter> {
    vec![
        (
            "host",
            "PGHOST",
            vec![
                ("db1", As("host", "db1")),
                ("/run/pg", As("host", "/run/pg")),
            ],
        ),
        (
            "hostaddr",
            "PGHOSTADDR",
            vec![
                ("10.0.0.1", As("hostaddr", "10.0.0.1")),
                ("10.0.0.1", As("host", "10.0.0.1")),
                ("fd00::1", As("host", "fd00::1")),
                ("db1", Refused("write host names into `host`")),
            ],
        ),
        (
            "port",
            "PGPORT",
            vec![
                ("5433", As("port", "5433")),
                ("x", Refused("is not a port")),
            ],
        ),
        (
            "dbname",
            "PGDATABASE",
            vec![("shop", As("database", "shop"))],
        ),
        ("user", "PGUSER", vec![("app", As("user", "app"))]),
        (
            "password",
            "PGPASSWORD",
            vec![("pw", As("password", "***"))],
        ),
        (
            "passfile",
            "",
            vec![("/no/such/file", Refused("/no/such/file"))],
        ),
        (
            "require_auth",
            "PGREQUIREAUTH",
            vec![
                ("scram-sha-256", Refused("channel_binding=require")),
                ("!md5", Refused("channel_binding=require")),
            ],
        ),
        (
            "channel_binding",
            "PGCHANNELBINDING",
            vec![
                ("require", As("channel_binding", "require")),
                ("prefer", As("channel_binding", "prefer")),
                ("disable", As("channel_binding", "disable")),
                ("on", Refused("disable, prefer, require")),
            ],
        ),
        (
            "connect_timeout",
            "PGCONNECT_TIMEOUT",
            vec![
                ("7", As("connection_timeout", "7s")),
                ("0", Refused("connection_timeout=")),
                ("-1", Refused("connection_timeout=")),
            ],
        ),
        (
            "client_encoding",
            "PGCLIENTENCODING",
            vec![
                ("UTF8", Anyway),
                ("utf-8", Anyway),
                ("unicode", Anyway),
                ("LATIN1", Refused("client_encoding=UTF8")),
                ("auto", Refused("client_encoding=UTF8")),
            ],
        ),
        (
            "options",
            "PGOPTIONS",
            vec![("-c geqo=off", As("options", "-c geqo=off"))],
        ),
        (
            "application_name",
            "PGAPPNAME",
            vec![("till", As("application_name", "till"))],
        ),
        (
            "fallback_application_name",
            "",
            vec![("till", As("fallback_application_name", "till"))],
        ),
        (
            "keepalives",
            "",
            vec![
                ("1", As("keepalives", "on")),
                ("0", As("keepalives", "off")),
            ],
        ),
        (
            "keepalives_idle",
            "",
            vec![("30", As("keepalives_idle", "30s")), ("0", Anyway)],
        ),
        (
            "keepalives_interval",
            "",
            vec![("5", As("keepalives_interval", "5s")), ("0", Anyway)],
        ),
        (
            "keepalives_count",
            "",
            vec![("3", As("keepalives_count", "3")), ("0", Anyway)],
        ),
        (
            "tcp_user_timeout",
            "",
            vec![
                ("5000", As("tcp_user_timeout", "5s")),
                ("1500", As("tcp_user_timeout", "1500ms")),
                ("0", Anyway),
            ],
        ),
        (
            "replication",
            "",
            vec![
                ("false", Anyway),
                ("off", Anyway),
                ("database", Refused("pg_recvlogical")),
                ("true", Refused("pg_recvlogical")),
            ],
        ),
        (
            "gssencmode",
            "PGGSSENCMODE",
            vec![
                ("disable", Anyway),
                ("prefer", Anyway),
                ("require", Refused("GSSAPI")),
            ],
        ),
        (
            "sslmode",
            "PGSSLMODE",
            vec![
                ("disable", As("sslmode", "disable")),
                ("allow", As("sslmode", "allow")),
                ("prefer", As("sslmode", "prefer")),
                ("require", As("sslmode", "require")),
                ("verify-ca", As("sslmode", "verify-ca")),
                ("verify-full", As("sslmode", "verify-full")),
            ],
        ),
        (
            "requiressl",
            "PGREQUIRESSL",
            vec![("1", Refused("sslmode=require"))],
        ),
        (
            "sslnegotiation",
            "PGSSLNEGOTIATION",
            vec![
                ("postgres", As("sslnegotiation", "postgres")),
                ("direct", Refused("sslmode is prefer")),
            ],
        ),
        (
            "sslcompression",
            "PGSSLCOMPRESSION",
            vec![("0", Anyway), ("1", Refused("never compressed"))],
        ),
        (
            "sslcert",
            "PGSSLCERT",
            vec![("c.pem", Refused("without `sslkey`"))],
        ),
        (
            "sslkey",
            "PGSSLKEY",
            vec![("k.pem", Refused("without `sslcert`"))],
        ),
        (
            "sslkeylogfile",
            "",
            vec![("/tmp/keys", Refused("sslkeylogfile"))],
        ),
        ("sslpassword", "", vec![("secret", Refused("openssl pkey"))]),
        (
            "sslcertmode",
            "PGSSLCERTMODE",
            vec![
                ("allow", Anyway),
                ("disable", Refused("Leave out sslcert")),
                ("require", Refused("pg_hba.conf")),
            ],
        ),
        (
            "sslrootcert",
            "PGSSLROOTCERT",
            vec![
                ("ca.pem", As("sslrootcert", "ca.pem")),
                ("system", As("sslmode", "verify-full")),
            ],
        ),
        (
            "sslcrl",
            "PGSSLCRL",
            vec![("crl.pem", Refused("does not check certificates"))],
        ),
        (
            "sslcrldir",
            "PGSSLCRLDIR",
            vec![("/crls", Refused("sslcrl"))],
        ),
        (
            "sslsni",
            "PGSSLSNI",
            vec![("0", As("sslsni", "off")), ("1", As("sslsni", "on"))],
        ),
        (
            "requirepeer",
            "PGREQUIREPEER",
            vec![("postgres", Refused("verify-full"))],
        ),
        (
            "ssl_min_protocol_version",
            "PGSSLMINPROTOCOLVERSION",
            vec![
                ("TLSv1", Anyway),
                ("TLSv1.1", Anyway),
                ("TLSv1.2", As("ssl_min_protocol_version", "TLSv1.2")),
                ("TLSv1.3", As("ssl_min_protocol_version", "TLSv1.3")),
            ],
        ),
        (
            "ssl_max_protocol_version",
            "PGSSLMAXPROTOCOLVERSION",
            vec![
                ("TLSv1", Refused("TLSv1.2")),
                ("TLSv1.1", Refused("TLSv1.2")),
                ("TLSv1.2", As("ssl_max_protocol_version", "TLSv1.2")),
                ("TLSv1.3", As("ssl_max_protocol_version", "TLSv1.3")),
            ],
        ),
        (
            "min_protocol_version",
            "PGMINPROTOCOLVERSION",
            vec![
                ("3.0", Anyway),
                ("3.2", Refused("version 3.0")),
                ("latest", Refused("version 3.0")),
            ],
        ),
        (
            "max_protocol_version",
            "PGMAXPROTOCOLVERSION",
            vec![("3.0", Anyway), ("3.2", Anyway), ("latest", Anyway)],
        ),
        (
            "krbsrvname",
            "PGKRBSRVNAME",
            vec![("postgres", Refused("GSSAPI"))],
        ),
        ("gsslib", "PGGSSLIB", vec![("gssapi", Refused("GSSAPI"))]),
        (
            "gssdelegation",
            "PGGSSDELEGATION",
            vec![("0", Anyway), ("1", Refused("GSSAPI"))],
        ),
        (
            "scram_client_key",
            "",
            vec![("c2VjcmV0", Refused("password_file"))],
        ),
        (
            "scram_server_key",
            "",
            vec![("c2VjcmV0", Refused("password_file"))],
        ),
        ("service", "", vec![("shop", Refused("servicefile=PATH"))]),
        (
            "servicefile",
            "",
            vec![("/no/such/file", Refused("/no/such/file"))],
        ),
        (
            "target_session_attrs",
            "PGTARGETSESSIONATTRS",
            vec![
                ("any", As("target_session_attrs", "any")),
                ("read-write", As("target_session_attrs", "read-write")),
                ("primary", As("target_session_attrs", "primary")),
                ("read-only", Refused(CLUSTER)),
                ("standby", Refused(CLUSTER)),
                ("prefer-standby", As("read_from", "replicas")),
                ("master", Refused("any, read-write, primary")),
            ],
        ),
        (
            "load_balance_hosts",
            "PGLOADBALANCEHOSTS",
            vec![("disable", Anyway), ("random", Anyway)],
        ),
        ("oauth_issuer", "", vec![("https://i", Refused("OAuth"))]),
        ("oauth_client_id", "", vec![("id", Refused("OAuth"))]),
        (
            "oauth_client_secret",
            "",
            vec![("hunter2", Refused("OAuth"))],
        ),
        ("oauth_scope", "", vec![("openid", Refused("OAuth"))]),
    ]
}

fn shown(config: &Config) -> BTreeMap<&'static str, (String, Source)> {
    let settings = config.explain().into_iter();
    settings
        .map(|setting| (setting.key, (setting.value, setting.source)))
        .collect()
}

fn percent(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn check(what: &str, read: Result<Config>, nothing: &Config, comes: &Comes) {
    match (comes, read) {
        (As(key, value), Ok(config)) => assert_eq!(shown(&config)[key].0, *value, "{what}"),
        (Anyway, Ok(config)) => {
            let values = |config: &Config| -> Vec<String> {
                shown(config)
                    .into_values()
                    .map(|(value, _)| value)
                    .collect()
            };
            assert_eq!(values(&config), values(nothing), "{what}");
        }
        (Refused(part), Err(error)) => {
            assert_eq!(error.class(), Class::Config, "{what}: {error}");
            let text = error.to_string();
            assert!(text.contains(part), "{what}: {error}");
            assert!(!text.contains("emove"), "{what}: {error}");
            assert!(
                !text.contains("c2VjcmV0") && !text.contains("hunter2"),
                "{what}: {error}"
            );
            assert!(
                error.hint().is_some() || !text.contains("not available"),
                "{what}: {error}"
            );
        }
        (Refused(_), Ok(_)) => panic!("{what} is taken"),
        (_, Err(error)) => panic!("{what}: {error}"),
    }
}

#[test]
fn every_parameter_of_libpq_has_its_meaning_or_is_refused_by_name() {
    let listed: Vec<&str> = parameters().iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed.len(), 52);
    for (name, _, values) in parameters() {
        for (value, comes) in values {
            // As a URL, and as libpq's other form.
            let url = format!("postgres://?{name}={}", percent(value));
            let nothing = Config::from_url("postgres://").unwrap();
            check(&url, Config::from_url(&url), &nothing, &comes);
            let words = format!("{name} = '{value}'");
            check(&words, Config::from_url(&words), &nothing, &comes);
            // An empty value is none.
            if !["service", "servicefile"].contains(&name) {
                let empty = Config::from_url(&format!("postgres://?{name}=")).unwrap();
                assert_eq!(shown(&empty), shown(&nothing), "{name}");
            }
        }
    }
}

#[test]
fn every_variable_of_libpq_is_read_beneath_all_else() {
    for (_, variable, values) in parameters() {
        if variable.is_empty() {
            continue;
        }
        for (value, comes) in values {
            let load = |pairs: &[(&str, &str)]| {
                let pairs = pairs.to_vec();
                Loader::new().environment(pairs).load()
            };
            let place = ("DB_TYPE", "postgres");
            let nothing = load(&[place]).unwrap();
            let read = load(&[place, (variable, value)]);
            if let (As(key, _), Ok(config)) = (&comes, &read) {
                let source = &shown(config)[key].1;
                let is_told = *source == Source::Environment(variable.to_owned());
                assert!(is_told || *key == "sslmode", "{variable}: {source}");
            }
            check(variable, read, &nothing, &comes);
            // Another engine does without, and so does who gives a URL.
            load(&[("DATABASE_URL", "sqlite:a.db"), (variable, value)]).unwrap();
            let url = Loader::new().environment([(variable, value)]);
            let url = url.url("postgres://db9").load().unwrap();
            assert_eq!(
                shown(&url),
                shown(&Config::from_url("postgres://db9").unwrap())
            );
        }
    }
    // What libpq sets in the session.
    let environment = [
        ("PGHOST", "db1"),
        ("PGTZ", "Europe/Berlin"),
        ("PGDATESTYLE", "ISO, DMY"),
        ("PGOPTIONS", "-c geqo=on"),
        ("PGGEQO", "off"),
    ];
    let config = Loader::new().environment(environment).load().unwrap();
    assert_eq!(
        config.options(),
        Some(r"-c geqo=off -c timezone=Europe/Berlin -c datestyle=ISO,\ DMY -c geqo=on")
    );
    // Our own variables, a file and code are all above.
    let config = Loader::new()
        .file_text("underpin.toml", "user = \"of-the-file\"")
        .code(Config::builder().application_name("of-code"))
        .environment([
            ("PGHOST", "db1"),
            ("PGUSER", "u"),
            ("PGAPPNAME", "a"),
            ("PGDATABASE", "d"),
            ("DB_NAME", "own"),
        ])
        .load()
        .unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "db1:5432");
    assert_eq!(config.user(), Some("of-the-file"));
    assert_eq!(config.application_name(), Some("of-code"));
    assert_eq!(config.database(), "own");
    // A URL says the whole place; a password joins no host of another layer.
    let environment = [
        ("PGHOST", "db1"),
        ("PGUSER", "u"),
        ("PGPASSWORD", "hunter2"),
        ("PGSSLMODE", "disable"),
        ("DATABASE_URL", "postgres://db2"),
    ];
    let config = Loader::new().environment(environment).load().unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "db2:5432");
    assert_eq!((config.user(), config.sslmode()), (Some("postgres"), None));
    assert!(config.password().is_empty());
    let config = Loader::new()
        .file_text("underpin.toml", "host = \"db3\"")
        .environment([("PGPASSWORD", "hunter2")])
        .load()
        .unwrap();
    assert!(config.password().is_empty());
    // A named database has nothing of the unnamed one; a user alone says nothing of a place.
    let named = Loader::new().environment([("PGHOST", "db1")]);
    assert!(named.database("main").load().is_err());
    assert!(Loader::new().environment([("PGUSER", "u")]).load().is_err());
}

/// A loader that finds these files, and none else.
fn with_files(files: &[(&'static str, &str)]) -> Loader {
    let files: BTreeMap<&str, String> = files
        .iter()
        .map(|(path, text)| (*path, (*text).to_owned()))
        .collect();
    Loader::new().read_files_by(move |path: &Path| {
        let text = files.get(path.to_str().unwrap_or_default());
        text.cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    })
}

const PGPASS: &str = "# mine\n\
    db1:5432:shop:app:one\n\
    db1:5433:*:app:two\n\
    db2:5432:shop:app:three\n\
    db3:*:*:*:one\n";

#[test]
fn an_entry_of_pgpass_is_for_the_place_and_user_that_it_names() {
    let home = [("HOME", "/home/ada")];
    let load = |url: &str| {
        with_files(&[("/home/ada/.pgpass", PGPASS)])
            .environment(home)
            .environment([("DATABASE_URL", url)])
            .load()
            .unwrap()
    };
    for (url, password) in [
        ("postgres://app@db1/shop", "one"),
        ("postgres://app@db1:5433/other", "two"),
        ("postgres://app@db2/shop", "three"),
        ("postgres://app@db2/other", ""),
        ("postgres://bob@db1/shop", ""),
        ("postgres://app@db1:5434/shop", ""),
        ("postgres://app@db4/shop", ""),
        ("postgres://app:own@db1/shop", "own"),
        ("postgres://app@db1,db3/shop", "one"),
        // Not all of them have it.
        ("postgres://app@db1,db2/shop", ""),
        ("postgres://app@db1,db4/shop", ""),
    ] {
        assert_eq!(load(url).password().expose(), password, "{url}");
    }
    let config = load("postgres://app@db1/shop");
    let source = config.source("password").to_string();
    assert_eq!(source, "/home/ada/.pgpass, line 2");
    let told = load("postgres://app@db1,db2/shop")
        .source("password")
        .to_string();
    assert!(told.contains("not all hosts"), "{told}");
    // It follows the place where that changes.
    let change = |builder: underpin_config::ConfigBuilder| {
        builder
            .build()
            .map(|config| config.password().expose().to_owned())
    };
    assert_eq!(change(config.to_builder().max_retries(0)).unwrap(), "one");
    // The file is asked again then, and is not there for real.
    assert!(change(config.to_builder().port(5433)).is_err());
    assert!(change(config.to_builder().database("x")).is_err());
    // Only where the environment is read, or the file is named.
    let explicit = with_files(&[("/home/ada/.pgpass", PGPASS)]).environment(home);
    let explicit = explicit.url("postgres://app@db1/shop").load().unwrap();
    assert!(explicit.password().is_empty());
    let named = with_files(&[("/p", PGPASS)]);
    let named = named
        .url("postgres://app@db1/shop?passfile=/p")
        .load()
        .unwrap();
    assert_eq!(named.password().expose(), "one");
    let elsewhere = with_files(&[("/p", PGPASS)]).environment([
        ("PGPASSFILE", "/p"),
        ("PGHOST", "db1"),
        ("PGDATABASE", "shop"),
        ("PGUSER", "app"),
    ]);
    assert_eq!(elsewhere.load().unwrap().password().expose(), "one");
}

#[cfg(unix)]
#[test]
fn a_file_of_passwords_that_others_may_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let directory = std::env::temp_dir().join(format!("underpin-pgpass-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(".pgpass");
    std::fs::write(&path, PGPASS).unwrap();
    for (mode, password) in [(0o600, "one"), (0o400, "one"), (0o640, ""), (0o604, "")] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let config = Loader::new()
            .environment([("HOME", directory.to_str().unwrap())])
            .environment([("DATABASE_URL", "postgres://app@db1/shop")])
            .load()
            .unwrap();
        assert_eq!(config.password().expose(), password, "{mode:o}");
        let source = config.source("password").to_string();
        assert_eq!(
            source.contains("chmod 600"),
            password.is_empty(),
            "{source}"
        );
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

const SERVICES: &str = "# all of them\n\
    [shop]\n\
    host=db1\n\
    port = 5433\n\
    dbname=shop\n\
    user=app\n\
    password=hunter2\n\
    connect_timeout=7\n\
    [broken]\n\
    requirepeer=ada\n";

#[test]
fn a_service_is_above_the_variables_and_below_the_string_that_names_it() {
    let files = [
        ("/home/ada/.pg_service.conf", SERVICES),
        ("/etc/pg/pg_service.conf", "[far]\nhost=far\n"),
    ];
    let load = |pairs: &[(&'static str, &'static str)]| {
        let home = [("HOME", "/home/ada"), ("PGSYSCONFDIR", "/etc/pg")];
        let loader = with_files(&files).environment(home);
        loader.environment(pairs.to_vec()).load()
    };
    let config = load(&[
        ("PGSERVICE", "shop"),
        ("PGPORT", "1"),
        ("PGSSLMODE", "require"),
    ])
    .unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "db1:5433");
    assert_eq!((config.user(), config.database()), (Some("app"), "shop"));
    assert_eq!(config.password().expose(), "hunter2");
    assert_eq!(shown(&config)["connection_timeout"].0, "7s");
    assert_eq!(shown(&config)["sslmode"].0, "require");
    assert_eq!(
        config.source("port").to_string(),
        "/home/ada/.pg_service.conf, line 4"
    );
    assert_eq!(
        load(&[("PGSERVICE", "far")]).unwrap().endpoints()[0].to_string(),
        "far:5432"
    );

    let config = load(&[("DATABASE_URL", "postgres://bob@/?service=shop")]).unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "db1:5433");
    assert_eq!(
        (config.user(), config.password().expose()),
        (Some("bob"), "hunter2")
    );
    // Another host does not get the service's password.
    let config = load(&[("DATABASE_URL", "postgres://db2/?service=shop")]).unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "db2:5433");
    assert!(config.password().is_empty());

    for (name, part) in [("none", "is not in"), ("broken", "requirepeer")] {
        let error = load(&[("PGSERVICE", name)]).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    // Given explicitly, the file is named beside it.
    let loader = with_files(&[("/s", SERVICES)]).url("service=shop servicefile=/s");
    assert_eq!(
        loader.load().unwrap().endpoints()[0].to_string(),
        "db1:5433"
    );
}

#[test]
fn each_form_of_string_means_the_same() {
    let config = |text: &str| {
        let config = Config::from_url(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut url = config.to_url_masked();
        url.push_str(config.password().expose());
        url
    };
    let url = "postgres://app:p%20w@db1:5433/shop?sslmode=require&application_name=till&\
               channel_binding=require&connect_timeout=7";
    for same in [
        "postgresql://app:p%20w@db1:5433/shop?ssl=true&application_name=till&channel_binding=require\
         &connect_timeout=7",
        "host=db1 port=5433 dbname=shop user=app password='p w' sslmode=require \
         application_name=till channel_binding=require connect_timeout=7",
        "  dbname = shop user=app host = db1 password=p\\ w port=5433 sslmode='require'\n \
         application_name=till channel_binding=require connect_timeout=7",
        "jdbc:postgresql://db1:5433/shop?user=app&password=p%20w&ssl=true&ApplicationName=till\
         &channelBinding=require&connectTimeout=7",
    ] {
        assert_eq!(config(same), config(url), "{same}");
    }
    let jdbc = Config::from_url(
        "jdbc:postgresql://h1,h2/d?currentSchema=a,b&targetServerType=primary&tcpKeepAlive=false",
    )
    .unwrap();
    assert_eq!(jdbc.options(), Some("-c search_path=a,b"));
    assert_eq!(shown(&jdbc)["target_session_attrs"].0, "primary");
    assert!(!jdbc.keepalives());
    let jdbc = "jdbc:postgresql://h1,h2/d?targetServerType=preferSecondary&loadBalanceHosts=true";
    assert_eq!(
        shown(&Config::from_url(jdbc).unwrap())["read_from"].0,
        "replicas"
    );
    for (parameter, part) in [
        ("socketTimeout=10", "statement_timeout=10s"),
        ("prepareThreshold=0", "statement_cache_size=0"),
        ("targetServerType=secondary", CLUSTER),
    ] {
        let error = Config::from_url(&format!("jdbc:postgresql://h/d?{parameter}")).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let file = Config::from_url("jdbc:sqlite:a.db").unwrap();
    assert_eq!(file.endpoints()[0].to_string(), "a.db");
    // What was shown is read again.
    let shown = Config::from_url(url).unwrap().to_url_masked();
    assert_eq!(Config::from_url(&shown).unwrap().to_url_masked(), shown);
}

#[test]
fn neon_s_own_url_is_taken_as_it_is() {
    let url = "postgresql://alex:AbC123dEf@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/\
               dbname?sslmode=require&channel_binding=require";
    let config = Config::from_url(url).unwrap();
    assert_eq!(shown(&config)["channel_binding"].0, "require");
    assert_eq!(shown(&config)["sslmode"].0, "require");
}

/// Where another program counts in another unit, a number alone is refused: every key that takes
/// a duration, on each engine.
#[test]
fn no_duration_of_a_url_is_without_its_unit() {
    let mut found = 0;
    for place in ["postgres://h", "sqlite:a.db"] {
        let keys = Config::from_url(place).unwrap().explain();
        // Their other names too.
        let names = keys.iter().map(|setting| setting.key);
        for key in names.chain(["pool_recycle"]) {
            let takes = |value: &str| Config::from_url(&format!("{place}?{key}={value}"));
            // libpq's own have libpq's units.
            let is_libpq_s = ["keepalives_idle", "keepalives_interval", "tcp_user_timeout"];
            let is_text = takes("a-word").is_ok();
            if is_text || takes("90s").is_err() || is_libpq_s.contains(&key) {
                continue;
            }
            found += 1;
            for number in ["5000", "5", "0.5", " 5"] {
                let error = takes(number).expect_err(key);
                let number = number.trim();
                let hint = error.hint().unwrap();
                assert!(error.to_string().contains("without a unit"), "{error}");
                assert!(hint.contains(&format!("{key}={number}ms")), "{hint}");
                assert!(hint.contains(&format!("{key}={number}s")), "{hint}");
            }
            for value in ["5s", "90s", "5min"] {
                // Some hang together with others, which are not the point here.
                if let Err(error) = takes(value) {
                    assert!(!error.to_string().contains("unit"), "{key}: {error}");
                }
            }
        }
    }
    assert_eq!(found, 23, "keys that take a duration");
    // A file's number is one of seconds, as it says.
    let file = Loader::new().file_text("underpin.toml", "host = \"h\"\nstatement_timeout = 5");
    assert_eq!(shown(&file.load().unwrap())["statement_timeout"].0, "5s");
}

/// A key is suggested only where it looks like the word.
#[test]
fn nothing_is_suggested_that_looks_like_nothing() {
    let hint = |word: &str| {
        let error = Config::from_url(&format!("postgres://h?{word}=1")).unwrap_err();
        error.hint().unwrap().to_owned()
    };
    for (word, own) in [
        ("pgbouncer", "statement_cache_size=0"),
        ("search_path", "options=-c search_path"),
        ("schema", "options=-c search_path"),
        ("connection_limit", "pool_max_size"),
        ("pool_timeout", "acquire_timeout"),
        ("socket_timeout", "statement_timeout"),
        ("lock_timeout", "options=-c lock_timeout"),
        ("sslaccept", "sslmode"),
    ] {
        assert!(hint(word).contains(own), "{word}: {}", hint(word));
        assert!(!hint(word).contains("nearest"), "{word}");
    }
    for word in [
        "zzz",
        "color",
        "x",
        "retries_of_the_day",
        "serverTimezone",
        "trace",
    ] {
        assert_eq!(hint(word), "`underpin config` lists the keys.", "{word}");
    }
    for (word, nearest) in [
        ("hots", "host"),
        ("usr", "user"),
        ("application", "application_name"),
    ] {
        let hint = hint(word);
        let is_near = hint.contains(&format!("`{nearest}`"));
        assert_eq!(is_near, word != "application", "{word}: {hint}");
    }
    // Databases of a file, flags, properties, and the environment.
    let file = || Loader::new().file_text("underpin.toml", "[databases.main]\nhost = \"h\"");
    let error = file().database("reports").load().unwrap_err();
    assert!(error.to_string().contains("The file names main"), "{error}");
    let error = file()
        .url("postgres://h")
        .flag("zzz", "1")
        .load()
        .unwrap_err();
    assert!(!error.to_string().contains("nearest"), "{error}");
    let legacy = [("zzz".to_owned(), "1".to_owned())];
    let error = Config::from_legacy_properties(legacy).unwrap_err();
    assert!(!error.to_string().contains("nearest"), "{error}");
}

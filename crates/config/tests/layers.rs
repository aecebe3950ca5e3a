//! Which layer wins, what it is told of it, and what is a mistake.

use std::io;
use std::time::Duration;

use underpin_config::{Config, Environment, Loader, Source};
use underpin_core::{Class, Engine, Result};

const FILE: &str = r#"
engine = "postgres"
host = "filehost"
password = "of-the-file"
pool_max_size = 9
acquire_timeout = 0.5

[databases.audit]
url = "sqlite:audit.db"
busy_timeout = "2s"

[databases.main]
host = "mainhost"
"#;

fn file(text: &str) -> Loader {
    Loader::new().file_text("underpin.toml", text)
}

fn variables(pairs: &[(&str, &str)]) -> Result<Config> {
    Loader::new().environment(pairs.to_vec()).load()
}

fn refused(result: Result<Config>, parts: &[&str]) {
    let error = result.expect_err("a mistake");
    for part in parts {
        assert!(error.to_string().contains(part), "{part:?} in: {error}");
    }
    assert_eq!(error.class(), Class::Config);
}

fn source(config: &Config, key: &str) -> String {
    config.source(key).to_string()
}

#[test]
fn a_later_layer_wins_and_is_remembered() {
    let layers = || {
        file("url = \"postgres://app@db1/shop\"\nmax_retries = 1\npool_max_size = 6\nmax_overflow = 1")
            .code(Config::builder().max_retries(2).pool_max_size(7))
            .environment([("DB_POOL_MAX_SIZE", "8"), ("DB_MAX_OVERFLOW", "2"), ("HOME", "/")])
    };
    let config = layers().load().unwrap();
    assert_eq!(
        (
            config.pool_max_size(),
            config.max_retries(),
            config.max_overflow()
        ),
        (8, 2, 2)
    );
    assert_eq!(source(&config, "user"), "underpin.toml, line 1");
    assert_eq!(source(&config, "max_retries"), "code");
    assert_eq!(
        source(&config, "pool_max_size"),
        "environment variable DB_POOL_MAX_SIZE"
    );
    assert_eq!(source(&config, "idle_timeout"), "default");
    let config = layers().flag("pool-max-size", "10").load().unwrap();
    assert_eq!((config.pool_max_size(), config.max_overflow()), (10, 2));
    assert_eq!(source(&config, "pool_max_size"), "flag --pool-max-size");
    // An explicit URL: no environment, and nothing of the place in the file.
    let config = layers()
        .url("postgres://db9")
        .flag("max_overflow", "3")
        .load()
        .unwrap();
    assert_eq!((config.pool_max_size(), config.max_overflow()), (7, 3));
    assert_eq!(
        (config.user(), config.database()),
        (Some("postgres"), "postgres")
    );
    assert_eq!(config.source("host"), &Source::Url);
}

#[test]
fn explain_names_every_value_and_no_secret() {
    let config = file(FILE)
        .environment([("UNDERPIN_ENV", "production")])
        .load()
        .unwrap();
    let settings = config.explain();
    let line = |key: &str| {
        let setting = settings.iter().find(|setting| setting.key == key).unwrap();
        format!("{} ({})", setting.value, setting.source)
    };
    assert_eq!(line("engine"), "postgres (underpin.toml, line 2)");
    assert_eq!(line("host"), "filehost (underpin.toml, line 3)");
    assert_eq!(line("port"), "5432 (default)");
    assert_eq!(line("password"), "*** (underpin.toml, line 4)");
    assert_eq!(line("acquire_timeout"), "500ms (underpin.toml, line 6)");
    assert_eq!(line("idle_timeout"), "10min (default)");
    assert_eq!(line("sslmode"), "verify-full (default)");
    assert_eq!(
        line("environment"),
        "production (environment variable UNDERPIN_ENV)"
    );
    assert!(!format!("{config:?} {settings:?}").contains("of-the-file"));
    assert_eq!(config.environment(), Environment::Production);
}

#[test]
fn a_url_of_a_layer_says_the_whole_place() {
    let text = "host = \"h\"\nuser = \"u\"\nsslmode = \"disable\"\npool_max_size = 3";
    let config = file(text)
        .environment([("DATABASE_URL", "postgres://db1")])
        .load()
        .unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "db1:5432");
    assert_eq!((config.user(), config.sslmode()), (Some("postgres"), None));
    assert_eq!(config.pool_max_size(), 3);
    let url = "postgres://u@h1:6000/db";
    let config = variables(&[("DATABASE_URL", url), ("DB_HOST", "h2")]).unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "h2:6000");
    let url = "postgres://u@h1:6000,h2:6001/db";
    let config = variables(&[("DATABASE_URL", url), ("DB_PORT", "7")]).unwrap();
    assert_eq!(config.endpoints()[1].to_string(), "h2:7");
    let config = file("host = \"a,b\"\nport = [1, 2]")
        .environment([("DB_HOST", "c")])
        .load();
    assert_eq!(config.unwrap().endpoints()[0].to_string(), "c:5432");
}

#[test]
fn a_password_never_joins_a_host_from_another_layer() {
    // Left out below the host's layer, with its source told.
    let config = file(FILE)
        .environment([("DB_HOST", "other")])
        .load()
        .unwrap();
    assert!(config.password().is_empty());
    assert_eq!(
        source(&config, "password"),
        "a password is never combined with a host from another layer (environment variable \
         DB_HOST); the \
         value of underpin.toml, line 4 is not used"
    );
    let config = file(FILE)
        .code(Config::builder().host("other"))
        .load()
        .unwrap();
    assert!(config.password().is_empty());
    let config = Loader::new()
        .environment([("DB_PASSWORD", "s")])
        .flag("host", "other")
        .load()
        .unwrap();
    assert!(config.password().is_empty());
    // An error above it.
    refused(
        file("host = \"h\"")
            .environment([("DB_PASSWORD", "hunter2")])
            .load(),
        &[
            "environment variable DB_PASSWORD",
            "underpin.toml, line 1",
            "Set DB_HOST or DATABASE_URL",
        ],
    );
    // The host's own, where another layer has another.
    let both = [("DB_HOST", "h"), ("DB_PASSWORD", "s")];
    let config = file(FILE).environment(both).load().unwrap();
    assert_eq!(config.password().expose(), "s");
    // Within the environment: the URL's is for the URL's host, DB_PASSWORD for any.
    let url = ("DATABASE_URL", "postgres://u:of-url@h1/db");
    let config = variables(&[url, ("DB_HOST", "h2")]).unwrap();
    assert!(config.password().is_empty());
    let config = variables(&[url, ("DB_PASSWORD", "single")]).unwrap();
    assert_eq!(config.password().expose(), "single");
    // No host named: the default takes any.
    assert_eq!(
        variables(&[("DB_PASSWORD", "s")])
            .unwrap()
            .password()
            .expose(),
        "s"
    );
}

#[test]
fn a_builder_goes_on_from_a_configuration() {
    let config = Config::from_url("postgres://u:s@h1:6000/db?pool_max_size=3").unwrap();
    let next = config
        .to_builder()
        .pool_max_size(4)
        .password("new")
        .build()
        .unwrap();
    assert_eq!((next.pool_max_size(), next.password().expose()), (4, "new"));
    assert_eq!(next.endpoints()[0].to_string(), "h1:6000");
    assert_eq!(
        (next.source("host"), next.source("password")),
        (&Source::Url, &Source::Code)
    );
    let elsewhere = config.to_builder().host("h2").build().unwrap();
    assert!(elsewhere.password().is_empty());
    let elsewhere = config.to_builder().url("postgres://h2").build().unwrap();
    assert!(elsewhere.password().is_empty());
    assert_eq!(
        (elsewhere.user(), elsewhere.pool_max_size()),
        (Some("postgres"), 3)
    );
    let same = config.to_builder().build().unwrap();
    assert_eq!(same, config);
}

#[test]
fn a_builder_is_checked_when_built() {
    let builder = || Config::builder().host("h");
    let config = builder()
        .statement_timeout(None)
        .busy_timeout(Duration::from_secs(1))
        .build();
    refused(
        config,
        &["`busy_timeout` (code) does not apply to postgres"],
    );
    refused(builder().user("").build(), &["`user` (code) is empty"]);
    refused(
        builder().acquire_timeout(Duration::ZERO).build(),
        &["`acquire_timeout` (code)"],
    );
    refused(builder().port(0).build(), &["`port` (code)", "1 to 65535"]);
    refused(
        builder().pool_max_size(3).pool_min_size(4).build(),
        &["`pool_min_size` is 4 (code)"],
    );
    refused(
        Config::builder().host("a b").build(),
        &["is not a host name"],
    );
    let endpoints = Config::from_url("postgres://h1:1,%2Frun:2")
        .unwrap()
        .endpoints()
        .to_vec();
    let config = Config::builder()
        .endpoints(endpoints.clone())
        .build()
        .unwrap();
    assert_eq!(config.endpoints(), endpoints);
}

#[test]
fn several_databases_by_name() {
    let environment = [
        ("DB_HOST", "unnamed"),
        ("MAIN_DB_PORT", "6000"),
        ("OTHER_DATABASE_URL", "postgres://o"),
        ("UNDERPIN_ENV", "production"),
    ];
    let load = |name: &str| file(FILE).environment(environment).database(name).load();
    let main = load("main").unwrap();
    assert_eq!(main.endpoints()[0].to_string(), "mainhost:6000");
    assert_eq!((main.pool_max_size(), main.name()), (20, Some("main")));
    assert_eq!(main.environment(), Environment::Production);
    let audit = load("audit").unwrap();
    assert_eq!(
        (audit.engine(), audit.database()),
        (Engine::SQLITE, "audit.db")
    );
    assert_eq!(audit.busy_timeout(), Some(Duration::from_secs(2)));
    assert_eq!(source(&audit, "database"), "underpin.toml, line 9");
    assert_eq!(load("other").unwrap().endpoints()[0].to_string(), "o:5432");
    refused(
        load("mian"),
        &[
            "`mian`",
            "nearest known database is `main`",
            "MIAN_DATABASE_URL",
        ],
    );
    refused(load("a b"), &["cannot be the name of a database"]);
}

#[test]
fn mistakes_in_a_file_name_the_line() {
    let cases: [(&str, &[&str]); 10] = [
        (
            "\npool_max_sze = 1",
            &[
                "underpin.toml, line 2",
                "nearest known key is `pool_max_size`",
            ],
        ),
        (
            "\n\npool_max_size = \"x\"",
            &["`pool_max_size` (underpin.toml, line 3) is `x`"],
        ),
        ("pool_max_size = -1", &["`-1`, which is not a whole number"]),
        (
            "host = \"\"",
            &["`host` (underpin.toml, line 1) has an empty host name"],
        ),
        (
            "max_lifetime = 1\npool_recycle = 1",
            &["set twice", "line 1", "line 2"],
        ),
        ("[main]\nhost = \"h\"", &["line 1", "[databases.main]"]),
        (
            "host = { a = 1 }",
            &["line 1", "`[host]` is not a valid table"],
        ),
        ("databases.main = 3", &["line 1", "not a table"]),
        (
            "user = 1979-05-27",
            &["`user` (underpin.toml, line 1) cannot be"],
        ),
        (
            "password = \"hunter2",
            &["underpin.toml, line 1: this is not TOML"],
        ),
    ];
    for (text, parts) in cases {
        let error = file(text).database("main").load();
        let result = if text.starts_with("databases") {
            error
        } else {
            file(text).load()
        };
        assert!(!format!("{result:?}").contains("hunter2"));
        refused(result, parts);
    }
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let url = ("DATABASE_URL", "postgres://h");
    refused(
        variables(&[url, ("DB_HOTS", "h")]),
        &["DB_HOTS", "nearest known variable is DB_HOST"],
    );
    refused(
        variables(&[url, ("DB_POOL_MAXSIZE", "3")]),
        &["DB_POOL_MAX_SIZE"],
    );
    refused(
        variables(&[("DB_PORT", "x")]),
        &["`port` (environment variable DB_PORT) is `x`"],
    );
    refused(
        variables(&[("DB_NAME", " ")]),
        &["DB_NAME is set, but empty"],
    );
    refused(
        variables(&[url, ("DB_URL", "postgres://h")]),
        &["DATABASE_URL and DB_URL"],
    );
    refused(
        variables(&[("DB_MAX_LIFETIME", "1"), ("DB_POOL_RECYCLE", "1")]),
        &["set twice"],
    );
    refused(
        variables(&[("UNDERPIN_ENV", "test")]),
        &["neither development nor production"],
    );
    refused(
        variables(&[("DB_PASSWORD", "hunter2"), ("DB_PASSWORD_FILE", "/f")]),
        &["DB_PASSWORD)", "DB_PASSWORD_FILE)", "both set"],
    );
    let loader = Loader::new().environment([("MAIN_DB_HOST", "h"), ("MAIN_DB_HOTS", "h")]);
    refused(
        loader.database("main").load(),
        &["MAIN_DB_HOTS", "MAIN_DB_HOST"],
    );
    // Other programs' variables, and those for another engine.
    let foreign = [
        url,
        ("DB_LOG", "1"),
        ("DB_NODE", "a"),
        ("DB_BACKUP_DIR", "/b"),
        ("DBX", ""),
    ];
    variables(&foreign).unwrap();
    let lite = [
        ("DB_TYPE", "sqlite"),
        ("DB_NAME", "a.db"),
        ("DB_HOST", "h"),
        ("DB_USER", "u"),
    ];
    assert_eq!(variables(&lite).unwrap().endpoints()[0].to_string(), "a.db");
    refused(
        variables(&[("DB_TYPE", "sqlite")]),
        &["has no file to open", "DB_TYPE"],
    );
    refused(
        file("engine = \"sqlite\"\nhost = \"h\"").load(),
        &["`host` (underpin.toml, line 2)"],
    );
}

#[test]
fn every_field_has_a_variable() {
    let config = variables(&[
        ("DB_TYPE", "postgresql"),
        ("DB_HOST", "db1,db2"),
        ("DB_PORT", "5433"),
        ("DB_NAME", "shop"),
        ("DB_USER", "app"),
        ("DB_PASSWORD", ""),
        ("DB_POOL_MIN_SIZE", "1"),
        ("DB_POOL_MAX_SIZE", "2"),
        ("DB_MAX_OVERFLOW", "3"),
        ("DB_CONNECTION_TIMEOUT", "4"),
        ("DB_ACQUIRE_TIMEOUT", "5s"),
        ("DB_STATEMENT_TIMEOUT", "0.0001"),
        ("DB_IDLE_TIMEOUT", "7min"),
        ("DB_POOL_RECYCLE", "-1"),
        ("DB_HEALTH_CHECK", "after 8ms"),
        ("DB_HEALTH_CHECK_INTERVAL", "9"),
        ("DB_MAX_RETRIES", "0"),
        ("DB_STATEMENT_CACHE_SIZE", "10"),
        ("DB_PIPELINING", "off"),
        ("DB_PIPELINING", "off"),
        ("DB_APPLICATION_NAME", "till"),
        ("DB_OPTIONS", "-c a=b"),
        ("DB_SSLMODE", "verify-ca"),
        ("DB_SSLROOTCERT", "ca.pem"),
        ("DB_SSLCERT", "c.pem"),
        ("DB_SSLKEY", "k.pem"),
    ])
    .unwrap();
    let shown: Vec<_> = config
        .explain()
        .into_iter()
        .filter(|setting| setting.source != Source::Default)
        .map(|setting| format!("{}={}", setting.key, setting.value))
        .collect();
    assert_eq!(
        shown.join(" "),
        "engine=postgres host=db1,db2 port=5433 user=app database=shop password=none \
         sslmode=verify-ca sslrootcert=ca.pem sslcert=c.pem sslkey=k.pem application_name=till \
         options=-c a=b pool_max_size=2 pool_min_size=1 max_overflow=3 connection_timeout=4s \
         acquire_timeout=5s statement_timeout=100us idle_timeout=7min max_lifetime=off \
         health_check=after 8ms health_check_interval=9s max_retries=0 statement_cache_size=10 pipelining=off"
    );
}

#[test]
fn a_password_is_read_from_its_file() {
    let read = |name: &str| match name {
        "/good" => Ok("hun\nter2\r\n".to_owned()),
        "/empty" => Ok("\n".to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let load = |path: &str| {
        Loader::new()
            .read_files_by(move |path| read(path.to_str().unwrap_or_default()))
            .environment([("DB_HOST", "h"), ("DB_PASSWORD_FILE", path)])
            .load()
    };
    let config = load("/good").unwrap();
    assert_eq!(config.password().expose(), "hun\nter2");
    assert_eq!(
        source(&config, "password"),
        "environment variable DB_PASSWORD_FILE"
    );
    refused(
        load("/missing"),
        &["DB_PASSWORD_FILE", "/missing", "cannot be read"],
    );
    refused(load("/empty"), &["DB_PASSWORD_FILE", "/empty is empty"]);
    // A file that another layer's password replaces is not read.
    let loader = file("host = \"h\"\npassword_file = \"/missing\"")
        .environment([("DB_HOST", "h"), ("DB_PASSWORD", "s")]);
    assert_eq!(loader.load().unwrap().password().expose(), "s");
}

#[test]
fn nothing_set_shows_the_three_shortest_ways() {
    let parts = [
        "--url postgres://",
        "DATABASE_URL",
        "underpin.toml",
        "url = \"",
    ];
    refused(Loader::new().load(), &parts);
    refused(
        variables(&[("DB_POOL_MAX_SIZE", "3"), ("DB_SSLMODE", "require")]),
        &parts,
    );
    refused(
        file("[databases.main]\nhost = \"h\"").load(),
        &["The file names main"],
    );
    let missing = Loader::new().file("/nowhere/underpin.toml");
    refused(missing.load(), &["/nowhere/underpin.toml cannot be read"]);
    refused(
        Loader::new()
            .file_if_present("/nowhere/underpin.toml")
            .load(),
        &parts,
    );
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_named() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let broken = OsString::from_vec(vec![0xff]);
    let foreign = Loader::new()
        .url("postgres://h")
        .environment([("X", broken.clone())]);
    foreign.load().unwrap();
    let loader = Loader::new().environment([("DB_USER", broken)]);
    refused(loader.load(), &["DB_USER is not valid UTF-8"]);
}

#[test]
fn limits_of_overload_are_read_and_checked() {
    let url = "postgres://app@db1/shop?sslmode=disable&";
    let config = Config::from_url(&format!(
        "{url}pool_max_waiting=64&shed_target=5ms&leak_threshold=2min"
    ))
    .unwrap();
    assert_eq!(config.pool_max_waiting(), Some(64));
    assert_eq!(config.shed_target(), Some(Duration::from_millis(5)));
    assert_eq!(config.shed_interval(), Duration::from_millis(100));
    assert_eq!(config.leak_threshold(), Some(Duration::from_secs(120)));
    let off = Config::from_url(&format!("{url}pool_max_waiting=off")).unwrap();
    assert_eq!((off.pool_max_waiting(), off.leak_threshold()), (None, None));
    for (wrong, named) in [
        ("pool_max_waiting=0", "pool_max_waiting"),
        ("pool_max_waiting=many", "pool_max_waiting"),
        ("leak_threshold=0s", "leak_threshold"),
        ("shed_target=200ms", "shed_interval"),
    ] {
        let error = Config::from_url(&format!("{url}{wrong}")).unwrap_err();
        assert!(error.message().contains(named), "{error}");
    }
}

#[test]
fn migrations_and_scratch_databases_may_be_elsewhere() {
    let text = "url = \"postgres://app:one@pooler:6432/shop?sslmode=disable\"\n\
        statement_timeout = \"7s\"\n\
        [scratch]\nurl = \"postgres://ci:two@db2/postgres\"\n\
        [migrate]\nurl = \"postgres://owner:three@db1/shop\"\n";
    let config = file(text).load().unwrap();
    assert_eq!(config.endpoints()[0].to_string(), "pooler:6432");
    assert_eq!(source(&config, "migrate_url"), "underpin.toml, line 6");
    let migrations = config.for_migrations().unwrap();
    assert_eq!(migrations.endpoints()[0].to_string(), "db1:5432");
    assert_eq!(migrations.user(), Some("owner"));
    assert_eq!(migrations.password().expose(), "three");
    assert_eq!(migrations.statement_timeout(), Some(Duration::from_secs(7)));
    let scratch = config.for_scratch().unwrap();
    assert_eq!(scratch.endpoints()[0].to_string(), "db2:5432");
    assert_eq!(scratch.password().expose(), "two");
    for shown in [
        config.to_url_masked(),
        format!("{:?}", config.explain()),
        format!("{config:?}"),
    ] {
        for secret in ["one", "two", "three"] {
            assert!(!shown.contains(&format!(":{secret}@")), "{shown}");
        }
    }

    let above = [("MIGRATE_DATABASE_URL", "postgres://env@db3/shop")];
    let config = file(text).environment(above).load().unwrap();
    let migrations = config.for_migrations().unwrap();
    assert_eq!(migrations.endpoints()[0].to_string(), "db3:5432");
    assert!(migrations.password().is_empty());
    let named = [
        ("MAIN_DATABASE_URL", "postgres://a@db1/x"),
        ("MAIN_MIGRATE_DATABASE_URL", "postgres://a@db4/x"),
        ("MIGRATE_DATABASE_URL", "postgres://a@db5/x"),
    ];
    let config = Loader::new().environment(named).database("main").load();
    let migrations = config.unwrap().for_migrations().unwrap();
    assert_eq!(migrations.endpoints()[0].to_string(), "db4:5432");

    let plain = Config::from_url("postgres://app@db1/shop").unwrap();
    assert_eq!(plain.for_migrations().unwrap(), plain);
    assert_eq!(plain.for_scratch().unwrap(), plain);
    let other = Config::builder()
        .url("postgres://app@db1/shop")
        .migrate_url("sqlite:shop.db")
        .build()
        .unwrap();
    refused(other.for_migrations(), &["`migrate_url`", "one engine"]);
    refused(
        file("[scratch]\nurll = \"x\"\n").load(),
        &["underpin.toml, line 2", "scratch_url"],
    );
}

#[test]
fn the_environment_leads_to_an_access_file() {
    let config = variables(&[
        ("DB_TYPE", "access"),
        ("DB_NAME", "/data/old.accdb"),
        ("DB_PASSWORD", "hunter2"),
        ("DB_HOST", "of-another-program"),
        ("DB_LENIENT", "on"),
    ])
    .unwrap();
    assert_eq!(config.engine(), Engine::ACCESS);
    assert_eq!(config.endpoints()[0].to_string(), "/data/old.accdb");
    assert_eq!(config.password().expose(), "hunter2");
    assert!(config.lenient());
    assert_eq!(config.pool_max_size(), 1);
}

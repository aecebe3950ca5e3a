//! Every documented setting: alone, beside each other one, and with its documented effect.

use underpin::config::Source;
use underpin::{Class, Config, Database, Engine};

use underpin_testkit::{Postgres, or_skip};

use crate::place::{InPlace, Place};

/// A value of each setting that is not its default. Settings for the location of the database, the
/// user and encryption have tests of their own.
const OF_ALL: &[(&str, &str)] = &[
    ("pool_max_size", "7"),
    ("pool_min_size", "1"),
    ("max_overflow", "1"),
    ("pool_max_waiting", "9"),
    ("shed_target", "50ms"),
    ("shed_interval", "200ms"),
    ("leak_threshold", "2min"),
    ("connection_timeout", "9s"),
    ("acquire_timeout", "29s"),
    ("statement_timeout", "28s"),
    ("idle_timeout", "9min"),
    ("max_lifetime", "29min"),
    ("health_check", "always"),
    ("health_check_interval", "25s"),
    ("recycling", "clean"),
    ("max_retries", "1"),
    ("statement_cache_size", "0"),
    ("migrate_ahead", "ignore"),
];
const OF_POSTGRES: &[(&str, &str)] = &[
    ("application_name", "till"),
    ("fallback_application_name", "other"),
    ("options", "-c geqo=off"),
    ("keepalives", "off"),
    ("keepalives_idle", "30s"),
    ("keepalives_interval", "5s"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "1500ms"),
    ("pipelining", "off"),
    ("error_detail", "on"),
    ("read_from", "nearest"),
    ("max_lag_bytes", "4096"),
    ("max_lag_time", "3s"),
    ("two_primaries", "keep"),
    ("message_limit", "100000"),
    ("allow_cleartext_password", "on"),
    ("target_session_attrs", "primary"),
    ("discovery_interval", "5s"),
];
const OF_SQLITE: &[(&str, &str)] = &[
    ("busy_timeout", "4s"),
    ("uuids", "blob"),
    ("times", "rfc3339"),
    ("attach", "off"),
];

/// Opens a database with these settings, and checks that it answers and that each is in force.
async fn open_with(place: &Place, settings: &[(&str, &str)]) {
    let url = place.url();
    let separator = if url.contains('?') { '&' } else { '?' };
    let pairs: Vec<String> = settings
        .iter()
        .map(|(key, value)| format!("{key}={}", value.replace(' ', "%20").replace('=', "%3D")))
        .collect();
    let url = format!("{url}{separator}{}", pairs.join("&"));
    let config = Config::from_url(&url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let shown = config.explain();
    for (key, value) in settings {
        let setting = shown.iter().find(|setting| setting.key == *key).unwrap();
        assert_eq!(setting.value, *value, "{url}");
        assert_eq!(setting.source, Source::Url, "{url}");
    }
    let db = Database::connect(config)
        .await
        .unwrap_or_else(|error| panic!("{url}: {error}"));
    let one: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
    assert_eq!(one, 0, "{url}");
    let said = |key: &str| {
        settings
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    };
    if place.engine() == Engine::POSTGRES {
        let setting = async |name: &str| -> String {
            let sql = format!("SELECT current_setting('{name}')");
            db.query_scalar(&sql, ()).await.unwrap()
        };
        let name = said("application_name").or(said("fallback_application_name"));
        assert_eq!(
            setting("application_name").await,
            name.unwrap_or_default(),
            "{url}"
        );
        let geqo = said("options").map_or("on", |_| "off");
        assert_eq!(setting("geqo").await, geqo, "{url}");
        let usual = match said("statement_cache_size") {
            Some(_) => "0",
            None => "30s",
        };
        let limit = said("statement_timeout").unwrap_or(usual);
        assert_eq!(setting("statement_timeout").await, limit, "{url}");
        let long = db.query_scalar::<String>("SELECT repeat('x', 120000)", ());
        let is_short = said("message_limit").is_some();
        assert_eq!(long.await.is_err(), is_short, "{url}");
    }
    db.close(std::time::Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn every_setting_is_in_force_alone_and_beside_the_others() {
    for place in Place::each("settings") {
        let db = place.open().await;
        db.batch("CREATE TABLE t (n integer)").await.unwrap();
        drop(db);
        let own = match place.engine() == Engine::POSTGRES {
            true => OF_POSTGRES,
            false => OF_SQLITE,
        };
        let all: Vec<_> = OF_ALL.iter().chain(own).copied().collect();
        // The list is complete: the remaining keys say where the database is and how it is reached.
        let keys = Config::from_url(&place.url()).unwrap().explain();
        let keys = keys.iter().map(|setting| setting.key).filter(|key| {
            let elsewhere = [
                "engine",
                "host",
                "port",
                "hostaddr",
                "patroni",
                "user",
                "database",
                "password",
                "environment",
                "read_only",
                "create",
                "immutable",
                "channel_binding",
                "migrate_url",
                "scratch_url",
            ];
            !elsewhere.contains(key) && !key.starts_with("ssl")
        });
        for key in keys {
            assert!(
                all.iter().any(|(listed, _)| *listed == key),
                "{key} is not tried"
            );
        }
        open_with(&place, &all).await;
        for setting in &all {
            open_with(&place, &[*setting]).await;
            // Most important: without prepared statements.
            if setting.0 != "statement_cache_size" {
                open_with(&place, &[*setting, ("statement_cache_size", "0")]).await;
            }
        }
    }
}

#[tokio::test]
async fn a_password_is_sent_in_clear_text_where_that_is_set() {
    let in_clear = "local all all trust\nhost all all 127.0.0.1/32 password";
    let server = or_skip!(Postgres::builder().hba(in_clear).start());
    let database = server.database("clear_text");
    let url = database.url();
    let error = Database::connect(&url).await.unwrap_err();
    assert_eq!(error.class(), Class::Auth, "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("allow_cleartext_password"), "{hint}");
    let separator = if url.contains('?') { '&' } else { '?' };
    let allowed = format!("{url}{separator}allow_cleartext_password=on");
    let db = Database::connect(&allowed).await.unwrap();
    assert_eq!(db.query_scalar::<i32>("SELECT 1", ()).await.unwrap(), 1);
}

//! No error and no `Debug` shows a password, whatever the input looks like.

use proptest::prelude::*;
use underpin_config::{Config, Loader, masked};
use underpin_core::{Address, Result};

/// Parts that no message of this crate contains, joined by what breaks URLs.
fn password() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[QXZJ]{5}[0-9]{3}", 1..4)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn output(result: &Result<Config>) -> String {
    match result {
        Ok(config) => format!(
            "{config:?} {:?} {} {:?}",
            config.explain(),
            config.to_url_masked(),
            config.to_builder()
        ),
        Err(error) => format!("{error} {error:?} {error:#?}"),
    }
}

fn shows_nothing(parts: &[String], output: &str) -> Result<(), TestCaseError> {
    for part in parts {
        prop_assert!(!output.contains(part.as_str()), "{part} in {output}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn of_a_url_broken_anywhere(
        parts in password(),
        between in "[:@/?#&=%\\[\\], +]{1,2}",
        scheme in prop::sample::select(vec!["postgres://", "postgresql+x://", "mssql://", "oracle://", "postgres:", "", "://"]),
        host in "[a-z0-9:.,\\[\\]%]{0,6}",
        rest in "[a-z0-9/?&=_%:]{0,12}",
    ) {
        // A raw `&` or `=` after a `?` cannot be told from the next parameter.
        let raw = parts.join(&between);
        let url = format!("{scheme}app:{raw}@{host}{rest}");
        shows_nothing(&parts, &masked(&url))?;
        shows_nothing(&parts, &output(&Config::from_url(&url)))?;
        let environment = [("DATABASE_URL", url.clone())];
        let loader = Loader::new().environment(environment).url(url);
        shows_nothing(&parts, &format!("{loader:?}"))?;
    }

    #[test]
    fn of_a_parameter(parts in password(), key in "(password|sslpassword|pass|PASSWORD)", rest in "[a-z&=_]{0,8}") {
        let url = format!("postgres://h/db?x=1&{key}={}&{rest}", parts.join("@"));
        shows_nothing(&parts, &masked(&url))?;
        shows_nothing(&parts, &output(&Config::from_url(&url)))?;
    }

    #[test]
    fn of_a_good_url_and_a_bad_parameter(text in "[^\0]{8,20}", rest in "[a-z_]{1,16}=[a-z0-9]{0,3}") {
        let url = format!("postgres://app:{}@h/db", encoded(&text));
        let config = Config::from_url(&url).unwrap();
        prop_assert_eq!(config.password().expose(), text.as_str());
        prop_assert!(!output(&Ok(config)).contains(&text));
        let result = Config::from_url(&format!("{url}?{rest}"));
        let shown = output(&result);
        prop_assert!(!shown.contains(&text) && !shown.contains(&encoded(&text)), "{shown}");
    }

    #[test]
    fn of_a_file(parts in password(), before in "[a-z_=\\[\\]\"\n 0-9]{0,12}", after in "[\"'a-z=\\[\\]{}\n]{0,6}") {
        let text = format!("{before}password = \"{}{after}", parts.join(" "));
        let loader = Loader::new().file_text("underpin.toml", text);
        shows_nothing(&parts, &format!("{loader:?}"))?;
        shows_nothing(&parts, &output(&loader.load()))?;
    }

    #[test]
    fn a_shown_url_is_read_as_the_same(
        user in "[a-zé@:/%?][a-zé@:/ %?]{0,5}",
        database in "[a-zé@:/%?#][a-zé@:/ %?#]{0,5}",
        hosts in prop::collection::vec(("[a-z][a-z0-9.-]{0,5}|/run/[a-z ,:@]{1,4}", 1_u16..), 1..4),
        size in 1_u32..50,
        name in "[a-z&=+#][a-z&=+ #]{0,5}",
    ) {
        let endpoints = hosts.iter().map(|(host, port)| match host.starts_with('/') {
            true => underpin_core::Endpoint::unix(host, *port),
            false => underpin_core::Endpoint::tcp(host, *port),
        });
        let config = Config::builder()
            .endpoints(endpoints)
            .user(user)
            .database(database)
            .password("hunter2")
            .pool_max_size(size)
            .application_name(name)
            .build()
            .unwrap();
        let shown = config.to_url_masked();
        let again = Config::from_url(&shown).unwrap();
        prop_assert_eq!(again.endpoints(), config.endpoints());
        prop_assert_eq!(again.user(), config.user());
        prop_assert_eq!(again.database(), config.database());
        prop_assert_eq!(again.pool_max_size(), size);
        prop_assert_eq!(again.application_name(), config.application_name());
        prop_assert_eq!(again.to_url_masked(), shown);
    }

    #[test]
    fn a_path_comes_back(path in "[a-zé/.%?#:@-][a-zé /.%?#:@-]{0,11}") {
        let config = Config::builder().engine(underpin_core::Engine::SQLITE).database(path).build().unwrap();
        let again = Config::from_url(&config.to_url_masked()).unwrap();
        prop_assert!(matches!(again.endpoints()[0].address, Address::File(_)));
        prop_assert_eq!(again.database(), config.database());
    }

    #[test]
    fn no_text_panics(text in ".*", scheme in "(postgres://|sqlite:|)") {
        let _ = Config::from_url(&format!("{scheme}{text}"));
        let _ = masked(&text);
        let _ = Loader::new().file_text("f", text.clone()).load();
        let _ = Loader::new().environment([("DB_HOST", text.clone()), ("DB_PORT", text)]).load();
    }
}

//! The meaning of libpq's parameters.

use underpin_core::{Engine, Error, Result};

use crate::mistake;

/// A parameter of libpq.
struct Parameter {
    name: &'static str,
    /// The environment variable that libpq reads for it.
    variable: Option<&'static str>,
    meaning: Meaning,
}

enum Meaning {
    /// The key of this name has the same meaning and takes the same values.
    Key(&'static str),
    /// The key of this name, in whole seconds; what is not above 0 is the system's default.
    Seconds(&'static str),
    /// The same in milliseconds.
    Milliseconds(&'static str),
    /// The same as a number without a unit.
    Count(&'static str),
    /// `connection_timeout`, in whole seconds.
    ConnectTimeout,
    /// The encoding, which is always UTF-8.
    Encoding,
    /// The oldest, or the newest, version of TLS.
    OldestTls,
    NewestTls,
    /// Which servers to connect to.
    Target,
    /// These values are what happens anyway; others are refused.
    Only(&'static [&'static str], Refusal),
    /// Every value is refused.
    Refused(Refusal),
    /// Read where the layers are read: `service` and `servicefile`.
    Service,
}

/// Why something is refused, as a sentence, and what to do instead.
type Refusal = (&'static str, &'static str);

const CLUSTER: &str = "Writes need a server that takes writes; only reads can go elsewhere.";
const GSSAPI: Refusal = (
    "GSSAPI is not supported for login or encryption.",
    "Log in with a password or a client certificate, and encrypt with TLS (sslmode).",
);
const OAUTH: Refusal = (
    "Login by OAuth is not supported.",
    "Pass the token as the password if the server accepts that, or log in with a password or a \
     client certificate.",
);
const STORED_SCRAM: Refusal = (
    "SCRAM keys are always computed from the password.",
    "Set the password, or password_file if it is stored in a file.",
);

use Meaning::{
    ConnectTimeout, Count, Encoding, Key, Milliseconds, NewestTls, OldestTls, Only, Refused,
    Seconds, Service, Target,
};

const fn row(name: &'static str, variable: Option<&'static str>, meaning: Meaning) -> Parameter {
    Parameter {
        name,
        variable,
        meaning,
    }
}

/// Every parameter that libpq documents, up to PostgreSQL 18.
const PARAMETERS: &[Parameter] = &[
    row("host", Some("PGHOST"), Key("host")),
    row("hostaddr", Some("PGHOSTADDR"), Key("hostaddr")),
    row("port", Some("PGPORT"), Key("port")),
    row("dbname", Some("PGDATABASE"), Key("database")),
    row("user", Some("PGUSER"), Key("user")),
    row("password", Some("PGPASSWORD"), Key("password")),
    // Its variable says where to look by default.
    row("passfile", None, Key("passfile")),
    row(
        "require_auth",
        Some("PGREQUIREAUTH"),
        Refused((
            "Refusing login methods is not supported.",
            "`channel_binding=require` accepts only SCRAM over TLS, which is the strictest method.",
        )),
    ),
    row(
        "channel_binding",
        Some("PGCHANNELBINDING"),
        Key("channel_binding"),
    ),
    row("connect_timeout", Some("PGCONNECT_TIMEOUT"), ConnectTimeout),
    row("client_encoding", Some("PGCLIENTENCODING"), Encoding),
    row("options", Some("PGOPTIONS"), Key("options")),
    row(
        "application_name",
        Some("PGAPPNAME"),
        Key("application_name"),
    ),
    row(
        "fallback_application_name",
        None,
        Key("fallback_application_name"),
    ),
    row("keepalives", None, Key("keepalives")),
    row("keepalives_idle", None, Seconds("keepalives_idle")),
    row("keepalives_interval", None, Seconds("keepalives_interval")),
    row("keepalives_count", None, Count("keepalives_count")),
    row("tcp_user_timeout", None, Milliseconds("tcp_user_timeout")),
    row(
        "replication",
        None,
        Only(
            &["false", "off", "no", "0"],
            (
                "Replication connections are not supported.",
                "Use pg_recvlogical, pg_receivewal or a client made for replication.",
            ),
        ),
    ),
    row(
        "gssencmode",
        Some("PGGSSENCMODE"),
        Only(&["disable", "prefer"], GSSAPI),
    ),
    row("sslmode", Some("PGSSLMODE"), Key("sslmode")),
    row(
        "requiressl",
        Some("PGREQUIRESSL"),
        Refused((
            "libpq replaced it with `sslmode`.",
            "Write sslmode=require, or better sslmode=verify-full.",
        )),
    ),
    row(
        "sslnegotiation",
        Some("PGSSLNEGOTIATION"),
        Key("sslnegotiation"),
    ),
    row(
        "sslcompression",
        Some("PGSSLCOMPRESSION"),
        Only(
            &["0"],
            (
                "TLS is never compressed, since compression can reveal secrets.",
                "Write sslcompression=0.",
            ),
        ),
    ),
    row("sslcert", Some("PGSSLCERT"), Key("sslcert")),
    row("sslkey", Some("PGSSLKEY"), Key("sslkey")),
    row(
        "sslkeylogfile",
        None,
        Refused((
            "Writing the keys of a connection to a file is not supported.",
            "To inspect the traffic, use a server without TLS on an isolated network.",
        )),
    ),
    row(
        "sslpassword",
        None,
        Refused((
            "Encrypted keys are not supported.",
            "Decrypt it into a file that only its user may read: openssl pkey -in KEY -out PLAIN; \
             then set sslkey to that file.",
        )),
    ),
    row(
        "sslcertmode",
        Some("PGSSLCERTMODE"),
        Only(
            &["allow"],
            (
                "A client certificate is sent if the server asks for one and `sslcert` is set.",
                "Leave out sslcert and sslkey to send none. Whether the server asks for one is set \
                 in its pg_hba.conf (clientcert).",
            ),
        ),
    ),
    row("sslrootcert", Some("PGSSLROOTCERT"), Key("sslrootcert")),
    row("sslcrl", Some("PGSSLCRL"), Key("sslcrl")),
    row(
        "sslcrldir",
        Some("PGSSLCRLDIR"),
        Refused((
            "Revoked certificates are read from a file, not from a directory.",
            "Put the lists into one PEM file, and set sslcrl to it.",
        )),
    ),
    row("sslsni", Some("PGSSLSNI"), Key("sslsni")),
    row(
        "requirepeer",
        Some("PGREQUIREPEER"),
        Refused((
            "Checking which user runs the server behind a socket is not supported.",
            "Connect by TCP and check the server's certificate (sslmode=verify-full).",
        )),
    ),
    row(
        "ssl_min_protocol_version",
        Some("PGSSLMINPROTOCOLVERSION"),
        OldestTls,
    ),
    row(
        "ssl_max_protocol_version",
        Some("PGSSLMAXPROTOCOLVERSION"),
        NewestTls,
    ),
    row(
        "min_protocol_version",
        Some("PGMINPROTOCOLVERSION"),
        Only(
            &["3.0"],
            (
                "Version 3.0 of PostgreSQL's protocol is the oldest that is supported, as on every server.",
                "Write min_protocol_version=3.0.",
            ),
        ),
    ),
    row(
        "max_protocol_version",
        Some("PGMAXPROTOCOLVERSION"),
        Only(
            &["3.0", "3.2", "latest"],
            (
                "This version speaks version 3.0 of PostgreSQL's protocol.",
                "Write max_protocol_version=3.0.",
            ),
        ),
    ),
    row("krbsrvname", Some("PGKRBSRVNAME"), Refused(GSSAPI)),
    row("gsslib", Some("PGGSSLIB"), Refused(GSSAPI)),
    row(
        "gssdelegation",
        Some("PGGSSDELEGATION"),
        Only(&["0"], GSSAPI),
    ),
    row("scram_client_key", None, Refused(STORED_SCRAM)),
    row("scram_server_key", None, Refused(STORED_SCRAM)),
    // Their variables are read where the service is looked up.
    row("service", None, Service),
    row("servicefile", None, Service),
    row("target_session_attrs", Some("PGTARGETSESSIONATTRS"), Target),
    row(
        "load_balance_hosts",
        Some("PGLOADBALANCEHOSTS"),
        Only(
            &["disable", "random"],
            (
                "Writes go to the primary at any place in the list, and reads go to the hosts in turn.",
                "Leave it out, and set read_from to choose where reads go.",
            ),
        ),
    ),
    row("oauth_issuer", None, Refused(OAUTH)),
    row("oauth_client_id", None, Refused(OAUTH)),
    row("oauth_client_secret", None, Refused(OAUTH)),
    row("oauth_scope", None, Refused(OAUTH)),
];

/// Settings of a session for which libpq has a variable and no parameter.
pub(crate) const SESSION_VARIABLES: [(&str, &str); 3] = [
    ("PGDATESTYLE", "datestyle"),
    ("PGTZ", "timezone"),
    ("PGGEQO", "geqo"),
];

/// Whether an engine is one that libpq connects to.
pub(crate) fn connects_to(engine: Engine) -> bool {
    engine.has_key("target_session_attrs")
}

/// The parameters that libpq reads from the environment, and their variables.
pub(crate) fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    PARAMETERS
        .iter()
        .filter_map(|parameter| Some((parameter.variable?, parameter.name)))
}

fn find(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name)
}

/// The key and the value that a parameter of libpq stands for; `None` where it asks for what
/// happens anyway. A parameter that libpq does not know is a key of our own.
pub(crate) fn translate<'a>(name: &'a str, value: &str) -> Result<Option<(&'a str, String)>> {
    let Some(parameter) = find(name) else {
        return Ok(Some((name, value.to_owned())));
    };
    // An empty value is none.
    if value.is_empty() {
        return Ok(None);
    }
    let number = value.trim().parse::<i64>().ok();
    let in_units = |key, unit: &str| match number {
        Some(number) if number > 0 => Ok(Some((key, format!("{number}{unit}")))),
        Some(_) => Ok(None),
        None => Ok(Some((key, value.to_owned()))),
    };
    let refuse = |refusal| Err(refused(name, value, refusal));
    match parameter.meaning {
        Key(key) => Ok(Some((key, value.to_owned()))),
        Seconds(key) => in_units(key, "s"),
        Milliseconds(key) => in_units(key, "ms"),
        Count(key) => in_units(key, ""),
        ConnectTimeout if number.is_some_and(|number| number <= 0) => refuse((
            "libpq then waits without a limit, but here, opening a connection always has a limit.",
            "Write a long limit, such as connection_timeout=10min.",
        )),
        ConnectTimeout => in_units("connection_timeout", "s"),
        Encoding => {
            let plain = value.replace(['-', '_'], "").to_ascii_lowercase();
            match plain.as_str() {
                "utf8" | "unicode" => Ok(None),
                _ => refuse((
                    "Text is always sent and read as UTF-8, and the server converts it.",
                    "Write client_encoding=UTF8.",
                )),
            }
        }
        OldestTls if value == "TLSv1" || value == "TLSv1.1" => Ok(None),
        OldestTls => Ok(Some(("ssl_min_protocol_version", value.to_owned()))),
        NewestTls if value == "TLSv1" || value == "TLSv1.1" => refuse((
            "The oldest supported version of TLS is 1.2, since earlier versions are broken.",
            "Write ssl_max_protocol_version=TLSv1.2.",
        )),
        NewestTls => Ok(Some(("ssl_max_protocol_version", value.to_owned()))),
        // What writes still goes to the primary.
        Target if value == "prefer-standby" => Ok(Some(("read_from", "replicas".to_owned()))),
        Target if ["read-only", "standby"].contains(&value) => refuse((
            CLUSTER,
            "Write target_session_attrs=prefer-standby, or name the replica as the only host.",
        )),
        Target => Ok(Some(("target_session_attrs", value.to_owned()))),
        Only(values, _) if values.contains(&value) => Ok(None),
        Only(_, refusal) | Refused(refusal) => refuse(refusal),
        // Where it is read, it was taken out before.
        Service => refuse((
            "A service is set in a connection string, or by PGSERVICE.",
            "Write postgres://?service=NAME.",
        )),
    }
}

/// The error for a parameter of libpq that is not a key of the configuration.
pub(crate) fn not_a_key(name: &str) -> Option<Error> {
    let parameter = find(name)?;
    Some(match parameter.meaning {
        Refused(refusal) => refused(name, "", refusal),
        _ => mistake::config(format!(
            "`{name}` is a parameter of libpq's connection strings."
        ))
        .with_hint("Write it in the URL."),
    })
}

fn refused(name: &str, value: &str, (why, instead): Refusal) -> Error {
    let only_some = matches!(
        find(name).map(|parameter| &parameter.meaning),
        Some(Only(..) | ConnectTimeout | Encoding | NewestTls | Target)
    );
    let what = match only_some {
        true => format!("`{name}={value}`"),
        false => format!("libpq's `{name}`"),
    };
    mistake::config(format!("{what} is not available: {}", lower_first(why))).with_hint(instead)
}

/// Within a sentence.
fn lower_first(sentence: &str) -> String {
    match sentence.split_once(' ') {
        // Names stay as they are.
        Some((first @ ("TLS" | "GSSAPI" | "libpq"), rest)) => format!("{first} {rest}"),
        _ => {
            let mut characters = sentence.chars();
            let first = characters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(characters).collect()
        }
    }
}

use underpin_core::Result;

use crate::mistake;

/// What JDBC calls the parameters that libpq has under another name.
const NAMES: [(&str, &str); 11] = [
    ("ApplicationName", "application_name"),
    ("channelBinding", "channel_binding"),
    ("connectTimeout", "connect_timeout"),
    ("gssEncMode", "gssencmode"),
    ("loadBalanceHosts", "load_balance_hosts"),
    ("loginTimeout", "connect_timeout"),
    ("requireAuth", "require_auth"),
    ("sslNegotiation", "sslnegotiation"),
    ("targetServerType", "target_session_attrs"),
    ("tcpKeepAlive", "keepalives"),
    ("passfile", "passfile"),
];

/// The parameter of libpq, or the key, that a parameter of a JDBC URL stands for.
pub(crate) fn translate(name: &str, value: &str) -> Result<(String, String)> {
    let renamed = NAMES.iter().find(|(jdbc, _)| *jdbc == name);
    let key = renamed.map_or(name, |(_, key)| key);
    let value = match (name, value) {
        ("currentSchema", schemas) => {
            let escaped = schemas.replace('\\', r"\\").replace(' ', r"\ ");
            return Ok(("options".to_owned(), format!("-c search_path={escaped}")));
        }
        ("targetServerType", "master") => "primary",
        ("targetServerType", "secondary" | "slave") => "standby",
        ("targetServerType", "preferSecondary" | "preferSlave") => "prefer-standby",
        ("loadBalanceHosts", "false") => "disable",
        ("loadBalanceHosts", "true") => "random",
        ("socketTimeout" | "prepareThreshold" | "binaryTransfer" | "reWriteBatchedInserts", _) => {
            return Err(mistake::config(format!(
                "`{name}` is a parameter of the JDBC driver only."
            ))
            .with_hint(match name {
                "socketTimeout" => "Write statement_timeout=10s for a limit on each statement.",
                "prepareThreshold" => {
                    "Write statement_cache_size=0 if a pooler in transaction mode is in front of \
                     the server; otherwise leave it out."
                }
                _ => "Leave it out.",
            }));
        }
        (_, value) => value,
    };
    Ok((key.to_owned(), value.to_owned()))
}

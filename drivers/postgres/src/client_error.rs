//! What kind an error of the client is. tokio-postgres keeps its kinds to itself, and shows them
//! only as texts, which are constants of its source and in no other language than English. This is
//! the only place that reads them.

use std::error::Error as _;

use underpin_core::Error;

/// A kind that something depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The handshake of the encryption failed.
    Tls,
    /// The login failed on this side, by the method that the server asks for.
    Authentication,
    /// The server asks for a password, and there is none.
    PasswordMissing,
    /// A value of ours cannot be sent as the parameter that the server expects; nothing was sent.
    Misfit,
    /// The statement cannot be put into a message; nothing was sent.
    Encoding,
    /// What came is none of the protocol's messages, or not the one that was due.
    NotUnderstood,
    /// Another one.
    Other,
}

impl Kind {
    #[cold]
    pub(crate) fn of(error: &tokio_postgres::Error) -> Kind {
        let cause = error.source();
        match error.to_string().as_str() {
            "error performing TLS handshake" => Kind::Tls,
            "authentication error" => Kind::Authentication,
            "unexpected message from server" | "error parsing response from server" => {
                Kind::NotUnderstood
            }
            "error encoding message to server" => Kind::Encoding,
            "invalid configuration"
                if cause.is_some_and(|cause| cause.to_string() == "password missing") =>
            {
                Kind::PasswordMissing
            }
            text if text.starts_with("error serializing parameter ")
                && cause.is_some_and(<dyn std::error::Error>::is::<Error>) =>
            {
                Kind::Misfit
            }
            _ => Kind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};
    use tokio_postgres::{Config, NoTls};

    use super::*;

    /// How the client fails when the server answers its startup message with these bytes.
    async fn login(answer: &[u8]) -> Kind {
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(answer).await.unwrap();
        let mut config = Config::new();
        config
            .user("app")
            .ssl_mode(tokio_postgres::config::SslMode::Disable);
        match config.connect_raw(ours, NoTls).await {
            Err(error) => Kind::of(&error),
            Ok(_) => panic!("no server lets anybody in with {answer:?}"),
        }
    }

    #[tokio::test]
    async fn the_client_shows_its_kinds_in_these_texts() {
        let md5 = [b"R\0\0\0\x0c\0\0\0\x05".as_slice(), b"salt"].concat();
        assert_eq!(login(&md5).await, Kind::PasswordMissing);
        assert_eq!(login(b"R\0\0\0\x08\0\0\0\x07").await, Kind::Authentication);
        assert_eq!(login(b"Z\0\0\0\x05I").await, Kind::NotUnderstood);
        assert_eq!(login(b"E\0\0\0\x06Sx").await, Kind::NotUnderstood);
        let mut config = Config::new();
        config
            .user("a\0b")
            .ssl_mode(tokio_postgres::config::SslMode::Disable);
        let (ours, _theirs) = duplex(1024);
        let error = config.connect_raw(ours, NoTls).await.err().unwrap();
        assert_eq!(Kind::of(&error), Kind::Encoding);
        config
            .user("app")
            .ssl_mode(tokio_postgres::config::SslMode::Require);
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(b"N").await.unwrap();
        let error = config.connect_raw(ours, NoTls).await.err().unwrap();
        assert_eq!(Kind::of(&error), Kind::Tls);
    }
}

use crate::service::Service;

/// The pools of one database, by engine.
pub(crate) enum Backend {
    #[cfg(feature = "postgres")]
    Postgres(Service<underpin_postgres::Connector>),
    #[cfg(feature = "sqlite")]
    Sqlite(Service<underpin_sqlite::Connector>),
}

/// Does the same with whichever engine it is: the body is compiled once for each.
macro_rules! on_engine {
    ($value:expr, $enum:ident, $name:ident => $body:expr) => {
        match $value {
            #[cfg(feature = "postgres")]
            $enum::Postgres($name) => $body,
            #[cfg(feature = "sqlite")]
            $enum::Sqlite($name) => $body,
        }
    };
}
pub(crate) use on_engine;

//! How an engine without types for UUIDs and times stores them, if that can be chosen.

/// How a UUID is written if the declared type of its column does not decide. In SQLite, a column
/// whose type is declared as `BLOB` or `BINARY` contains bytes, and one with a text type contains
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UuidForm {
    /// `67e55044-10b1-426f-9247-bb680e5fe0c8`.
    #[default]
    Text,
    /// 16 bytes, as rusqlite and sqlx write it.
    Blob,
}

/// How a point in time is written if the declared type of its column does not decide. In SQLite, a
/// column whose type is declared as `INTEGER` contains Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimeForm {
    /// `2026-01-31 12:34:56.789`, in UTC: the form of SQLite's own functions, and of Diesel,
    /// rusqlite and sqlx for a timestamp without zone.
    #[default]
    Text,
    /// The same with `+00:00` behind it, as rusqlite and Diesel write a `DateTime<Utc>` of chrono.
    /// A timestamp without zone is written as [`Text`](TimeForm::Text).
    Offset,
    /// `2026-01-31T12:34:56.789+00:00`, as sqlx writes a `DateTime<Utc>` of chrono. A timestamp
    /// without zone is written as [`Text`](TimeForm::Text).
    Rfc3339,
    /// An INTEGER, the seconds since 1970. A fraction of a second is refused.
    UnixSeconds,
}

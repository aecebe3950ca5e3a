use underpin::Model;
use underpin::value::Timestamp;

/// Somebody who looks for a job.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(table = "users", sqlite(strict, checked_types))]
pub struct User {
    /// The primary key.
    #[model(primary_key, serial)]
    pub id: i32,
    /// The address, which no two users share.
    #[model(type = "varchar(255)", unique, index = "idx_users_email")]
    pub email: String,
    /// A PHC string; never the password itself.
    #[model(type = "varchar(255)")]
    pub hashed_password: String,
    /// The name.
    #[model(type = "varchar(255)")]
    pub full_name: Option<String>,
    /// Whether jobs are matched and e-mails queued.
    #[model(default = true)]
    pub is_active: Option<bool>,
    /// Whether the user administers the service.
    #[model(default = false)]
    pub is_superuser: Option<bool>,
    /// When the row was made.
    #[model(
        default = "now()",
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub created_at: Option<Timestamp>,
    /// When the row was last changed.
    #[model(
        default = "now()",
        on_update,
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub updated_at: Option<Timestamp>,
}

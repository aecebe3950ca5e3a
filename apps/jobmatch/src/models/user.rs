use underpin::value::Timestamp;

use super::model::model;

model! {
    /// Somebody who looks for a job.
    User, NewUser, UserChanges in "users"
    required {
        /// The address, which no two users share.
        email: String,
        /// A PHC string; never the password itself.
        hashed_password: String,
    }
    optional {
        /// The name.
        full_name: String,
        /// Whether jobs are matched and e-mails queued.
        is_active: bool,
        /// Whether the user administers the service.
        is_superuser: bool,
        /// When the row was made.
        created_at: Timestamp,
    }
    moved {
        /// When the row was last changed.
        updated_at
    }
}

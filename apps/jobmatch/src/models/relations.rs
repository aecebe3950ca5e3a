//! Who belongs to whom: each relation both ways, in one query for many rows.

use std::collections::HashMap;

use underpin::{Executor, Result};

use super::load::{by_foreign_key, by_id};
use super::{EmailLog, Job, JobScore, MatchingResult, User};

macro_rules! has_many {
    ($($parent:ident.$name:ident: $child:ident by $column:ident ($of:expr);)*) => {$(
        impl $parent {
            #[doc = concat!("The ", stringify!($name), " of each of these, by its id.")]
            ///
            /// # Errors
            /// What the query failed with.
            ///
            /// # Cancel safety
            /// Safe.
            pub async fn $name(
                at: &impl Executor,
                of: &[$parent],
            ) -> Result<HashMap<i32, Vec<$child>>> {
                let parents = of.iter().map(|parent| parent.id);
                by_foreign_key(at, stringify!($column), $of, parents).await
            }
        }
    )*};
}

macro_rules! belongs_to {
    ($($child:ident.$name:ident: $parent:ident ($of:expr);)*) => {$(
        impl $child {
            #[doc = concat!("The ", stringify!($name), " that these belong to, by their own ids.")]
            ///
            /// # Errors
            /// What the query failed with.
            ///
            /// # Cancel safety
            /// Safe.
            pub async fn $name(
                at: &impl Executor,
                of: &[$child],
            ) -> Result<HashMap<i32, $parent>> {
                by_id(at, of.iter().filter_map($of)).await
            }
        }
    )*};
}

has_many! {
    User.scores: JobScore by user_id (|score: &JobScore| Some(score.user_id));
    User.matches: MatchingResult by user_id (|found: &MatchingResult| Some(found.user_id));
    User.emails: EmailLog by user_id (|email: &EmailLog| email.user_id);
    Job.scores: JobScore by job_id (|score: &JobScore| Some(score.job_id));
    Job.matches: MatchingResult by job_id (|found: &MatchingResult| Some(found.job_id));
    JobScore.matches: MatchingResult by job_score_id (|found: &MatchingResult| Some(found.job_score_id));
}

belongs_to! {
    JobScore.users: User (|score| Some(score.user_id));
    JobScore.jobs: Job (|score| Some(score.job_id));
    MatchingResult.users: User (|found| Some(found.user_id));
    MatchingResult.jobs: Job (|found| Some(found.job_id));
    MatchingResult.scores: JobScore (|found| Some(found.job_score_id));
    EmailLog.users: User (|email| email.user_id);
}

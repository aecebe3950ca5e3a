use jobmatch::models::{
    EmailLog, Job, JobChanges, JobScore, JobScoreChanges, MatchStatus, MatchingResult,
    MatchingResultChanges, NewEmailLog, NewJob, NewJobScore, NewMatchingResult, NewUser, User,
    UserChanges,
};
use underpin::value::Numeric;
use underpin::{Class, Field, Model};

use crate::place::{InPlace, Place, close, count};

#[tokio::test]
async fn a_field_left_out_takes_the_default_and_one_of_null_is_null() {
    for place in Place::each("three_states") {
        let database = place.migrated().await;
        let user = User::insert(&database, NewUser::new("a@b.c", "x"))
            .await
            .unwrap();
        assert_eq!(
            (user.is_active, user.is_superuser),
            (Some(true), Some(false))
        );
        assert_eq!(user.full_name, None);
        assert!(user.created_at.is_some() && user.updated_at.is_some());
        let mut new = NewUser::new("d@e.f", "x");
        new.is_active = Field::Null;
        new.is_superuser = true.into();
        new.full_name = "Ada".into();
        let user = User::insert(&database, new).await.unwrap();
        assert_eq!((user.is_active, user.is_superuser), (None, Some(true)));
        assert_eq!(user.full_name.as_deref(), Some("Ada"));
        assert_eq!(User::get(&database, user.id).await.unwrap(), Some(user));
        assert_eq!(User::get(&database, 99).await.unwrap(), None);
        close(database).await;
    }
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_moves_updated_at() {
    for place in Place::each("update") {
        let database = place.migrated().await;
        let mut new = NewJob::new("Engineer", "Northwind");
        new.salary_min = "84252.50".parse::<Numeric>().unwrap().into();
        new.location = "Berlin".into();
        let mut before = Job::insert(&database, new).await.unwrap();
        let transaction = database.begin().await.unwrap();
        for title in ["Senior Engineer", "Principal Engineer", "Fellow"] {
            let changes = JobChanges {
                title: Some(title.into()),
                location: Field::Null,
                ..JobChanges::default()
            };
            let after = Job::update(&transaction, before.id, changes).await.unwrap();
            assert_eq!(after.title, title);
            assert_eq!(after.location, None);
            assert_eq!(after.company_name, "Northwind");
            assert_eq!(after.salary_min.as_ref().unwrap().to_f64(), 84252.5);
            assert!(after.updated_at > before.updated_at, "{}", place.engine());
            assert_eq!(after.created_at, before.created_at);
            before = after;
        }
        let nothing = Job::update(&transaction, before.id, JobChanges::default());
        assert!(nothing.await.unwrap().updated_at > before.updated_at);
        transaction.commit().await.unwrap();
        let missing = User::update(&database, 99, UserChanges::default()).await;
        assert_eq!(missing.unwrap_err().class(), Class::NotFound);
        close(database).await;
    }
}

#[tokio::test]
async fn rows_are_deleted_where_nothing_refers_to_them() {
    for place in Place::each("delete") {
        let database = place.migrated().await;
        let user = User::insert(&database, NewUser::new("a", "x"))
            .await
            .unwrap();
        let job = Job::insert(&database, NewJob::new("t", "c")).await.unwrap();
        let score = NewJobScore::new(user.id, job.id, 80.0);
        let score = JobScore::insert(&database, score).await.unwrap();
        assert_eq!(score.scoring_algorithm_version.as_deref(), Some("1.0"));
        let refused = User::delete(&database, user.id).await.unwrap_err();
        assert_eq!(refused.class(), Class::Constraint);
        assert!(JobScore::delete(&database, score.id).await.unwrap());
        assert!(!JobScore::delete(&database, score.id).await.unwrap());
        assert!(User::delete(&database, user.id).await.unwrap());
        close(database).await;
    }
}

#[tokio::test]
async fn relations_load_both_ways_in_one_query_each() {
    for place in Place::each("relations") {
        let database = place.migrated().await;
        let people = (0..3).map(|n| NewUser::new(format!("u{n}"), "x"));
        assert_eq!(User::insert_many(&database, people).await.unwrap(), 3);
        let jobs = (0..2).map(|n| NewJob::new(format!("j{n}"), "c"));
        assert_eq!(Job::insert_many(&database, jobs).await.unwrap(), 2);
        let scores = [(1, 1), (1, 2), (2, 1)];
        let scores = scores.map(|(user, job)| NewJobScore::new(user, job, 50.0));
        JobScore::insert_many(&database, scores).await.unwrap();
        let found = NewMatchingResult::new(1, 2, 2);
        let found = MatchingResult::insert(&database, found).await.unwrap();
        assert_eq!(found.match_status, Some(MatchStatus::Pending));
        let mut email = NewEmailLog::new("t", "u0", "s", "b");
        email.user_id = 1.into();
        EmailLog::insert(&database, email).await.unwrap();

        let before = database.metrics().total_queries;
        let users: Vec<User> = database
            .query_as("SELECT * FROM users ORDER BY id", ())
            .await
            .unwrap();
        let scores = JobScore::USER_ID.children(&database, &users).await.unwrap();
        assert_eq!(database.metrics().total_queries - before, 2);
        let jobs_of = |user| {
            scores[&user]
                .iter()
                .map(|score| score.job_id)
                .collect::<Vec<_>>()
        };
        assert_eq!((jobs_of(1), jobs_of(2)), (vec![1, 2], vec![1]));
        assert!(!scores.contains_key(&3));
        assert_eq!(
            MatchingResult::USER_ID
                .children(&database, &users)
                .await
                .unwrap()[&1],
            std::slice::from_ref(&found)
        );
        assert_eq!(
            EmailLog::USER_ID.children(&database, &users).await.unwrap()[&1].len(),
            1
        );

        let all: Vec<JobScore> = scores.into_values().flatten().collect();
        let owners = JobScore::USER_ID.parents(&database, &all).await.unwrap();
        assert_eq!((owners.len(), &*owners[&2].email), (2, "u1"));
        let jobs = JobScore::JOB_ID.parents(&database, &all).await.unwrap();
        assert_eq!(jobs[&2].title, "j1");
        let jobs: Vec<Job> = jobs.into_values().collect();
        assert_eq!(
            JobScore::JOB_ID.children(&database, &jobs).await.unwrap()[&1].len(),
            2
        );
        assert_eq!(
            MatchingResult::JOB_SCORE_ID
                .children(&database, &all)
                .await
                .unwrap()[&2],
            std::slice::from_ref(&found)
        );
        assert_eq!(
            MatchingResult::JOB_SCORE_ID
                .parents(&database, [&found])
                .await
                .unwrap()[&2]
                .job_id,
            2
        );
        assert!(
            JobScore::USER_ID
                .children(&database, &[])
                .await
                .unwrap()
                .is_empty()
        );

        let viewed = MatchingResultChanges {
            match_status: MatchStatus::Viewed.into(),
            is_viewed: true.into(),
            ..Default::default()
        };
        let viewed = MatchingResult::update(&database, found.id, viewed)
            .await
            .unwrap();
        assert_eq!(viewed.match_status, Some(MatchStatus::Viewed));
        assert!(viewed.updated_at > found.updated_at);
        // A table without updated_at: nothing given is nothing changed.
        let same = JobScore::update(&database, 1, JobScoreChanges::default()).await;
        assert_eq!(same.unwrap().total_score, 50.0);
        assert_eq!(count(&database, "job_scores").await, 3);
        close(database).await;
    }
}

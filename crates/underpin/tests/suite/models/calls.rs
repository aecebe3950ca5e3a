//! The calls of models on rows, on every engine.

use std::collections::BTreeMap;
use std::time::Duration;

use underpin::value::Uuid;
use underpin::{Class, Database, Effect, Engine, Field, Model};

use super::shop::{
    Event, Goal, GoalChanges, Match, MatchChanges, Mood, NewEvent, NewGoal, NewMatch, NewPlayer,
    NewTeam, Player, PlayerChanges, PlayerId, Team, opened, somebody,
};
use crate::place::Place;

async fn close(database: Database) {
    database.close(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn a_value_null_and_the_default_are_three_things() {
    for place in Place::each("model_three") {
        let db = opened(&place).await;
        let plain = Player::insert(&db, somebody(1)).await.unwrap();
        assert_eq!((plain.age, plain.mood), (18, Mood::VeryHappy));
        assert_eq!((plain.name.as_deref(), plain.version), (None, 1));
        assert_eq!(plain.next_age, Some(19));
        let new = NewPlayer {
            name: "Ada".into(),
            age: Some(12),
            guardian: Field::Value("Byron".into()),
            mood: Some(Mood::Sad),
            notes: Field::Value(vec!["a".into()]),
            salary: Field::Null,
            labels: BTreeMap::from([("b".to_owned(), 2)]),
            scores: vec![1, 2],
            picture: vec![0, 255].into(),
            rank: 1.5.into(),
            ..somebody(2)
        };
        let player = Player::insert(&db, new).await.unwrap();
        assert_eq!((player.age, player.mood), (12, Mood::Sad));
        assert_eq!(player.notes, Some(vec!["a".to_owned()]));
        assert_eq!((player.labels["b"], player.salary.is_none()), (2, true));
        assert_eq!((&player.scores[..], player.number), (&[1, 2][..], 2));
        assert_eq!(
            (player.picture.as_deref(), player.rank),
            (Some(&[0, 255][..]), Some(1.5))
        );
        let read = Player::get(&db, player.id.clone()).await.unwrap();
        assert_eq!(read, Some(player));
        let nobody = PlayerId(Uuid::from_u128(9));
        assert_eq!(Player::get(&db, nobody).await.unwrap(), None);
        close(db).await;
    }
}

#[tokio::test]
async fn a_generated_id_needs_no_fake_and_can_be_chosen() {
    for place in Place::each("model_ids") {
        let db = opened(&place).await;
        let first = Team::insert(&db, NewTeam::new("A")).await.unwrap();
        assert_eq!((first.id, first.points), (1, 0));
        let chosen = NewTeam {
            id: Some(70),
            points: Some(3),
            ..NewTeam::new("B")
        };
        let chosen = Team::insert(&db, chosen).await.unwrap();
        assert_eq!((chosen.id, chosen.points), (70, 3));
        assert_eq!(Goal::insert(&db, NewGoal::default()).await.unwrap().id, 1);
        let taken = Team::insert(&db, NewTeam::new("A")).await.unwrap_err();
        assert_eq!(taken.class(), Class::Constraint);
        close(db).await;
    }
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_moves_times_forward() {
    for place in Place::each("model_update") {
        let db = opened(&place).await;
        let mut before = Player::insert(&db, somebody(1)).await.unwrap();
        let tx = db.begin().await.unwrap();
        for name in ["Ada", "Grace", "Edsger"] {
            let changes = PlayerChanges {
                name: name.into(),
                salary: Field::Null,
                ..PlayerChanges::default()
            };
            let after = Player::update(&tx, before.id.clone(), changes)
                .await
                .unwrap();
            assert_eq!(
                (after.name.as_deref(), &after.email),
                (Some(name), &before.email)
            );
            assert!(after.updated_at > before.updated_at, "{}", db.engine());
            assert!(after.seen_at > before.seen_at, "{}", db.engine());
            assert_eq!(after.version, before.version + 1);
            assert_eq!(after.created_at, before.created_at);
            before = after;
        }
        tx.commit().await.unwrap();
        let nobody = PlayerId(Uuid::from_u128(9));
        let missing = Player::update(&db, nobody, PlayerChanges::default()).await;
        let missing = missing.unwrap_err();
        assert_eq!(missing.class(), Class::NotFound);
        assert_eq!(missing.effect(), Effect::Applied);
        assert!(
            missing
                .to_string()
                .contains("players has no row whose id is"),
            "{missing}"
        );
        close(db).await;
    }
}

#[tokio::test]
async fn only_what_changed_is_written_when_asked() {
    for place in Place::each("model_changes") {
        let db = opened(&place).await;
        let before = Player::insert(&db, somebody(1)).await.unwrap();
        let mut after = before.clone();
        after.name = Some("Ada".into());
        after.labels.insert("a".into(), 1);
        let changes = after.changes_since(&before);
        assert_eq!(changes.name, Field::Value("Ada".to_owned()));
        assert_eq!(changes.labels, Some(after.labels.clone()));
        assert!(changes.email.is_none() && changes.salary.is_unset());
        // A change by another client since then remains.
        let other = PlayerChanges {
            age: Some(40),
            ..PlayerChanges::default()
        };
        Player::update(&db, before.id.clone(), other).await.unwrap();
        let both = Player::update(&db, before.id.clone(), changes)
            .await
            .unwrap();
        assert_eq!((both.name.as_deref(), both.age), (Some("Ada"), 40));
        // If all fields are given, the whole row is written.
        let all = Player::update(&db, before.id.clone(), before.into())
            .await
            .unwrap();
        assert_eq!((all.name, all.age), (None, 18));
        // No field is given, and no time moves: the row is returned as it is.
        let goal = Goal::insert(&db, NewGoal::default()).await.unwrap();
        let same = Goal::update(&db, goal.id, GoalChanges::default())
            .await
            .unwrap();
        assert_eq!(same, goal);
        close(db).await;
    }
}

#[tokio::test]
async fn a_row_is_inserted_or_changed_by_any_of_its_keys() {
    for place in Place::each("model_upsert") {
        let db = opened(&place).await;
        let give = |points| NewTeam {
            points,
            ..NewTeam::new("A")
        };
        let new = Team::upsert(&db, give(Some(1)), &["name"]).await.unwrap();
        let changed = Team::upsert(&db, give(Some(2)), &["name"]).await.unwrap();
        assert_eq!((changed.id, changed.points), (new.id, 2));
        let kept = Team::upsert(&db, give(None), &["name"]).await.unwrap();
        assert_eq!(kept, changed);
        let before = Player::upsert(&db, somebody(1), &["id"]).await.unwrap();
        let after = Player::upsert(&db, somebody(1), &["id"]).await.unwrap();
        assert_eq!(after.version, before.version + 1);
        assert!(after.updated_at > before.updated_at);
        let a_match = |title| NewMatch::new(1, 2, title);
        Match::upsert(&db, a_match("x"), &["field", "day"])
            .await
            .unwrap();
        let second = Match::upsert(&db, a_match("y"), &["day", "field"])
            .await
            .unwrap();
        assert_eq!(second.title, "y");
        let error = Team::upsert(&db, give(None), &["points"])
            .await
            .unwrap_err();
        assert_eq!(error.class(), Class::Config);
        assert!(
            error
                .to_string()
                .contains("its keys are [\"id\"] and [\"name\"]"),
            "{error}"
        );
        close(db).await;
    }
}

#[tokio::test]
async fn many_rows_go_in_by_the_columns_that_they_give() {
    for place in Place::each("model_many") {
        let db = opened(&place).await;
        let teams = (1..=300).map(|n| NewTeam {
            points: (n % 2 == 0).then_some(n),
            ..NewTeam::new(format!("t{n}"))
        });
        assert_eq!(Team::insert_many(&db, teams).await.unwrap(), 300);
        let sum: i64 = db
            .query_scalar("SELECT sum(points) FROM teams", ())
            .await
            .unwrap();
        assert_eq!(sum, (1..=300).filter(|n| n % 2 == 0).sum::<i64>());
        assert_eq!(
            Player::insert_many(&db, (1..=3).map(somebody))
                .await
                .unwrap(),
            3
        );
        let empty = vec![NewGoal::default(), NewGoal::default()];
        assert_eq!(Goal::insert_many(&db, empty).await.unwrap(), 2);
        assert_eq!(Team::insert_many(&db, Vec::new()).await.unwrap(), 0);
        let events = (0..5).map(|at| NewEvent {
            what: Field::Null,
            ..NewEvent::new(at)
        });
        assert_eq!(Event::insert_many(&db, events).await.unwrap(), 5);
        close(db).await;
    }
}

#[tokio::test]
async fn parents_and_children_are_loaded_in_one_query_each() {
    for place in Place::each("model_load") {
        let db = opened(&place).await;
        let teams = ["A", "B", "C"].map(NewTeam::new);
        Team::insert_many(&db, teams).await.unwrap();
        let players = [(1, 1), (2, 1), (3, 2)].map(|(number, team)| NewPlayer {
            team_id: team.into(),
            former_team: (number == 3).then_some(1).into(),
            ..somebody(number)
        });
        Player::insert_many(&db, players).await.unwrap();
        Player::insert(&db, somebody(4)).await.unwrap();

        let before = db.metrics().total_queries;
        let teams = Team::load(&db, [1, 2, 3, 3, 9]).await.unwrap();
        assert_eq!((teams.len(), &*teams[&3].name), (3, "C"));
        let by_team = Player::TEAM_ID.children(&db, teams.values()).await.unwrap();
        assert_eq!(db.metrics().total_queries - before, 2);
        let numbers: Vec<u16> = by_team[&1].iter().map(|one| one.number).collect();
        assert_eq!((numbers, by_team.len()), (vec![1, 2], 2));
        let former = Player::FORMER_TEAM
            .children(&db, teams.values())
            .await
            .unwrap();
        assert_eq!(former[&1][0].number, 3);

        let players: Vec<Player> = by_team.into_values().flatten().collect();
        let before = db.metrics().total_queries;
        let parents = Player::TEAM_ID.parents(&db, &players).await.unwrap();
        assert_eq!((parents.len(), &*parents[&2].name), (2, "B"));
        assert_eq!(db.metrics().total_queries - before, 1);
        let by_uuid = Player::load(&db, players.iter().map(|one| one.id.clone())).await;
        assert_eq!(by_uuid.unwrap().len(), 3);
        // Nothing is requested, so nothing is sent.
        assert!(Team::load(&db, []).await.unwrap().is_empty());
        assert_eq!(db.metrics().total_queries - before, 2);
        close(db).await;
    }
}

#[tokio::test]
async fn a_key_of_two_columns_is_a_pair() {
    for place in Place::each("model_pair") {
        let db = opened(&place).await;
        let matches = [(1, 1), (1, 2), (2, 1)];
        let matches =
            matches.map(|(field, day)| NewMatch::new(field, day, format!("{field}/{day}")));
        Match::insert_many(&db, matches).await.unwrap();
        let second = Match::get(&db, (2, 1)).await.unwrap().unwrap();
        assert_eq!((second.day, second.field, &*second.title), (2, 1, "1/2"));
        let goals = [(2, 1), (2, 1), (1, 1)].map(|(day, field)| NewGoal {
            day: day.into(),
            field: field.into(),
            ..NewGoal::new()
        });
        Goal::insert_many(&db, goals).await.unwrap();
        let loaded = Match::load(&db, [(2, 1), (1, 1), (7, 7)]).await.unwrap();
        assert_eq!((loaded.len(), &*loaded[&(1, 1)].title), (2, "1/1"));
        let goals = Goal::DAY_FIELD
            .children(&db, loaded.values())
            .await
            .unwrap();
        assert_eq!((goals[&(2, 1)].len(), goals[&(1, 1)].len()), (2, 1));
        let changes = MatchChanges {
            title: Some("final".into()),
            ..MatchChanges::default()
        };
        let changed = Match::update(&db, (2, 1), changes).await.unwrap();
        assert_eq!(changed.title, "final");
        assert!(Match::delete(&db, (2, 1)).await.unwrap());
        assert!(!Match::delete(&db, (2, 1)).await.unwrap());
        let left: i64 = db
            .query_scalar(
                match db.engine() {
                    Engine::POSTGRES => "SELECT count(*) FROM league.goals",
                    _ => "SELECT count(*) FROM goals",
                },
                (),
            )
            .await
            .unwrap();
        assert_eq!(left, 1);
        close(db).await;
    }
}

#[tokio::test]
async fn more_keys_than_a_statement_takes_are_loaded_all_the_same() {
    for place in Place::each("model_chunks") {
        let db = opened(&place).await;
        let teams = (0..100).map(|n| NewTeam::new(format!("t{n}")));
        Team::insert_many(&db, teams).await.unwrap();
        let before = db.metrics().total_queries;
        let loaded = Team::load(&db, 1..=40_000).await.unwrap();
        assert_eq!(loaded.len(), 100);
        let queries = match db.engine() {
            Engine::POSTGRES => 1,
            _ => 2,
        };
        assert_eq!(db.metrics().total_queries - before, queries);
        close(db).await;
    }
}

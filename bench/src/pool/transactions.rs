//! Transactions, each on a connection of its own while it lasts.

use super::{OURS, PoolReport};
use crate::load::{Done, Operation};
use crate::peers::{self, CONNECTIONS, Transactions};
use crate::race::{Contender, Rounds};
use crate::server::Server;

const DEADPOOL: &str = "deadpool-postgres";

pub(super) async fn run(server: &Server, rounds: Rounds, report: &mut PoolReport) {
    let contenders = [
        Contender::new(OURS, Transact(peers::ours::open(server).await)),
        Contender::new(DEADPOOL, Transact(peers::deadpool::open(server))),
        Contender::new("sqlx", Transact(peers::sqlx::open(server, true).await)),
        Contender::new(
            "sqlx, without its ping before use",
            Transact(peers::sqlx::open(server, false).await),
        ),
    ];
    let what = format!("BEGIN, SELECT, COMMIT, {CONNECTIONS} connections");
    for tasks in [8, 64] {
        let standings = rounds.race(&what, tasks, &contenders).await;
        report.compare(&standings, DEADPOOL, 1.0, ("p99", |waits| waits.p99));
        report.races.push(standings);
    }
}

#[derive(Clone)]
struct Transact<T>(T);

impl<T: Transactions> Operation for Transact<T> {
    async fn once(&self, _: usize, n: i64) -> Done {
        let answer = self.0.transaction(n).await;
        let done = Done::now();
        assert_eq!(answer, n);
        done
    }
}

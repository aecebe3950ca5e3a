//! Transactions, each on a connection of its own while it lasts.

use super::{OURS, PoolReport};
use crate::load::{Done, Operation};
use crate::peers::{self, CONNECTIONS, Transactions};
use crate::race::{Contender, Rounds};
use crate::server::Server;

const DEADPOOL: &str = "deadpool-postgres";
const RAW: &str = "8 raw sockets";

pub(super) async fn run(server: &Server, rounds: Rounds, report: &mut PoolReport) {
    let contenders = [
        Contender::new(OURS, Transact(peers::ours::open(server).await)),
        Contender::new(DEADPOOL, Transact(peers::deadpool::open(server))),
        Contender::new("sqlx", Transact(peers::sqlx::open(server, true).await)),
        Contender::new(
            "sqlx, without its ping before use",
            Transact(peers::sqlx::open(server, false).await),
        ),
        Contender::new(RAW, Transact(peers::raw::Raw::open(server, 8).await)),
    ];
    let what = format!("BEGIN, SELECT, COMMIT, {CONNECTIONS} connections");
    for (tasks, rate) in [(8, 1.5), (64, 1.4)] {
        let standings = rounds.race(&what, tasks, &contenders).await;
        report.compare_or_raw(&standings, DEADPOOL, rate, &[RAW]);
        report.compare_waits(&standings, DEADPOOL, "p99", 0.9, |waits| waits.p99);
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

//! Quick statements among slow ones.

use super::{OURS, PoolReport};
use crate::load::{Done, Operation};
use crate::peers::{self, CONNECTIONS, Statements};
use crate::race::{Contender, Rounds};
use crate::server::Server;

const DEADPOOL: &str = "deadpool-postgres";

/// The percentiles are those of the quick statements, the rate is that of all.
pub(super) async fn run(server: &Server, rounds: Rounds, report: &mut PoolReport) {
    let contenders = [
        Contender::new(OURS, Mixed(peers::ours::open(server).await)),
        Contender::new(DEADPOOL, Mixed(peers::deadpool::open(server))),
        Contender::new("sqlx", Mixed(peers::sqlx::open(server, true).await)),
        Contender::new("bb8", Mixed(peers::bb8::open(server, true).await)),
        Contender::new("mobc", Mixed(peers::mobc::open(server, true))),
        Contender::new(
            "tokio-postgres, 8 clients shared",
            Mixed(peers::driver::Shared::open(server, 8).await),
        ),
    ];
    let what = format!("SELECT $1, 1 in 10 takes 20 ms, {CONNECTIONS} connections");
    let standings = rounds.race(&what, 64, &contenders).await;
    report.compare_waits(&standings, DEADPOOL, "p99", 1.0, |waits| waits.p99);
    report.races.push(standings);
}

#[derive(Clone)]
struct Mixed<S>(S);

impl<S: Statements> Operation for Mixed<S> {
    async fn once(&self, task: usize, n: i64) -> Done {
        // The tasks do not all sleep in the same turn.
        if (n + task as i64) % 10 == 0 {
            self.0.sleep(task).await;
            return Done::now().uncounted();
        }
        let answer = self.0.select(task, n).await;
        let done = Done::now();
        assert_eq!(answer, n);
        done
    }
}

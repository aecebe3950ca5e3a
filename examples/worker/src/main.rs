//! Works until Ctrl-C, with the database that `underpin.toml` and the environment describe:
//!
//! ```sh
//! export DATABASE_URL='sqlite:jobs.db?mode=rwc'
//! cargo run -p example-worker -- one two three   # adds three jobs, then works
//! ```

use std::time::Duration;

use example_worker::{enqueue, open, work_once};
use underpin::{Config, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let db = open(Config::from_env()?).await?;
    enqueue(&db, std::env::args().skip(1)).await?;
    let name = format!("worker {}", std::process::id());
    let working = async {
        loop {
            let worked = work_once(&db, &name, |job| async move {
                println!("{}: {}", job.id, job.payload);
                Ok(())
            });
            match worked.await {
                Ok(true) => continue,
                Ok(false) => {}
                // The pool connects again by itself; the job is still there.
                Err(error) => eprintln!("{error}"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        () = working => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    db.close(Duration::from_secs(10)).await
}

//! A plan, carried out as a migration does it.

use underpin::schema::Plan;
use underpin::{Database, Error};

/// What cannot be in a transaction by itself, all else in one.
pub(crate) async fn carry_out(db: &Database, plan: &Plan) -> Result<(), Error> {
    let lease = db.acquire().await?;
    let alone = plan.steps.iter().filter(|step| !step.transactional);
    for step in alone {
        lease.batch(&step.sql).await?;
    }
    let together = plan.steps.iter().filter(|step| step.transactional);
    let statements = plan.settings.iter().map(String::as_str);
    let statements = statements.chain(together.map(|step| step.sql.as_str()));
    let statements: Vec<&str> = statements.collect();
    drop(lease);
    in_one_transaction(db, &statements).await
}

/// All that undoes it, in one transaction.
pub(crate) async fn carry_back(db: &Database, plan: &Plan) -> Result<(), Error> {
    let mut statements: Vec<&str> = plan.settings.iter().map(String::as_str).collect();
    statements.extend(plan.down().expect("a plan that can be undone"));
    in_one_transaction(db, &statements).await
}

async fn in_one_transaction(db: &Database, statements: &[&str]) -> Result<(), Error> {
    let transaction = db.begin().await?;
    for statement in statements {
        if let Err(error) = transaction.batch(statement).await {
            return Err(error.with_context(statement));
        }
    }
    transaction.commit().await
}

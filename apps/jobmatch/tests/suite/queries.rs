use crate::place::{InPlace, Place, close};

#[tokio::test]
async fn every_query_fits_the_migrated_database() {
    for place in Place::each("queries") {
        let database = place.migrated().await;
        jobmatch::QUERIES.check(&database).await.unwrap();
        close(database).await;
    }
}

//! The odd cases, written by hand.

use crate::round_trip::round_trip;

#[tokio::test]
async fn everything_odd_comes_back() {
    let schema = round_trip("odd", include_str!("odd.sql")).await;
    if let Some(schema) = schema {
        assert_eq!(schema.unsupported.len(), 0);
    }
}

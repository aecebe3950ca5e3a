//! The examples of the guide, compiled and run as the examples of this crate. The tests build the
//! book, check its links, and compare its reference with the code.

macro_rules! chapters {
    ($($name:ident $path:literal)*) => {
        $(#[doc = include_str!($path)] #[cfg(doctest)] mod $name {})*
    };
}

chapters! {
    index "src/index.md"
    how_do_i "src/how-do-i.md"
    connecting "src/connecting.md"
    queries "src/queries.md"
    transactions "src/transactions.md"
    pool "src/pool.md"
    hosts "src/hosts.md"
    engines "src/engines.md"
    models "src/models.md"
    migrations "src/migrations/index.md"
    daily "src/migrations/daily.md"
    branches "src/migrations/branches.md"
    production "src/migrations/production.md"
    adoption "src/migrations/adoption.md"
    schemas "src/schemas.md"
    copying "src/copying.md"
    moving "src/moving.md"
    testing "src/testing.md"
    deploying "src/deploying.md"
    observing "src/observing.md"
    from_sqlx "src/from/sqlx.md"
    from_diesel "src/from/diesel.md"
    from_sea_orm "src/from/sea-orm.md"
    from_alembic "src/from/alembic.md"
    readme "../../README.md"
}

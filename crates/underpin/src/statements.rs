//! The calls of every type that runs SQL: written once, and provided for
//! [`Database`](crate::Database), [`Transaction`](crate::Transaction) and
//! [`Connection`](crate::Connection) as inherent methods and as [`Executor`](crate::Executor).

/// Implements the calls for a type with `run_at` and `stream_at`.
macro_rules! statements {
    ($type:ty) => {
        impl $type {
            /// Runs a statement and returns the number of rows that it changed.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
            /// let count = db.execute("INSERT INTO users (email) VALUES ($1)", ("ada@example.com",)).await?;
            /// assert_eq!(count, 1);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// [`Error::effect`](crate::Error::effect) says whether it may have taken effect.
            ///
            /// # Cancel safety
            /// If the future is dropped, the statement may still take effect; the connection is
            /// cleaned before another caller uses it.
            #[track_caller]
            pub fn execute<P: IntoParams>(
                &self,
                sql: &str,
                params: P,
            ) -> impl Future<Output = Result<u64>> + Send {
                let (place, params) = (Location::caller(), params.into_params());
                async move {
                    let answer = self.run_at(Operation::Execute, sql, params, place).await?;
                    Ok(answer.count())
                }
            }

            /// Runs a statement and returns its rows as they are.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// let rows = db.query("SELECT 1 AS one", ()).await?;
            /// assert_eq!(rows[0].values(), [underpin::Value::I64(1)]);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// As for [`execute`](Self::execute).
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn query<P: IntoParams>(
                &self,
                sql: &str,
                params: P,
            ) -> impl Future<Output = Result<Vec<ValueRow>>> + Send {
                let place = Location::caller();
                self.rows_at(Collect::all(), sql, params.into_params(), place)
            }

            /// Runs a statement and reads each row as a `T`.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// use underpin::FromRow;
            ///
            /// #[derive(FromRow)]
            /// struct User {
            ///     id: i64,
            ///     email: String,
            /// }
            ///
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
            /// # db.execute("INSERT INTO users (email) VALUES ('ada@example.com')", ()).await?;
            /// let users: Vec<User> = db.query_as("SELECT id, email FROM users", ()).await?;
            /// let pairs: Vec<(i64, String)> = db.query_as("SELECT id, email FROM users", ()).await?;
            /// assert_eq!((users[0].id, &users[0].email), (pairs[0].0, &pairs[0].1));
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// As for [`execute`](Self::execute); a row that does not fit is `Class::Data`.
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn query_as<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<Vec<T>>> + Send {
                let place = Location::caller();
                self.rows_at(Collect::all(), sql, params.into_params(), place)
            }

            /// Runs a statement that returns exactly one row.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// let (one, two): (i64, i64) = db.query_one("SELECT 1, 2", ()).await?;
            /// assert_eq!((one, two), (1, 2));
            ///
            /// let error = db.query_one::<i64>("SELECT 1 WHERE 1 = 0", ()).await.unwrap_err();
            /// assert_eq!(error.class(), underpin::Class::NotFound);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// As for [`query_as`](Self::query_as); `Class::NotFound` for no row and
            /// `Class::Data` for more than one.
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn query_one<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<T>> + Send {
                // Two rows suffice to detect more than one.
                let (place, two) = (Location::caller(), Collect::at_most(2));
                self.rows_at(two, sql, params.into_params(), place)
                    .map(move |rows| one_row::exactly_one(rows?, sql))
            }

            /// Runs a statement that returns one row or none.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// let nothing: Option<i64> = db.query_optional("SELECT 1 WHERE 1 = 0", ()).await?;
            /// assert_eq!(nothing, None);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// As for [`query_as`](Self::query_as); `Class::Data` for more than one row.
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn query_optional<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<Option<T>>> + Send {
                // Two rows suffice to detect more than one.
                let (place, two) = (Location::caller(), Collect::at_most(2));
                self.rows_at(two, sql, params.into_params(), place)
                    .map(move |rows| one_row::at_most_one(rows?, sql))
            }

            /// Runs a statement that returns one row of one column.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// let answer: i64 = db.query_scalar("SELECT $1 * 2", (21,)).await?;
            /// assert_eq!(answer, 42);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// As for [`query_one`](Self::query_one).
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn query_scalar<T: for<'r> FromValue<'r> + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<T>> + Send {
                self.query_one::<one_row::Scalar<T>>(sql, params)
                    .map(|row| Ok(row?.0))
            }

            /// Runs a statement and returns its rows as they arrive, in bounded memory. The stream
            /// holds a connection until it ends or is dropped.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// let mut rows = db.query_stream::<i64>("SELECT 1 UNION ALL SELECT 2", ()).await?;
            /// let mut sum = 0;
            /// while let Some(row) = rows.next().await {
            ///     sum += row?;
            /// }
            /// assert_eq!(sum, 3);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// As for [`query_as`](Self::query_as); an error after the first row comes from the
            /// stream.
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn query_stream<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<RowStream<T>>> + Send {
                self.stream_at(sql, params.into_params(), Location::caller())
            }

            /// Runs several statements, separated by semicolons, without parameters. On PostgreSQL
            /// they are one transaction unless they begin and end transactions themselves.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// db.batch("CREATE TABLE a (id INTEGER); CREATE TABLE b (id INTEGER)").await?;
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// As for [`execute`](Self::execute).
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn batch(&self, sql: &str) -> impl Future<Output = Result<()>> + Send {
                let place = Location::caller();
                async move {
                    self.run_at(Operation::Batch, sql, Params::new(), place)
                        .await
                        .map(drop)
                }
            }

            /// Inserts rows into a table in the fastest way of the engine, all of them or none, and
            /// returns their number. The table may be qualified, as in `shop.orders`.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> underpin::Result<()> {
            /// # let db = underpin::Database::connect("sqlite::memory:").await?;
            /// # db.batch("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)").await?;
            /// let rows = (0..1000).map(|n| (n, format!("user{n}@example.com")));
            /// let count = db.bulk_insert("users", &["id", "email"], rows).await?;
            /// assert_eq!(count, 1000);
            /// # Ok(())
            /// # }
            /// ```
            ///
            /// # Errors
            /// `Class::Data` names the row (counted from 1) and the column that does not fit.
            ///
            /// # Cancel safety
            /// If the future is dropped, no row is inserted, unless the last answer was on its way.
            #[track_caller]
            pub fn bulk_insert<'a, I>(
                &'a self,
                table: &'a str,
                columns: &'a [&'a str],
                rows: I,
            ) -> impl Future<Output = Result<u64>> + Send
            where
                I: IntoIterator,
                I::IntoIter: Send,
                I::Item: IntoParams + Send,
            {
                let target = BulkTarget { table, columns };
                let (place, mut rows) = (Location::caller(), rows.into_iter());
                async move {
                    let operation = Operation::Insert(target, &mut rows);
                    let answer = self.run_at(operation, "", Params::new(), place).await?;
                    Ok(answer.count())
                }
            }

            async fn rows_at<T: FromRow + Send + 'static>(
                &self,
                collect: Collect<T>,
                sql: &str,
                params: Params,
                place: &'static Location<'static>,
            ) -> Result<Vec<T>> {
                let operation = Operation::Fetch(&collect);
                let answer = self.run_at(operation, sql, params, place).await?;
                Ok(collect.rows(answer.rows()))
            }
        }

        impl underpin_core::sealed::Executor for $type {}

        impl underpin_core::Executor for $type {
            fn engine(&self) -> Engine {
                <$type>::engine(self)
            }

            #[track_caller]
            fn execute<P: IntoParams>(
                &self,
                sql: &str,
                params: P,
            ) -> impl Future<Output = Result<u64>> + Send {
                <$type>::execute(self, sql, params)
            }

            #[track_caller]
            fn query<P: IntoParams>(
                &self,
                sql: &str,
                params: P,
            ) -> impl Future<Output = Result<Vec<ValueRow>>> + Send {
                <$type>::query(self, sql, params)
            }

            #[track_caller]
            fn query_as<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<Vec<T>>> + Send {
                <$type>::query_as::<T>(self, sql, params)
            }

            #[track_caller]
            fn query_one<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<T>> + Send {
                <$type>::query_one::<T>(self, sql, params)
            }

            #[track_caller]
            fn query_optional<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<Option<T>>> + Send {
                <$type>::query_optional::<T>(self, sql, params)
            }

            #[track_caller]
            fn query_scalar<T: for<'r> FromValue<'r> + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<T>> + Send {
                <$type>::query_scalar::<T>(self, sql, params)
            }

            #[track_caller]
            fn query_stream<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<RowStream<T>>> + Send {
                <$type>::query_stream::<T>(self, sql, params)
            }

            #[track_caller]
            fn batch(&self, sql: &str) -> impl Future<Output = Result<()>> + Send {
                <$type>::batch(self, sql)
            }

            #[track_caller]
            fn bulk_insert<'a, I>(
                &'a self,
                table: &'a str,
                columns: &'a [&'a str],
                rows: I,
            ) -> impl Future<Output = Result<u64>> + Send
            where
                I: IntoIterator,
                I::IntoIter: Send,
                I::Item: IntoParams + Send,
            {
                <$type>::bulk_insert(self, table, columns, rows)
            }
        }
    };
}
pub(crate) use statements;

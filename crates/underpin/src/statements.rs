//! The calls that every place where SQL runs has: written once, and given to
//! [`Database`](crate::Database), [`Transaction`](crate::Transaction) and
//! [`Connection`](crate::Connection) as methods of their own and as [`Executor`](crate::Executor).

/// Gives a type the calls, over its own `run` and `run_stream`.
macro_rules! statements {
    ($type:ty) => {
        impl $type {
            /// Runs a statement and gives the number of rows it changed.
            ///
            /// # Errors
            /// [`Error::effect`](crate::Error::effect) says whether it may have taken hold.
            ///
            /// # Cancel safety
            /// Dropped half-way, the statement may still take hold; the connection is
            /// cleaned before anybody else uses it.
            #[track_caller]
            pub fn execute<P: IntoParams>(
                &self,
                sql: &str,
                params: P,
            ) -> impl Future<Output = Result<u64>> + Send {
                self.run(operation::Execute, sql, params.into_params())
            }

            /// Runs a statement and gives its rows as they are.
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
                self.run(operation::Query::all(), sql, params.into_params())
            }

            /// Runs a statement and reads each row as a `T`.
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
                self.run(operation::Query::<T>::all(), sql, params.into_params())
            }

            /// Runs a statement that gives exactly one row.
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
                self.run(operation::Query::<T>::one(), sql, params.into_params())
                    .map(move |rows| operation::exactly_one(rows?, sql))
            }

            /// Runs a statement that gives one row or none.
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
                self.run(operation::Query::<T>::one(), sql, params.into_params())
                    .map(move |rows| operation::at_most_one(rows?, sql))
            }

            /// Runs a statement that gives one row of one column.
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
                self.query_one::<operation::Scalar<T>>(sql, params)
                    .map(|row| Ok(row?.0))
            }

            /// Runs a statement and gives its rows as they arrive, in bounded memory.
            /// The stream holds a connection until it ends or is dropped.
            ///
            /// # Errors
            /// As for [`query_as`](Self::query_as); what fails after the first row
            /// comes from the stream.
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn query_stream<T: FromRow + Send + 'static>(
                &self,
                sql: &str,
                params: impl IntoParams,
            ) -> impl Future<Output = Result<RowStream<T>>> + Send {
                self.run_stream::<T>(sql, params.into_params())
            }

            /// Runs several statements, separated by semicolons, without parameters. On
            /// PostgreSQL they are one transaction unless they say otherwise.
            ///
            /// # Errors
            /// As for [`execute`](Self::execute).
            ///
            /// # Cancel safety
            /// As for [`execute`](Self::execute).
            #[track_caller]
            pub fn batch(&self, sql: &str) -> impl Future<Output = Result<()>> + Send {
                self.run(operation::Batch, sql, Params::new())
            }

            /// Puts rows into a table by the fastest way the engine has, all or none of
            /// them, and gives their number. The table may be qualified, `shop.orders`.
            ///
            /// # Errors
            /// `Class::Data` names the row (counted from 1) and the column that does
            /// not fit.
            ///
            /// # Cancel safety
            /// Dropped half-way, no row is put in, unless the last answer was under way.
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
                let rows = Some(rows.into_iter());
                self.run(operation::BulkInsert { target, rows }, "", Params::new())
            }
        }

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

use std::panic::Location;

use underpin_cluster::{CallOptions, Cluster, Operation};
use underpin_core::driver::BoxFuture;
use underpin_core::{Deadline, Params, Result};
use underpin_pool::Pool;

use crate::metrics::Metrics;

/// The implementation behind an open [`Database`](crate::Database). A [`Cluster`] is one, with
/// Underpin's own pools; an engine that brings its own pool implements this trait itself.
pub trait Backend: Send + Sync + 'static {
    /// Checks that the server answers.
    ///
    /// # Errors
    /// The error of the check; past the deadline `Class::Timeout`.
    ///
    /// # Cancel safety
    /// Safe.
    fn ping(
        &self,
        options: CallOptions,
        place: &'static Location<'static>,
    ) -> BoxFuture<'_, Result<()>>;

    /// The current numbers. Costs no round trip.
    fn metrics(&self) -> Metrics;

    /// Lets no call begin until [`resume`](Backend::resume); calls in progress continue.
    fn pause(&self);

    /// Ends a [`pause`](Backend::pause).
    fn resume(&self);

    /// Waits for all calls in progress, until the deadline, and closes all connections.
    ///
    /// # Errors
    /// `Class::Timeout` names the holders of connections.
    ///
    /// # Cancel safety
    /// If the future is dropped, everything is closed anyway, without the report.
    fn close(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// The members with Underpin's own pools, if there are any: they lease connections, run SQL,
    /// and can be resized and reconfigured. Default none.
    fn cluster(&self) -> Option<&Cluster> {
        None
    }
}

impl Backend for Cluster {
    fn ping(
        &self,
        options: CallOptions,
        place: &'static Location<'static>,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.run(Operation::Ping, "", Params::new(), options, place)
                .await
                .map(drop)
        })
    }

    fn metrics(&self) -> Metrics {
        Metrics::of(self)
    }

    fn pause(&self) {
        self.pools().iter().for_each(Pool::pause);
    }

    fn resume(&self) {
        self.pools().iter().for_each(Pool::resume);
    }

    fn close(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(Cluster::close(self, deadline))
    }

    fn cluster(&self) -> Option<&Cluster> {
        Some(self)
    }
}

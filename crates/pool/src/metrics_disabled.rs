use std::sync::Arc;

use underpin_core::driver::Connector;

use crate::inner::Inner;

/// Publishes nothing: the feature `metrics` is off.
#[derive(Debug)]
pub(crate) struct Publishing;

impl Publishing {
    pub(crate) fn new() -> Self {
        Publishing
    }

    pub(crate) fn start<C: Connector>(&self, _: &Arc<Inner<C>>) {}
}

use underpin_core::{FromRow, ParameterShape, Parameters, RowShape};

use super::{Origin, Query};

/// A [`Query`] whatever its types: what can be checked.
pub trait Statement: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its text.
    fn sql(&self) -> &'static str;

    /// Where it stands.
    fn origin(&self) -> Origin;

    /// What its parameters are sent as.
    fn parameters(&self) -> Vec<ParameterShape>;

    /// What is read of its rows; `None` where the type does not say.
    fn row(&self) -> Option<RowShape>;

    /// The name of the type that its rows are read as.
    fn row_type(&self) -> &'static str;
}

impl<P: Parameters, R: FromRow> Statement for Query<P, R> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sql(&self) -> &'static str {
        self.sql
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn parameters(&self) -> Vec<ParameterShape> {
        P::shapes()
    }

    fn row(&self) -> Option<RowShape> {
        R::shape()
    }

    fn row_type(&self) -> &'static str {
        std::any::type_name::<R>()
    }
}

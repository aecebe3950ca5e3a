use underpin_core::{FromRow, ParameterShape, Parameters, RowShape};

use super::{Origin, Query};

/// A [`Query`] of any types, as it is checked. It is implemented here alone.
pub trait Statement: Sync + sealed::Sealed {
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

mod sealed {
    use super::{FromRow, Parameters, Query};

    pub trait Sealed {}

    impl<P: Parameters, R: FromRow> Sealed for Query<P, R> {}
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

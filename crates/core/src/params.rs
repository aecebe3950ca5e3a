use crate::into_value::IntoValue;
use crate::value::Value;

/// A statement's parameters, in order.
pub type Params = Vec<Value>;

/// The parameters of a statement, or one row of a bulk insert: `()` for none, a tuple of up to 16
/// values of any types, or a slice, an array or a `Vec` of [`Value`]s.
pub trait IntoParams {
    /// Appends the values to `params`.
    fn push_to(self, params: &mut Params);

    /// The values as a `Vec` of their own.
    fn into_params(self) -> Params
    where
        Self: Sized,
    {
        let mut params = Params::new();
        self.push_to(&mut params);
        params
    }
}

impl IntoParams for () {
    fn push_to(self, _: &mut Params) {}
}

impl IntoParams for Vec<Value> {
    fn push_to(mut self, params: &mut Params) {
        params.append(&mut self);
    }

    fn into_params(self) -> Params {
        self
    }
}

impl IntoParams for &[Value] {
    fn push_to(self, params: &mut Params) {
        params.extend_from_slice(self);
    }
}

impl IntoParams for &Vec<Value> {
    fn push_to(self, params: &mut Params) {
        params.extend_from_slice(self);
    }
}

impl<const N: usize> IntoParams for [Value; N] {
    fn push_to(self, params: &mut Params) {
        params.extend(self);
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: IntoValue),+> IntoParams for ($($name,)+) {
            #[inline]
            #[expect(non_snake_case, reason = "the variables are named after their types")]
            fn push_to(self, params: &mut Params) {
                let ($($name,)+) = self;
                const COUNT: usize = [$(stringify!($name)),+].len();
                params.reserve(COUNT);
                $(params.push($name.into_value());)+
            }
        }
    )*};
}
tuples! {
    A; A B; A B C; A B C D; A B C D E; A B C D E F; A B C D E F G; A B C D E F G H;
    A B C D E F G H I; A B C D E F G H I J; A B C D E F G H I J K; A B C D E F G H I J K L;
    A B C D E F G H I J K L M; A B C D E F G H I J K L M N; A B C D E F G H I J K L M N O;
    A B C D E F G H I J K L M N O P;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tuples_slices_and_nothing() {
        assert_eq!(().into_params(), []);
        let params = (1, "a", None::<i64>, true).into_params();
        assert_eq!(
            params,
            [
                Value::I32(1),
                Value::Text("a".into()),
                Value::Null,
                Value::Bool(true)
            ]
        );
        assert_eq!((&params[..2]).into_params(), params[..2]);
        assert_eq!(params.clone().into_params(), params);
        assert_eq!(
            (vec![1u8], vec![1i32]).into_params(),
            [Value::Bytes(vec![1]), Value::Array(vec![Value::I32(1)])]
        );
    }
}

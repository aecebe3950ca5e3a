use underpin_core::AddressForm;

use crate::fields::types::*;
use crate::fields::with_fields;
use crate::hosts::{Host, file_endpoint};

const MINUTE: Duration = Duration::from_secs(60);

/// Makes the values that a layer may have and the settings of a configuration.
macro_rules! values {
    ($(
        $(#[$doc:meta])*
        $form:ident $name:ident: $type:ty = $default:expr;
        $variable:literal $aliases:tt $part:ident $scope:ident
    )*) => {
        /// The values that one layer gives.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Values {
            $(pub(crate) $name: Option<$type>,)*
        }

        /// The values that hold, once every layer was heard.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct Settings {
            $(pub(crate) $name: $type,)*
        }

        impl Values {
            /// Fills in the defaults, in the order of the rows.
            pub(crate) fn settle(mut self) -> Settings {
                $(
                    let default: fn(&Values) -> $type = $default;
                    let $name = self.$name.take().unwrap_or_else(|| default(&self));
                    self.$name = Some($name.clone());
                )*
                Settings { $($name,)* }
            }
        }
    };
}

with_fields!(values);

impl Values {
    fn engine(&self) -> Engine {
        self.engine.unwrap_or(Engine::POSTGRES)
    }

    /// The user's name where nothing is said.
    fn usual_user(&self) -> Option<String> {
        match self.engine().info().address {
            AddressForm::Server { user, .. } => user.map(str::to_owned),
            AddressForm::File | AddressForm::DataSource => None,
        }
    }

    /// How many connections a pool has where nothing is said.
    fn usual_pool_size(&self) -> u32 {
        let info = self.engine().info();
        let database = self.database.as_deref();
        let in_memory = database.is_some_and(|path| file_endpoint(path).address.is_memory());
        match info.address {
            AddressForm::File if in_memory => 1,
            _ => info.pool_size,
        }
    }
}

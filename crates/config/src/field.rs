use underpin_core::Engine;

use crate::fields::{FIELDS, Settings, Values};
use crate::kind::Misfit;

/// One field of the configuration, as the layers see it.
pub(crate) struct Field {
    /// Its name everywhere but in the environment.
    pub(crate) key: &'static str,
    /// Its variable in the environment.
    pub(crate) variable: &'static str,
    /// Other names for the key.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) part: Part,
    /// Whether it means something for every engine, or for those that list it.
    pub(crate) scope: Scope,
    pub(crate) read: fn(&mut Values, &str) -> Result<(), Misfit>,
    pub(crate) is_set: fn(&Values) -> bool,
    pub(crate) take: fn(&mut Values, &mut Values),
    /// Whether a text is a number without the unit that it needs.
    pub(crate) lacks_unit: fn(&str) -> bool,
    pub(crate) check: fn(&Settings) -> Result<(), Misfit>,
    pub(crate) show: fn(&Settings) -> String,
    /// Writes the value back, so that another configuration can start from it.
    pub(crate) give: fn(&Settings, &mut Values),
}

/// What a field is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Where the database is and who asks; what a URL says the whole of.
    Place,
    /// How the way there is protected; a URL says the whole of it too.
    Tls,
    /// Anything else.
    Other,
}

/// Which engines have a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every one.
    All,
    /// Those that list its key as their own.
    Own,
}

impl Field {
    /// Whether it means something for this engine.
    pub(crate) fn applies_to(&self, engine: Engine) -> bool {
        self.scope == Scope::All || engine.has_key(self.key)
    }

    /// The field of this key or alias.
    pub(crate) fn of_key(key: &str) -> Option<&'static Field> {
        FIELDS
            .iter()
            .find(|field| field.key == key || field.aliases.contains(&key))
    }

    /// The field of this environment variable: its own, or `DB_` and a key or alias.
    pub(crate) fn of_variable(name: &str) -> Option<&'static Field> {
        let key = name.strip_prefix("DB_").map(str::to_ascii_lowercase);
        FIELDS.iter().find(|field| {
            field.variable == name
                || field.variable.starts_with("DB_")
                    && key
                        .as_deref()
                        .is_some_and(|k| field.key == k || field.aliases.contains(&k))
        })
    }

    /// Whether its value is never shown.
    pub(crate) fn is_secret(&self) -> bool {
        self.key == "password"
    }
}

/// Makes, from one row for each field: the values that a layer may have, the settings
/// of a configuration, the table of fields, the getters of `Config` and the setters of
/// `ConfigBuilder`.
macro_rules! fields {
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

        /// Every field, in the order in which they are shown.
        pub(crate) static FIELDS: &[Field] = &[$(Field {
            key: stringify!($name),
            variable: $variable,
            aliases: &$aliases,
            part: Part::$part,
            scope: Scope::$scope,
            read: |values, text| {
                let value = <$type as Kind>::read(text)?;
                Kind::check(&value)?;
                values.$name = Some(value);
                Ok(())
            },
            is_set: |values| values.$name.is_some(),
            take: |to, from| to.$name = from.$name.take(),
            lacks_unit: <$type as Kind>::lacks_unit,
            check: |settings| Kind::check(&settings.$name),
            show: |settings| Kind::show(&settings.$name),
            give: |settings, values| values.$name = Some(settings.$name.clone()),
        },)*];

        impl Config {
            $(getter! { $form $name $type [$(#[$doc])*] })*
        }

        impl ConfigBuilder {
            $(setter! { $form $name $type })*
        }
    };
}

/// The getter of a field, by the form in which it is handed out.
macro_rules! getter {
    (hidden $name:ident $type:ty [$($doc:tt)*]) => {};
    (copied $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> $type {
            self.settings.$name
        }
    };
    (limit $name:ident $type:ty [$($doc:tt)*]) => {
        getter! { copied $name $type [$($doc)*] }
    };
    (name $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> &str {
            &self.settings.$name
        }
    };
    (text $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> Option<&str> {
            self.settings.$name.as_deref()
        }
    };
    (path $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> Option<&Path> {
            self.settings.$name.as_deref()
        }
    };
    (addresses $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> &[Option<IpAddr>] {
            &self.settings.$name.0
        }
    };
    (cloned $name:ident $type:ty [$($doc:tt)*]) => {
        getter! { secret $name $type [$($doc)*] }
    };
    (secret $name:ident $type:ty [$($doc:tt)*]) => {
        $($doc)*
        pub fn $name(&self) -> &$type {
            &self.settings.$name
        }
    };
}

/// The setter of a field, by the form in which it is handed in.
macro_rules! setter {
    (hidden $name:ident $type:ty) => {};
    (secret $name:ident $type:ty) => {};
    (addresses $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, addresses: impl IntoIterator<Item = Option<IpAddr>>) -> Self {
            self.layer.values.$name = Some(Addresses(addresses.into_iter().collect()));
            self.written(stringify!($name))
        }
    };
    (cloned $name:ident $type:ty) => {
        setter! { copied $name $type }
    };
    (copied $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: $type) -> Self {
            self.layer.values.$name = Some(value);
            self.written(stringify!($name))
        }
    };
    (limit $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: impl Into<$type>) -> Self {
            self.layer.values.$name = Some(value.into());
            self.written(stringify!($name))
        }
    };
    (name $name:ident $type:ty) => {
        setter! { limit $name $type }
    };
    (text $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: impl Into<String>) -> Self {
            self.layer.values.$name = Some(Some(value.into()));
            self.written(stringify!($name))
        }
    };
    (path $name:ident $type:ty) => {
        #[doc = concat!("Sets [`Config::", stringify!($name), "`].")]
        #[must_use]
        pub fn $name(mut self, value: impl Into<PathBuf>) -> Self {
            self.layer.values.$name = Some(Some(value.into()));
            self.written(stringify!($name))
        }
    };
}

pub(crate) use {fields, getter, setter};

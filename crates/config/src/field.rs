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
    pub(crate) engines: Engines,
    pub(crate) read: fn(&mut Values, &str) -> Result<(), Misfit>,
    pub(crate) is_set: fn(&Values) -> bool,
    pub(crate) take: fn(&mut Values, &mut Values),
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

/// The engines that a field means something for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engines {
    All,
    Postgres,
    Sqlite,
}

impl Engines {
    pub(crate) fn contain(self, engine: Engine) -> bool {
        match self {
            Engines::All => true,
            Engines::Postgres => engine == Engine::POSTGRES,
            Engines::Sqlite => engine == Engine::SQLITE,
        }
    }
}

impl Field {
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
        $variable:literal $aliases:tt $part:ident $engines:ident
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
            engines: Engines::$engines,
            read: |values, text| {
                let value = <$type as Kind>::read(text)?;
                Kind::check(&value)?;
                values.$name = Some(value);
                Ok(())
            },
            is_set: |values| values.$name.is_some(),
            take: |to, from| to.$name = from.$name.take(),
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

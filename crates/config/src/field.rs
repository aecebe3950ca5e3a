use crate::fields::types::*;
use crate::fields::with_fields;
use crate::kind::{Kind, Misfit};
use crate::values::{Settings, Values};

/// One field of the configuration, as the layers see it.
pub(crate) struct Field {
    /// Its name everywhere but in the environment.
    pub(crate) key: &'static str,
    /// Its documentation.
    pub(crate) description: &'static str,
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

/// The subject of a field.
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
        ["password", "migrate_url", "scratch_url"].contains(&self.key)
    }
}

/// Makes the table of fields.
macro_rules! table {
    ($(
        $(#[doc = $doc:literal])*
        $form:ident $name:ident: $type:ty = $default:expr;
        $variable:literal $aliases:tt $part:ident $scope:ident
    )*) => {
        /// Every field, in the order in which they are shown.
        pub(crate) static FIELDS: &[Field] = &[$(Field {
            key: stringify!($name),
            description: concat!($($doc, "\n"),*),
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
    };
}

with_fields!(table);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_each_for_one_field() {
        for field in FIELDS {
            for key in [&field.key].into_iter().chain(field.aliases) {
                assert_eq!(Field::of_key(key).map(|found| found.key), Some(field.key));
                if field.variable.starts_with("DB_") {
                    let variable = format!("DB_{}", key.to_uppercase());
                    let found = Field::of_variable(&variable).map(|found| found.key);
                    assert_eq!(found, Some(field.key));
                }
            }
            let found = Field::of_variable(field.variable).map(|found| found.key);
            assert_eq!(found, Some(field.key));
        }
    }

    #[test]
    fn every_default_passes_its_own_check_and_reads_back() {
        let settings = Values {
            database: Some("shop".into()),
            ..Values::default()
        }
        .settle();
        for field in FIELDS {
            assert!((field.check)(&settings).is_ok(), "{}", field.key);
            let shown = (field.show)(&settings);
            if shown != "none" && field.key != "port" {
                let mut values = Values::default();
                assert!(
                    (field.read)(&mut values, &shown).is_ok(),
                    "{} = {shown}",
                    field.key
                );
                assert!((field.is_set)(&values));
            }
        }
    }
}

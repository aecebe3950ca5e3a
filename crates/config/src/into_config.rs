use underpin_core::Result;

use crate::config::Config;

/// Anything that a database can be opened with: a URL, or a [`Config`]. It is implemented here alone.
pub trait IntoConfig: sealed::Sealed {
    /// Returns the configuration, checked.
    ///
    /// # Errors
    /// `Class::Config` for a text that is not a valid URL.
    fn into_config(self) -> Result<Config>;
}

mod sealed {
    use super::Config;

    pub trait Sealed {}

    impl Sealed for Config {}
    impl Sealed for &Config {}
    impl Sealed for &str {}
    impl Sealed for &String {}
    impl Sealed for String {}
}

impl IntoConfig for Config {
    fn into_config(self) -> Result<Config> {
        Ok(self)
    }
}

impl IntoConfig for &Config {
    fn into_config(self) -> Result<Config> {
        Ok(self.clone())
    }
}

impl IntoConfig for &str {
    fn into_config(self) -> Result<Config> {
        Config::from_url(self)
    }
}

impl IntoConfig for &String {
    fn into_config(self) -> Result<Config> {
        Config::from_url(self)
    }
}

impl IntoConfig for String {
    fn into_config(self) -> Result<Config> {
        Config::from_url(&self)
    }
}

use underpin_core::Result;

use crate::target::Target;

/// Anything that names a target: a [`Target`], or its text: `head`, `heads`, `base`, `+2`, `-1`, an
/// id or its unique beginning, or any of these on a branch: `shop@head`. It is implemented here alone.
pub trait IntoTarget: sealed::Sealed {
    /// Returns the target.
    ///
    /// # Errors
    /// `Class::Config` for a text that is not a valid target.
    fn into_target(self) -> Result<Target>;
}

mod sealed {
    use super::Target;

    pub trait Sealed {}

    impl Sealed for Target {}
    impl Sealed for &Target {}
    impl Sealed for &str {}
    impl Sealed for &String {}
}

impl IntoTarget for Target {
    fn into_target(self) -> Result<Target> {
        Ok(self)
    }
}

impl IntoTarget for &Target {
    fn into_target(self) -> Result<Target> {
        Ok(self.clone())
    }
}

impl IntoTarget for &str {
    fn into_target(self) -> Result<Target> {
        self.parse()
    }
}

impl IntoTarget for &String {
    fn into_target(self) -> Result<Target> {
        self.parse()
    }
}
